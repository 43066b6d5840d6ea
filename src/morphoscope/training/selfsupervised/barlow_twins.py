"""Barlow Twins: the features of two views correlate one to one and with nothing else (Zbontar et al., ICML 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from morphoscope.training.selfsupervised.method import TwinMethod, projector


def barlow_twins_loss(first: Tensor, second: Tensor, off_diagonal_weight: float = 0.005) -> Tensor:
    """Equation 1 of the paper on embeddings (B, D) of two views: (1 - diagonal)² of their cross-correlation matrix, plus the
    weight (lambda) times the squares off the diagonal. Features are standardised over the batch as batch normalisation does."""
    correlation = _standard(first.float()).T @ _standard(second.float()) / len(first)
    on_diagonal = (1 - correlation.diagonal()).square().sum()
    off_diagonal = correlation.square().sum() - correlation.diagonal().square().sum()
    return on_diagonal + off_diagonal_weight * off_diagonal


def _standard(embeddings: Tensor) -> Tensor:
    return (embeddings - embeddings.mean(0)) / (embeddings.var(0, correction=0) + 1e-5).sqrt()


class BarlowTwins(TwinMethod):
    """The loss behind a projector with the widths given after that of the features."""

    def __init__(
        self,
        width: int,
        widths: Sequence[int] = (1024, 1024, 1024),
        *,
        order: str = "norm-relu",
        last_norm: bool = False,
        off_diagonal_weight: float = 0.005,
    ) -> None:
        layers = projector([width, *widths], order=order, last_norm=last_norm)
        super().__init__(layers, partial(barlow_twins_loss, off_diagonal_weight=off_diagonal_weight))
