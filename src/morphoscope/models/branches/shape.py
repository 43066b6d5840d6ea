"""Measured shape as a branch: how many objects a segmenter finds in a picture, how large, of what shape and how arranged."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ShapeBranch(nn.Module):
    """(B, S) statistics, NaN where one can't be said, to (B, 128) features. Standardised by the training pictures; what is
    missing counts as their mean and raises a flag."""

    out_features = 128

    def __init__(self, width: int, dropout: float = 0.3, noise: float = 0.15) -> None:
        """noise: standard deviation of the Gaussian noise that training adds to standardised statistics."""
        super().__init__()
        self.noise = noise
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * width, self.out_features), nn.GELU(), nn.Dropout(dropout))

    def standardise_by(self, training: Tensor) -> None:
        """Takes mean and spread from the statistics (N, S) of the training pictures, each from those that have it."""
        known = ~training.isnan()
        count = known.sum(0).clamp(min=1)
        values = training.nan_to_num()
        self.centre = values.sum(0) / count
        deviations = torch.where(known, values - self.centre, 0.0)
        spread = (deviations.square().sum(0) / count).sqrt()
        self.spread = torch.where(spread > 1e-6, spread, 1.0)

    def forward(self, statistics: Tensor) -> Tensor:
        missing = statistics.isnan()
        standard = ((statistics - self.centre) / self.spread).clamp(-4, 4)
        if self.training:
            standard = standard + self.noise * torch.randn_like(standard)
        return self.layers(torch.cat([torch.where(missing, 0.0, standard), missing.to(standard)], 1))
