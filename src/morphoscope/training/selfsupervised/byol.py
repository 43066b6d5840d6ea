"""BYOL: a network foretells what a slow copy of itself sees in another view; no negatives (Grill et al., NeurIPS 2020)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphoscope.training.selfsupervised.method import SelfSupervisedMethod, projector


def byol_loss(foretold: Tensor, seen: Tensor) -> Tensor:
    """Equation 2 of the paper, averaged over rows (B, D): the square distance of the unit vectors, 2 - 2 cosine."""
    return (2 - 2 * F.cosine_similarity(foretold.float(), seen.float(), dim=1)).mean()


class BYOL(SelfSupervisedMethod):
    """The copy follows encoder and projector by an exponential average whose memory grows to the whole run.

    With the views both ways round, the loss is the paper's symmetric one over two."""

    def __init__(
        self,
        width: int,
        widths: Sequence[int] = (1024, 256),
        *,
        order: str = "norm-relu",
        last_norm: bool = False,
        hidden: int = 1024,
        momentum: float = 0.99,
    ) -> None:
        """momentum: of the average at the start."""
        super().__init__()
        self.projection = projector([width, *widths], order=order, last_norm=last_norm)
        self.predictor = projector([widths[-1], hidden, widths[-1]])
        self.slow_projection = copy.deepcopy(self.projection).requires_grad_(False)
        self.slow_encoder: nn.Module | None = None
        self._momentum = momentum

    def follow(self, encoder: nn.Module) -> None:
        """Makes the slow copy of an encoder; called once, before learning begins."""
        self.slow_encoder = copy.deepcopy(encoder).requires_grad_(False)

    def loss(self, encoder: nn.Module, first: Tensor, second: Tensor) -> Tensor:
        if self.slow_encoder is None:
            raise RuntimeError("BYOL.follow must be called before the first loss")
        views = torch.cat([first, second])
        foretold = self.predictor(self.projection(encoder(views)))
        with torch.no_grad():
            seen = self.slow_projection(self.slow_encoder(views))
        with torch.autocast(views.device.type, enabled=False):
            return byol_loss(foretold, torch.cat(seen.chunk(2)[::-1]))

    @torch.no_grad()
    def after_step(self, encoder: nn.Module, progress: float) -> None:
        momentum = 1 - (1 - self._momentum) * (math.cos(math.pi * progress) + 1) / 2
        for slow, quick in ((self.slow_encoder, encoder), (self.slow_projection, self.projection)):
            if slow is None:
                continue
            for slow_weight, weight in zip(slow.parameters(), quick.parameters(), strict=True):
                slow_weight.lerp_(weight, 1 - momentum)
            for slow_statistic, statistic in zip(slow.buffers(), quick.buffers(), strict=True):
                slow_statistic.copy_(statistic)
