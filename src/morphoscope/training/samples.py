"""The pictures of a run as tensors: what every branch takes, and the truth of every task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from morphoscope.models.network import Batch


@dataclass(frozen=True, eq=False)
class Samples:
    """canvases (N, Y, X) uint8, possibly mapped from disk; vectors: (N, …) a further branch; truths: (N, C) bool a task; absent:
    (N,) bool a channel, the rows without it."""

    canvases: np.ndarray
    vectors: dict[str, np.ndarray]
    truths: list[np.ndarray]
    absent: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.canvases)

    def rows(self, indices: np.ndarray) -> Rows:
        """Some rows as tensors."""
        order = np.asarray(indices)
        return Rows(
            torch.from_numpy(self.canvases[order])[:, None],
            {name: torch.from_numpy(values[order]) for name, values in self.vectors.items()},
            [torch.from_numpy(truth[order]) for truth in self.truths],
            {name: torch.from_numpy(values[order]) for name, values in self.absent.items()},
        )


@dataclass
class Rows:
    """A batch before it is augmented: pictures (B, 1, Y, X) uint8, vectors (B, …), truths (B, C), absent (B,) a channel."""

    pictures: Tensor
    vectors: dict[str, Tensor]
    truths: list[Tensor]
    absent: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pictures)

    def to(self, device: torch.device) -> Rows:
        """The same on another device."""
        return Rows(
            self.pictures.to(device, non_blocking=True),
            {name: vector.to(device, non_blocking=True) for name, vector in self.vectors.items()},
            [truth.to(device, non_blocking=True) for truth in self.truths],
            {name: rows.to(device, non_blocking=True) for name, rows in self.absent.items()},
        )

    def batch(self) -> Batch:
        """What the network takes, unaugmented."""
        return Batch({"image": display_values(self.pictures), **self.vectors}, dict(self.absent))


def display_values(pictures: Tensor) -> Tensor:
    """uint8 to float display values in [0, 1]."""
    return pictures.float() / 255


class _RowDataset(Dataset[Rows]):
    """Whole batches at once, which costs one gather instead of one call a picture."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def __getitems__(self, indices: list[int]) -> Rows:
        return self._samples.rows(np.array(indices))


def loader(samples: Samples, batches: list[np.ndarray]) -> DataLoader[Rows]:
    """Rows in the given batches of indices."""
    return DataLoader(_RowDataset(samples), batch_sampler=[b.tolist() for b in batches], collate_fn=_as_it_is)


def _as_it_is(rows: Any) -> Any:
    return rows


def shuffled_batches(indices: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Full batches in an order that only seed and epoch decide, so that a resumed run sees what it would have seen."""
    order = np.random.default_rng([seed, epoch]).permutation(indices)
    count = max(1, len(order) // batch_size)
    return np.array_split(order[: count * batch_size], count)


def ordered_batches(indices: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """All of the indices, in order."""
    return [indices[i : i + batch_size] for i in range(0, len(indices), batch_size)]
