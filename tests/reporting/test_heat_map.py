"""Explained copies: the picture as it is, colours where the heat is, words below, and no more than three in a row."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.micrograph import PixelSize
from morphoscope.reporting.heat_map import MAX_SIDE, Panel, evidence_line, explained_copy, heat_over

PICTURE = np.random.default_rng(0).integers(60, 200, size=(120, 160), dtype=np.uint8)


def panel(words: str = "Morphology · Rod 93 %") -> Panel:
    heat = np.zeros(PICTURE.shape, np.float32)
    heat[20:40, 100:140] = 1
    return Panel(words, heat, {"image": 0.7, "texture": 0.3})


def test_cold_places_stay_grey_and_hot_ones_are_bright_yellow() -> None:
    coloured = heat_over(PICTURE, panel().heat)
    cold = panel().heat == 0
    np.testing.assert_array_equal(coloured[cold], np.repeat(PICTURE[cold][:, None], 3, 1))
    red, green, blue = coloured[30, 120].astype(int)
    assert red > 200 and green > 180 and blue < green


def test_the_first_cell_is_the_picture_and_the_next_ones_carry_the_heat() -> None:
    page = np.asarray(explained_copy(PICTURE, [panel()]))
    np.testing.assert_array_equal(page[:120, :160], np.repeat(PICTURE[..., None], 3, 2))
    second = page[:120, -160:].astype(int)
    is_coloured = np.ptp(second, axis=2) > 30
    np.testing.assert_array_equal(is_coloured, panel().heat > 0)


def test_words_and_evidence_stand_on_the_margin() -> None:
    alone, with_task = explained_copy(PICTURE, []), explained_copy(PICTURE, [panel()])
    assert alone.width == 160
    assert np.asarray(with_task)[120:, -160:].max() > 200


def test_four_tasks_take_two_rows_and_large_pictures_shrink() -> None:
    large = np.tile(PICTURE, (6, 6))
    heat = np.zeros(large.shape, np.float32)
    page = explained_copy(large, [Panel("a", heat, {})] * 4, PixelSize(2, 2, "header"))
    assert 3 * MAX_SIDE <= page.width <= 3 * MAX_SIDE + 20
    assert page.height > 2 * MAX_SIDE * 120 / 160


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"image": 1.0}, ""),
        ({"texture": 0.21, "image": 0.79}, "evidence: network 79 %, texture 21 %"),
        ({"image": 0.1, "texture": 0.2, "metadata": 0.7}, "evidence: metadata 70 %, texture 20 %, network 10 %"),
    ],
)
def test_evidence_is_told_by_its_weight(shares: dict[str, float], expected: str) -> None:
    assert evidence_line(shares) == expected
