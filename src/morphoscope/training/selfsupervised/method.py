"""What a self-supervised method is asked for: a loss of two views, and what happens after a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class SelfSupervisedMethod(nn.Module):
    """Owns what stands between features and loss. encoder: turns views (B, 1, Y, X) into features (B, F)."""

    n_views = 2
    """Of each picture; with one, it is given twice."""
    usual: ClassVar[dict[str, Any]] = {}
    """Settings of a recipe of pretraining that the method has where others have the common ones."""

    def follow(self, encoder: nn.Module) -> None:
        """The encoder that is to learn; called once, before learning begins."""

    @classmethod
    def check(cls, encoder: nn.Module, side: int) -> None:
        """Raises MorphoscopeError for an encoder that the method can't teach by views of `side` px."""

    def loss(self, encoder: nn.Module, first: Tensor, second: Tensor) -> Tensor:
        """Scalar, from two views (B, 1, Y, X) of each picture."""
        raise NotImplementedError

    def after_step(self, encoder: nn.Module, progress: float) -> None:
        """The encoder has taken a step. progress: from 0 to 1 over the run."""


class TwinMethod(SelfSupervisedMethod):
    """A method whose loss compares the projected features of both views, by one and the same network."""

    def __init__(self, projection: nn.Module, compare: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.projection, self._compare = projection, compare

    def loss(self, encoder: nn.Module, first: Tensor, second: Tensor) -> Tensor:
        # Both views in one pass: half the overhead, and batch normalisation sees all of them.
        projected = self.projection(encoder(torch.cat([first, second])))
        with torch.autocast(projected.device.type, enabled=False):
            return self._compare(*projected.float().chunk(2))


def projector(widths: Sequence[int], *, order: str = "norm-relu", last_norm: bool = False) -> nn.Sequential:
    """Linear layers from widths[0] to widths[-1], with batch normalisation and ReLU between them in the order named; batch
    normalisation ends it where `last_norm` is set."""
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(widths), 2):
        is_last = number == len(widths)
        layers.append(nn.Linear(before, after))
        if not is_last:
            norm, relu = nn.BatchNorm1d(after), nn.ReLU()
            layers += [norm, relu] if order == "norm-relu" else [relu, norm]
        elif last_norm:
            layers.append(nn.BatchNorm1d(after))
    return nn.Sequential(*layers)
