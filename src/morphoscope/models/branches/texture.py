"""Texture descriptors as a branch: what a picture's statistics say, learned from a handful of labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TextureBranch(nn.Module):
    """(B, D) descriptors to (B, 128) features. Standardised with the mean and spread of the training pictures."""

    out_features = 128

    def __init__(self, width: int, dropout: float = 0.3, noise: float = 0.2) -> None:
        """noise: standard deviation of the Gaussian noise that training adds to standardised descriptors."""
        super().__init__()
        self.noise = noise
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, self.out_features), nn.GELU(), nn.Dropout(dropout))

    def standardise_by(self, training: Tensor) -> None:
        """Takes mean and spread from the descriptors (N, D) of the training pictures."""
        self.centre = training.mean(0)
        self.spread = training.std(0, correction=0) + 1e-6

    def forward(self, descriptors: Tensor) -> Tensor:
        standard = ((descriptors - self.centre) / self.spread).clamp(-4, 4)
        if self.training:
            standard = standard + self.noise * torch.randn_like(standard)
        return self.layers(standard)
