"""The small network between features and a self-supervised loss; thrown away afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def projector(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers from widths[0] to widths[-1], batch normalisation and ReLU between them and neither at the end."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
