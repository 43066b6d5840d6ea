"""One softmax layer learned by Adam, as Lu et al. (Digital Discovery 2022, 1, 816) put on frozen features."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LEARNING_RATE, BATCH, MAX_EPOCHS, PATIENCE = 1e-3, 4, 300, 10


def softmax(rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, asked: np.ndarray, n_classes: int, seed: int) -> np.ndarray:
    """Logits of the layer after the published number of epochs, without a look at other labels than those it learns from."""
    scale = rows.shape[1] ** 0.5  # to a spread of one a feature, which Adam's rate is meant for
    layer, _ = _learned(scale * rows, labels, n_classes, seed, None)
    with torch.no_grad():
        return layer(torch.from_numpy(scale * asked).float()).numpy()


def published_softmax(
    rows: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray, n_classes: int, seed: int
) -> np.ndarray:
    """The same stopped where it answers the asked rows best, by their own truth: what was published, and optimistic."""
    _, best = _learned(rows, labels, n_classes, seed, (asked, truth))
    return best


def _learned(
    rows: np.ndarray, labels: np.ndarray, n_classes: int, seed: int, watched: tuple[np.ndarray, np.ndarray] | None
) -> tuple[nn.Linear, np.ndarray]:
    """The layer, and the logits of the watched rows at the epoch of their lowest loss."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(rows).float(), torch.from_numpy(labels).long()
    layer = nn.Linear(rows.shape[1], n_classes)
    nn.init.normal_(layer.weight, std=rows.shape[1] ** -0.5, generator=generator)
    nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(layer.parameters(), LEARNING_RATE)
    lowest, best, waited = float("inf"), np.zeros((0, n_classes)), 0
    asked = None if watched is None else torch.from_numpy(watched[0]).float()
    truth = None if watched is None else torch.from_numpy(watched[1]).long()
    for _ in range(MAX_EPOCHS):
        for some in torch.randperm(len(x), generator=generator).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(layer(x[some]), y[some]).backward()
            optimizer.step()
        with torch.no_grad():
            logits = layer(x if asked is None else asked)
            loss = float(F.cross_entropy(logits, y if truth is None else truth))
        waited = 0 if loss < lowest else waited + 1
        if loss < lowest:
            lowest, best = loss, logits.numpy().copy()
        if waited >= PATIENCE:
            break
    return layer, best
