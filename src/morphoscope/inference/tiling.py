"""The same question asked of every part of a picture, and the answers put together as a map."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from morphoscope.data.tiles import OVERLAP, Tiles, TypicalView, tiles_of, working_copies
from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.micrograph import Micrograph

BATCH = 16


@dataclass(frozen=True, eq=False)
class TileMap:
    """How probable a class is where in a picture: p (R, C) float and is_found (R, C) bool over `places` in the specimen, which
    the tiles around each share. n_tiles: how many were asked."""

    target: Target
    places: Tiles
    p: np.ndarray
    is_found: np.ndarray
    n_tiles: int

    @cached_property
    def best(self) -> tuple[int, int]:
        """Row and column of the place to look at first: of the found ones, else of all, the most probable."""
        considered = np.where(self.is_found, self.p, -1.0) if self.is_found.any() else self.p
        row, column = np.unravel_index(int(considered.argmax()), considered.shape)
        return int(row), int(column)

    def window(self, row: int, column: int) -> tuple[slice, slice]:
        """Where a place lies in the specimen."""
        top, left = self.places.tops[row], self.places.lefts[column]
        return slice(top, top + self.places.height), slice(left, left + self.places.width)


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
        found.append(answered.predictions[target.task].probabilities)
    # One tile in many errs by chance; that all which share a place err alike is rare.
    probabilities = tiles.pooled(np.concatenate(found).reshape(*tiles.grid, -1))
    is_found = target.is_held_by(probabilities, predictor.confidence[target.task].sure_threshold)
    return TileMap(target, tiles.between(), probabilities[..., target.chosen], is_found, math.prod(tiles.grid))


def typical_view(predictor: Predictor) -> TypicalView:
    """What the pictures show that its model was trained on."""
    return TypicalView.of(predictor.bundle.provenance, predictor.bundle.preprocessing)
