"""VICReg: views agree, every feature varies over the batch, no two features say the same (Bardes, Ponce, LeCun, ICLR 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from morphoscope.training.selfsupervised.method import TwinMethod, projector


def vicreg_loss(
    first: Tensor, second: Tensor, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
) -> Tensor:
    """Equation 6 of the paper on embeddings (B, D) of two views, with the weights lambda, mu and nu: mean square distance; hinge
    on each feature's standard deviation below 1; the squared covariances between features, a feature's share of them.

    As in the authors' code, from which the weights come, the distance is a mean over features and the hinge over both views."""
    first, second = first.float(), second.float()
    distance = F.mse_loss(first, second)
    spread = (_hinge(first) + _hinge(second)) / 2
    between = (_off_diagonal_square(first) + _off_diagonal_square(second)) / first.shape[1]
    return invariance * distance + variance * spread + covariance * between


def _hinge(embeddings: Tensor) -> Tensor:
    return F.relu(1 - torch.sqrt(embeddings.var(0) + 1e-4)).mean()


def _off_diagonal_square(embeddings: Tensor) -> Tensor:
    """Sum of the squared covariances between different features."""
    centred = embeddings - embeddings.mean(0)
    covariance = centred.T @ centred / (len(embeddings) - 1)
    return covariance.square().sum() - covariance.diagonal().square().sum()


class VICReg(TwinMethod):
    """The loss behind a projector with the widths given after that of the features."""

    def __init__(
        self,
        width: int,
        widths: Sequence[int] = (1024, 1024, 1024),
        *,
        order: str = "norm-relu",
        last_norm: bool = False,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
    ) -> None:
        layers = projector([width, *widths], order=order, last_norm=last_norm)
        super().__init__(layers, partial(vicreg_loss, invariance=invariance, variance=variance, covariance=covariance))
