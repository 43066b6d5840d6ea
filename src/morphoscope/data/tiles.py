"""Tiles over a picture, and the working copies of what each of them shows.

Tiles are of one size and overlap, so that what lies on a seam is whole in one of them. Where several tiles show a place, the
one in whose middle it lies counts most.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import MorphoscopeError
from morphoscope.micrograph import Micrograph

OVERLAP = 0.5
"""Of a tile's side: an object of up to half a tile lies whole in one."""
LEAST_PX = 32
MOST_TILES = 20_000
WORTH_TILES = 1.5
"""Times as long as a tile that a picture's longer side must be to be looked at in tiles."""


@dataclass(frozen=True)
class Tiles:
    """Where tiles lie: they begin at each of `tops` and `lefts` and are `height` by `width`, all in px of the picture (Y, X)."""

    shape: tuple[int, int]
    height: int
    width: int
    tops: tuple[int, ...]
    lefts: tuple[int, ...]

    @classmethod
    def cover(cls, shape: tuple[int, int], height: int, width: int, overlap: float = OVERLAP) -> Tiles:
        """As few tiles as cover a picture and overlap by at least that share of their sides, evenly laid. Raises ValueError."""
        if min(*shape, height, width) < 1 or not 0 <= overlap < 1:
            raise ValueError(
                f"tiles of {height} × {width} px that overlap by {overlap} can't cover {shape}; expected sizes above 0."
            )
        height, width = min(height, shape[0]), min(width, shape[1])
        return cls(shape, height, width, _starts(shape[0], height, overlap), _starts(shape[1], width, overlap))

    @property
    def grid(self) -> tuple[int, int]:
        """(R, C)."""
        return len(self.tops), len(self.lefts)

    def windows(self) -> Iterator[tuple[slice, slice]]:
        """Row by row."""
        for top in self.tops:
            for left in self.lefts:
                yield slice(top, top + self.height), slice(left, left + self.width)

    def between(self) -> Tiles:
        """The places that neighbouring tiles share, two by two along each axis that has several: as large as a tile, midway."""
        return dataclasses.replace(self, tops=_midway(self.tops), lefts=_midway(self.lefts))

    def pooled(self, values: np.ndarray) -> np.ndarray:
        """(R', C', …) of a value a tile (R, C, …): at each place of `between`, the mean of the tiles that share it."""
        for axis, count in enumerate(self.grid):
            if count > 1:
                before, after = np.split(np.take(values, [*range(count - 1), *range(1, count)], axis), 2, axis)
                values = (before + after) / 2
        return values

    def stitched(self, values: np.ndarray, shape: tuple[int, int] | None = None) -> np.ndarray:
        """(Y, X) of one value a tile (R, C), sampled at `shape` px over the picture: at each place the mean of the tiles that
        show it, weighed by how far their edge is; beyond all tiles that of the nearest. Never beyond the values; a constant
        stays one."""
        rows, columns = shape or self.shape
        down = _shares(self.tops, self.height, self.shape[0], rows)
        across = _shares(self.lefts, self.width, self.shape[1], columns)
        return down.T @ np.asarray(values, float) @ across


def _starts(length: int, side: int, overlap: float) -> tuple[int, ...]:
    stride = max(1, math.floor(side * (1 - overlap)))
    last = length - side
    count = 1 + math.ceil(last / stride)
    return tuple(round(last * index / max(1, count - 1)) for index in range(count))


def _midway(starts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple((before + after) // 2 for before, after in pairwise(starts)) or starts


def _shares(starts: tuple[int, ...], side: int, length: int, samples: int) -> np.ndarray:
    """(tiles, samples): what each tile of one axis counts at places evenly along it; columns sum to one."""
    places = ((np.arange(samples) + 0.5) * length / samples).clip(starts[0], starts[-1] + side)
    from_start = places[None] - np.array(starts)[:, None]
    from_edge = np.minimum(from_start, side - from_start)
    weights = np.where(from_edge >= 0, from_edge + 1e-6, 0.0)  # a place on a seam still belongs to its tiles
    return weights / weights.sum(0)


@dataclass(frozen=True)
class TypicalView:
    """What a picture that a model was trained on shows: its shorter side in px, and in nm where that is known."""

    side_px: float
    side_nm: float | None = None

    @classmethod
    def of(cls, provenance: Mapping[str, Any], preprocessing: Preprocessing) -> TypicalView:
        """As training recorded it in a bundle's provenance; of models that don't say, the working copies."""
        return cls(**(provenance.get("typical_view") or {"side_px": preprocessing.working_side}))

    def tile_side(self, micrograph: Micrograph) -> int:
        """Side in px of a tile that shows as much: as many nm where both scales are known, else as many px."""
        side = self.side_px
        if self.side_nm and micrograph.pixel_size:
            side = self.side_nm / micrograph.pixel_size.mean_nm
        return max(LEAST_PX, min(round(side), *micrograph.specimen().shape))


def is_worth_tiles(micrograph: Micrograph, side: int) -> bool:
    """Whether a picture shows so much more than a tile that the whole of it hides what is small."""
    return max(micrograph.specimen().shape) >= WORTH_TILES * side


def tiles_of(micrograph: Micrograph, side: int, overlap: float = OVERLAP) -> Tiles:
    """Square tiles over the specimen. Raises MorphoscopeError where they would be too many."""
    rows, columns = micrograph.specimen().shape
    tiles = Tiles.cover((rows, columns), side, side, overlap)
    if math.prod(tiles.grid) > MOST_TILES:
        raise MorphoscopeError(
            f"{micrograph.path.name}: tiles of {side} px would be {math.prod(tiles.grid):,}; expected at most {MOST_TILES:,}. "
            "Choose larger tiles."
        )
    return tiles


def working_copies(preprocessing: Preprocessing, micrograph: Micrograph, tiles: Tiles) -> Iterator[np.ndarray]:
    """Of each tile, as if it were a picture of its own: (y, x) uint8, all of one shape."""
    specimen, whole = micrograph.specimen(), dataclasses.replace(micrograph, information_bar=None)
    for window in tiles.windows():
        yield preprocessing.working_copy(dataclasses.replace(whole, pixels=specimen[window]))
