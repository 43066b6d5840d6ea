"""A picture in tiles: the same question asked of every part of it, and the answers put together as a map.

Tiles are of one size and overlap, so that what lies on a seam is whole in one of them. Where several tiles show a place, the
one in whose middle it lies counts most.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.micrograph import Micrograph

OVERLAP = 0.5
"""Of a tile's side: an object of up to half a tile lies whole in one."""
LEAST_PX = 32
BATCH = 16
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

    def stitched(self, values: np.ndarray, shape: tuple[int, int] | None = None) -> np.ndarray:
        """(Y, X) of one value a tile (R, C), sampled at `shape` px over the picture: at each place the mean of the tiles that
        show it, weighed by how far their edge is. Never beyond the values; a constant stays one."""
        rows, columns = shape or self.shape
        down = _shares(self.tops, self.height, self.shape[0], rows)
        across = _shares(self.lefts, self.width, self.shape[1], columns)
        return down.T @ np.asarray(values, float) @ across


def _starts(length: int, side: int, overlap: float) -> tuple[int, ...]:
    stride = max(1, math.floor(side * (1 - overlap)))
    last = length - side
    count = 1 + math.ceil(last / stride)
    return tuple(round(last * index / max(1, count - 1)) for index in range(count))


def _shares(starts: tuple[int, ...], side: int, length: int, samples: int) -> np.ndarray:
    """(tiles, samples): what each tile of one axis counts at places evenly along it; columns sum to one."""
    places = (np.arange(samples) + 0.5) * length / samples
    from_start = places[None] - np.array(starts)[:, None]
    from_edge = np.minimum(from_start, side - from_start)
    weights = np.where(from_edge >= 0, from_edge + 1e-6, 0.0)  # a place on a seam still belongs to its tiles
    return weights / weights.sum(0)


@dataclass(frozen=True, eq=False)
class TileMap:
    """How probable a class is in each part of a picture: p, novelty (R, C) float, is_found (R, C) bool. Tiles lie in the
    specimen, without an information bar."""

    target: Target
    tiles: Tiles
    p: np.ndarray
    novelty: np.ndarray
    is_found: np.ndarray

    @cached_property
    def best(self) -> tuple[int, int]:
        """Row and column of the tile to look at first: of the found ones, else of all, the most probable."""
        places = np.where(self.is_found, self.p, -1.0) if self.is_found.any() else self.p
        row, column = np.unravel_index(int(places.argmax()), places.shape)
        return int(row), int(column)

    @property
    def best_window(self) -> tuple[slice, slice]:
        """Where that tile lies in the specimen."""
        top, left = self.tiles.tops[self.best[0]], self.tiles.lefts[self.best[1]]
        return slice(top, top + self.tiles.height), slice(left, left + self.tiles.width)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "target": str(self.target),
            "rows": self.tiles.grid[0],
            "columns": self.tiles.grid[1],
            "p": self.p.round(4).tolist(),
            "found": self.is_found.tolist(),
            "tile": {"height": self.tiles.height, "width": self.tiles.width},
            "tops": list(self.tiles.tops),
            "lefts": list(self.tiles.lefts),
            "best": list(self.best),
        }


def tile_side(predictor: Predictor, micrograph: Micrograph) -> int:
    """Side in px of a tile that shows as much as a picture that the model was trained on: as many nm where both scales are
    known, else as many px."""
    preprocessing = predictor.bundle.preprocessing
    view = predictor.bundle.provenance.get("typical_view") or {}
    side = float(view.get("side_px") or preprocessing.working_side)
    if view.get("side_nm") and micrograph.pixel_size:
        side = view["side_nm"] / micrograph.pixel_size.mean_nm
    return max(LEAST_PX, min(round(side), *micrograph.specimen().shape))


def is_worth_tiles(micrograph: Micrograph, side: int) -> bool:
    """Whether a picture shows so much more than a tile that the whole of it hides what is small."""
    return max(micrograph.specimen().shape) >= WORTH_TILES * side


def map_of(
    predictor: Predictor, micrograph: Micrograph, target: Target, side: int | None = None, overlap: float = OVERLAP
) -> TileMap:
    """Asks a model of every tile of the specimen. Each tile is answered as if it were a picture of its own."""
    specimen = micrograph.specimen()
    side = side or tile_side(predictor, micrograph)
    tiles = Tiles.cover((specimen.shape[0], specimen.shape[1]), side, side, overlap)
    whole = dataclasses.replace(micrograph, pixels=specimen, information_bar=None)
    windows = list(tiles.windows())
    p, novelty, is_found = [], [], []
    for start in range(0, len(windows), BATCH):
        parts = [dataclasses.replace(whole, pixels=specimen[window]) for window in windows[start : start + BATCH]]
        answered = predictor.predict_micrographs(parts)
        p.append(target.probability(answered.predictions))
        is_found.append(target.is_found(answered.predictions))
        novelty.append(answered.novelty)
    maps = [np.concatenate(each).reshape(tiles.grid) for each in (p, novelty, is_found)]
    return TileMap(target, tiles, *maps)
