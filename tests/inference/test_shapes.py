"""Shape statistics of pictures: measured anew, except for the pictures that the segmenter learned from."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from morphoscope.data.cache import PictureCache
from morphoscope.data.duplicates import perceptual_hash
from morphoscope.data.preparation import OutOfTimeError
from morphoscope.inference.shapes import PACE_PICTURES, ShapeReader, Shown, cross_fitted, fingerprint, has_objects, with_scale
from morphoscope.measure.shape_statistics import STATISTIC_NAMES, shape_statistics
from morphoscope.synthesis import render


def spheres(seed: int) -> np.ndarray:
    return next(render("sizes", 1, size=(200, 260), seed=seed, bar=0.0)).pixels


@pytest.fixture
def shape_reader(tmp_path: Path) -> ShapeReader:
    return ShapeReader(PictureCache(tmp_path))


def test_a_picture_is_measured_once(shape_reader: ShapeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = spheres(1)
    shown = Shown(picture, None, perceptual_hash(picture))
    first = shape_reader.read(shown)
    assert first.shape == (len(STATISTIC_NAMES),)
    assert has_objects(first[None]).all()
    monkeypatch.setattr(shape_reader._finder, "find", None)
    assert np.array_equal(shape_reader.read(shown), first, equal_nan=True)


def test_the_scale_adds_sizes_in_nm_and_changes_nothing_else() -> None:
    numbers = np.zeros((100, 150), np.uint16)
    numbers[10:40, 20:50], numbers[60:80, 100:120] = 1, 2
    spacing = (2.5, 2.5)
    added = with_scale(shape_statistics(numbers), numbers.shape, spacing)
    assert added == pytest.approx(shape_statistics(numbers, spacing), rel=1e-4, nan_ok=True)


def test_the_pictures_that_trained_the_segmenter_are_recognised_in_other_files(
    shared_data: Path,
) -> None:
    path = shared_data / "emps" / "images" / "00655d9628.png"
    if not path.is_file():
        pytest.skip(f"no EMPS pictures: {path} does not exist")
    known = cross_fitted()
    picture = np.asarray(Image.open(path).convert("L"))
    smaller = np.asarray(Image.fromarray(picture).resize((400, 400 * picture.shape[0] // picture.shape[1]), Image.Resampling.BOX))
    other_grey = (picture * 0.7 + 20).astype(np.uint8)
    for copy in (picture, smaller, other_grey):
        assert known.statistics_of(perceptual_hash(copy)) is not None


def test_other_pictures_are_not_taken_for_them() -> None:
    known = cross_fitted()
    assert known.statistics.shape == (len(known.fingerprints), len(STATISTIC_NAMES))
    for seed in range(20):
        assert known.statistics_of(perceptual_hash(spheres(seed))) is None


def test_a_fingerprint_tells_alike_from_unlike() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(-80, 80, (2, 64, 64)).astype(np.int8)
    nearly = np.clip(one + rng.normal(0, 10, one.shape), -126, 126).astype(np.int8)
    differing = lambda a, b: int(np.bitwise_count(fingerprint(a) ^ fingerprint(b)).sum())  # noqa: E731
    assert differing(one, nearly) < 50
    assert 200 < differing(one, other) < 312


def test_a_folder_that_would_take_too_long_is_left_out_and_what_was_measured_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PictureCache(tmp_path)
    shown = [Shown(np.full((40, 50), level, np.uint8), None, np.zeros((64, 64), np.int8)) for level in range(40)]
    reader = ShapeReader(cache)
    monkeypatch.setattr(reader._finder, "find", lambda grey: (time.sleep(0.01), np.ones(grey.shape, np.int32))[1])
    with pytest.raises(OutOfTimeError):
        reader.read_all([lambda one=one: one for one in shown], lambda done: None, time.monotonic() + 0.05)
    assert PACE_PICTURES <= len(list(tmp_path.rglob("*.npz"))) < 40
    rows = reader.read_all([lambda one=one: one for one in shown], lambda done: None)
    assert rows.shape == (40, len(STATISTIC_NAMES))
