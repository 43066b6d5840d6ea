"""What a branch that reads a file of its own provides: an encoder from the file to an array, and a torch module on that array.

The encoder is fitted once a run, on what the files say of themselves (energy range, radius, size) and never on labels; it goes
into the bundle, so training and prediction can't treat a file differently. A picture without the file is an absent row: the
network never shows it to the module, so a module needs no value for "missing".
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from torch import Generator, Tensor, nn

from morphoscope.data.augmentation import Augmentation
from morphoscope.data.preprocessing import Preprocessing


@dataclass(frozen=True, eq=False)
class Reading:
    """What one file holds, small enough to be kept by the thousand: arrays, and facts as plain JSON values."""

    path: Path
    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


@dataclass(frozen=True)
class ChannelEncoder(ABC):
    """A file of the channel to an array of one shape. A frozen dataclass of plain values, which is how it is stored.

    version: counts up when `read` changes, so that what an older one kept in the cache is forgotten. dtype: of what it gives.
    """

    version: ClassVar[int] = 1
    dtype: ClassVar[type[np.generic]] = np.float32

    @staticmethod
    @abstractmethod
    def read(path: Path) -> Reading:
        """What the file holds. Raises MorphoscopeError where it can't be used for this channel."""

    @classmethod
    @abstractmethod
    def fit(cls, facts: Sequence[Mapping[str, Any]], preprocessing: Preprocessing) -> Self:
        """The encoder for a run: facts of its files, at least one; preprocessing: that of the pictures themselves."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one encoded file."""

    @abstractmethod
    def encode(self, reading: Reading) -> np.ndarray:
        """The array of `shape`, finite. Raises MorphoscopeError where the reading doesn't fit the run's other files."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)


class ChannelBranch(nn.Module):
    """Encoded files (B, *shape) to features (B, out_features). Rows must not depend on each other's presence when evaluated."""

    encoder: ClassVar[type[ChannelEncoder]]
    out_features: int

    @staticmethod
    def arguments(encoder: ChannelEncoder, image: Mapping[str, Any]) -> dict[str, Any]:
        """What builds the module again: plain JSON values. image: what builds the image branch."""
        return {"shape": list(encoder.shape)}

    def standardise_by(self, training: Tensor) -> None:
        """Takes what it needs to standardise its input from the training files (N, *shape)."""

    def augmented(self, values: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
        """What training shows in place of encoded files (B, *shape): as another acquisition of the same specimen could be."""
        return values
