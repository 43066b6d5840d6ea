"""Tiles cover every pixel, and their answers are put together without seams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphoscope.data.tiles import Tiles

lengths = st.integers(1, 300)
overlaps = st.floats(0, 0.9)


@st.composite
def tilings(draw: st.DrawFn) -> Tiles:
    shape = draw(st.tuples(lengths, lengths))
    return Tiles.cover(shape, draw(st.integers(4, 120)), draw(st.integers(4, 120)), draw(overlaps))


@settings(deadline=None)
@given(tilings())
def test_tiles_are_equal_lie_inside_and_cover_every_pixel(tiles: Tiles) -> None:
    count = np.zeros(tiles.shape, int)
    for window in tiles.windows():
        assert count[window].shape == (tiles.height, tiles.width)
        count[window] += 1
    assert count.min() >= 1
    assert len(list(tiles.windows())) == tiles.grid[0] * tiles.grid[1]


@settings(deadline=None)
@given(st.integers(20, 400), st.integers(8, 60), overlaps)
def test_neighbours_overlap_at_least_as_much_as_asked_for(length: int, side: int, overlap: float) -> None:
    tiles = Tiles.cover((length, side), side, side, overlap)
    for before, after in zip(tiles.tops, tiles.tops[1:], strict=False):
        assert before + tiles.height - after >= min(side - 1, int(overlap * side)) - 1


@settings(deadline=None)
@given(tilings(), st.integers(1, 50), st.integers(1, 50))
def test_stitching_keeps_a_constant_and_never_leaves_the_range(tiles: Tiles, rows: int, columns: int) -> None:
    for shape in (None, (rows, columns)):
        assert tiles.stitched(np.full(tiles.grid, 0.7), shape) == pytest.approx(0.7)
        values = np.random.default_rng(0).random(tiles.grid)
        stitched = tiles.stitched(values, shape)
        assert stitched.shape == (shape or tiles.shape)
        assert values.min() - 1e-9 <= stitched.min() and stitched.max() <= values.max() + 1e-9


def test_the_middle_of_a_tile_that_alone_covers_it_has_its_value() -> None:
    tiles = Tiles.cover((40, 90), 20, 30, 0.0)
    assert tiles.grid == (2, 3)
    values = np.arange(6.0).reshape(2, 3)
    assert tiles.stitched(values)[10::20, 15::30] == pytest.approx(values)


def test_stitching_is_that_of_tile_by_tile_sums() -> None:
    tiles = Tiles.cover((53, 71), 20, 24, 0.5)
    values = np.random.default_rng(1).random(tiles.grid)
    total, weight = np.zeros(tiles.shape), np.zeros(tiles.shape)
    ramp_y, ramp_x = (np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) + 1e-6 for n in (20, 24))
    for window, value in zip(tiles.windows(), values.ravel(), strict=True):
        total[window] += value * np.outer(ramp_y, ramp_x)
        weight[window] += np.outer(ramp_y, ramp_x)
    assert tiles.stitched(values) == pytest.approx(total / weight)


@pytest.mark.parametrize("wrong", [{"height": 0}, {"overlap": 1.0}])
def test_impossible_tiles_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected sizes"):
        Tiles.cover((10, 10), **{"height": 5, "width": 5, "overlap": 0.5} | wrong)  # type: ignore[arg-type]


@settings(deadline=None)
@given(tilings())
def test_places_between_tiles_have_the_mean_of_those_that_share_them(tiles: Tiles) -> None:
    places, values = tiles.between(), np.random.default_rng(0).random((*tiles.grid, 2))
    pooled = tiles.pooled(values)
    assert pooled.shape == (*places.grid, 2) and places.grid == tuple(max(1, count - 1) for count in tiles.grid)
    assert pooled[0, 0] == pytest.approx(values[:2, :2].mean((0, 1)))
    assert pooled[-1, -1] == pytest.approx(values[-2:, -2:].mean((0, 1)))
    assert places.stitched(np.full(places.grid, 0.3)) == pytest.approx(0.3)
