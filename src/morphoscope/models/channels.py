"""The channels of a model: which column names their files, and the encoder that turns a file into what the branch takes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.data.cache import PictureCache, cache_folder, content_hash
from morphoscope.errors import ReadError
from morphoscope.models.branches import BRANCHES, kind_of
from morphoscope.models.branches.channel import ChannelBranch, ChannelEncoder, Reading

CACHE_BYTES = 2 * 2**30


def branch_type(channel: str) -> type[ChannelBranch]:
    """The branch that reads a channel such as `spectrum` or `picture:BSE`."""
    kind: type[ChannelBranch] = BRANCHES.load(kind_of(channel))
    return kind


@dataclass(frozen=True)
class Channel:
    """Part of the bundle. column: of the sheets that the model was trained with."""

    name: str
    column: str
    encoder: ChannelEncoder

    def absent(self) -> np.ndarray:
        """Stands where a picture has no such file; the network never looks at it."""
        return np.zeros(self.encoder.shape, self.encoder.dtype)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"column": self.column, "encoder": self.encoder.to_dict()}

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> Channel:
        return cls(name, data["column"], branch_type(name).encoder.from_dict(data["encoder"]))


class ChannelReader:
    """Reads channel files; what they hold is kept in the cache by content."""

    def __init__(self, cache: PictureCache | None = None) -> None:
        self._cache = cache or PictureCache(cache_folder() / "channels", CACHE_BYTES)

    def read(self, channel: str, path: Path) -> Reading:
        """What a file of the channel holds. Raises MorphoscopeError."""
        encoder = branch_type(channel).encoder
        try:
            digest = content_hash(path)
        except OSError as error:
            raise ReadError(
                f"{path}: can't be opened ({error.strerror or error}); expected a readable file. Check its rights."
            ) from None
        key = hashlib.sha256(f"{kind_of(channel)} {encoder.version} {path.suffix} {digest}".encode()).hexdigest()
        if stored := self._cache.get(key):
            return Reading(path, *stored)
        reading = encoder.read(path)
        self._cache.put(key, reading.arrays, reading.facts)
        return reading

    def encoded(self, channel: Channel, path: Path) -> np.ndarray:
        """What the channel's branch takes of a file. Raises MorphoscopeError."""
        return channel.encoder.encode(self.read(channel.name, path))

    def shrink(self) -> None:
        """Keeps the cache within its bound."""
        self._cache.shrink()
