"""The same question asked of every part of a picture, and the answers put together as a map."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from morphoscope.data.tiles import OVERLAP, Tiles, TypicalView, tiles_of, working_copies
from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.micrograph import Micrograph

BATCH = 16


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


def map_of(
    predictor: Predictor, micrograph: Micrograph, target: Target, side: int | None = None, overlap: float = OVERLAP
) -> TileMap:
    """Asks a model of every tile of the specimen. Raises MorphoscopeError where they would be too many."""
    tiles = tiles_of(micrograph, side or typical_view(predictor).tile_side(micrograph), overlap)
    copies = working_copies(predictor.bundle.preprocessing, micrograph, tiles)
    return map_of_copies(predictor, micrograph, target, tiles, copies)


def map_of_copies(
    predictor: Predictor, micrograph: Micrograph, target: Target, tiles: Tiles, copies: Iterable[np.ndarray]
) -> TileMap:
    """The same from the tiles' working copies. Of the micrograph only what is known is used, not its pixels."""
    nothing = np.broadcast_to(np.zeros((), micrograph.pixels.dtype), (tiles.height, tiles.width))
    part = dataclasses.replace(micrograph, pixels=nothing, information_bar=None)
    left, found = iter(copies), []
    while some := list(islice(left, BATCH)):
        answered = predictor.answer([(part.path, predictor.see(part, working=copy)) for copy in some])
        said = answered.predictions
        found.append((target.probability(said), answered.novelty, target.is_found(said)))
    p, novelty, is_found = (np.concatenate(parts).reshape(tiles.grid) for parts in zip(*found, strict=True))
    return TileMap(target, tiles, p, novelty, is_found)


def typical_view(predictor: Predictor) -> TypicalView:
    """What the pictures show that its model was trained on."""
    return TypicalView.of(predictor.bundle.provenance, predictor.bundle.preprocessing)
