"""Labelled copies: the specimen untouched, the words below it, and a scale bar of true length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphoscope.micrograph import PixelSize
from morphoscope.prediction import ClassPrediction
from morphoscope.reporting import overlay
from morphoscope.reporting.overlay import bar_length_nm, label_lines, labelled_copy
from morphoscope.schema import Task

PICTURE = np.random.default_rng(0).integers(0, 256, size=(120, 200), dtype=np.uint8)


def margin(copy: np.ndarray) -> np.ndarray:
    return np.asarray(copy)[PICTURE.shape[0] :]


def test_the_picture_itself_is_untouched() -> None:
    copy = labelled_copy(PICTURE, ["Morphology · Rod 93 %"], PixelSize(2, 2, "header"))
    np.testing.assert_array_equal(np.asarray(copy)[:120], PICTURE)
    assert copy.width == 200
    assert margin(copy).max() > 200


@pytest.mark.parametrize("y_nm", [0.5, 7.0])
def test_the_scale_bar_is_as_long_as_it_says(y_nm: float) -> None:
    """At 4 nm a pixel, 200 px leave room for 200 nm, which is 50 px across; the height of a pixel does not matter."""
    rows = margin(labelled_copy(PICTURE, [], PixelSize(y_nm, 4.0, "user"))) == 255
    longest = max(np.diff(np.flatnonzero(np.diff(np.r_[0, row, 0])))[::2].max(initial=0) for row in rows)
    assert longest == 50


@settings(deadline=None)
@given(st.integers(32, 5000), st.floats(1e-3, 1e5))
def test_bars_are_round_and_take_a_tenth_to_a_quarter_of_the_width(width_px: int, pixel_nm: float) -> None:
    length = bar_length_nm(width_px, pixel_nm)
    assert f"{length:.0e}"[0] in "125"
    assert 0.099 <= length / (width_px * pixel_nm) <= 0.2501


def test_without_a_scale_there_is_no_bar() -> None:
    assert labelled_copy(PICTURE, ["a"]).height < labelled_copy(PICTURE, ["a"], PixelSize(1, 1, "user")).height
    assert labelled_copy(PICTURE, []).height > 120


def test_long_lines_wrap_within_the_width() -> None:
    one = labelled_copy(PICTURE, ["Sphere"]).height
    many = labelled_copy(PICTURE, ["A class name with many words that goes on and on " + "x" * 90])
    assert many.height > one + 3 * 9
    assert np.asarray(many)[120:, -4:].max() == np.asarray(many)[-1, 0]


def test_without_a_system_font_text_is_drawn_in_plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "_FONTS", ())
    font = overlay._font(12)
    assert overlay._drawable("2 µm Gefüge · α", font) == "2 um Gefuge - ?"
    labelled_copy(PICTURE, ["2 µm Gefüge"], PixelSize(40, 40, "user"))


def test_lines_tell_the_answer_or_what_it_hesitates_between() -> None:
    shape = ClassPrediction(
        Task("Shape", ("Sphere", "Rod", "Wire", "Plate")),
        np.array([[0.05, 0.93, 0.01, 0.01], [0.4, 0.45, 0.1, 0.05], [0.6, 0.3, 0.1, 0.0], [0.3, 0.28, 0.22, 0.2]]),
        np.array([[0, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=bool),
        np.array([True, False, False, False]),
    )
    kind = ClassPrediction(
        Task("Kind", ("Particles", "Nanowires"), is_multilabel=True),
        np.tile([0.9, 0.8], (4, 1)),
        np.ones((4, 2), dtype=bool),
        np.ones(4, dtype=bool),
    )
    assert label_lines([shape, kind], 0) == ["Shape · Rod 93 %", "Kind · Particles + Nanowires 80 %"]
    assert [label_lines([shape], row)[0] for row in (1, 2, 3)] == [
        "Shape · not sure: Rod or Sphere",
        "Shape · not sure: Sphere or Rod",
        "Shape · not sure: Sphere, Rod or Wire",
    ]


def test_a_task_of_one_class_can_be_unsure_too() -> None:
    only = ClassPrediction(Task("Use", ("Yes",)), np.ones((1, 1)), np.ones((1, 1), dtype=bool), np.zeros(1, dtype=bool))
    assert label_lines([only], 0) == ["Use · not sure: Yes"]
