"""Pictures depend on kind, seed and index alone; every kind draws every size; labels and masks agree."""

from __future__ import annotations

import itertools
import subprocess
import sys
import zlib

import numpy as np
import pytest

from morphoscope.errors import MorphoscopeError
from morphoscope.synthesis import KINDS, Rendered, render
from morphoscope.synthesis.picture import Kind

COUNTING = ("tem-particles", "sem-particles", "particles")


def _checksum(picture: Rendered) -> int:
    parts = [picture.pixels.tobytes(), str(sorted(picture.labels.items())).encode(), str(picture.objects).encode()]
    return zlib.crc32(b"".join(parts))


@pytest.mark.parametrize("kind", KINDS.names())
def test_a_picture_is_the_same_whatever_the_count(kind: str) -> None:
    many = [_checksum(p) for p in render(kind, 4, size=(64, 96), seed=3)]
    assert [_checksum(p) for p in render(kind, 2, size=(64, 96), seed=3, start=2)] == many[2:]
    assert len(set(many)) == 4
    assert _checksum(next(render(kind, 1, size=(64, 96), seed=4))) != many[0]


def test_a_picture_is_the_same_in_another_process() -> None:
    program = (
        "import zlib; from morphoscope.synthesis import render;"
        "print([zlib.crc32(p.pixels.tobytes()) for k in ('sem10', 'accords') for p in render(k, 2, size=64, seed=7)])"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(
        [zlib.crc32(p.pixels.tobytes()) for k in ("sem10", "accords") for p in render(k, 2, size=64, seed=7)]
    )


@pytest.mark.parametrize(("kind", "size"), list(itertools.product(KINDS.names(), [(65, 97), (120, 50), (16, 33)])))
def test_every_kind_draws_odd_and_oblong_pictures(kind: str, size: tuple[int, int]) -> None:
    loaded: Kind = KINDS.load(kind)
    for picture in render(kind, min(loaded.turns, 5), size=size, seed=11):
        assert picture.pixels.shape == size
        assert picture.pixels.dtype == np.uint8
        assert np.ptp(picture.pixels) > 0
        assert set(picture.labels) == set(loaded.tasks)
        for task, name in picture.labels.items():
            assert name in (*loaded.tasks[task], "")


@pytest.mark.parametrize("kind", KINDS.names())
def test_the_instance_map_holds_the_objects_and_nothing_else(kind: str) -> None:
    for picture in render(kind, 6, size=(96, 128), seed=5):
        assert picture.instance_map is not None
        assert picture.instance_map.dtype == np.uint16
        counts = np.bincount(picture.instance_map.ravel(), minlength=1)[1:]
        assert [o.object for o in picture.objects] == list(range(1, len(counts) + 1))
        assert [o.visible_px for o in picture.objects] == counts.tolist()
        if picture.information_bar is not None:
            bar = picture.information_bar
            assert not picture.instance_map[bar.top : bar.top + bar.height].any()


@pytest.mark.parametrize("kind", COUNTING)
def test_the_particle_count_is_that_of_the_visible_instances(kind: str) -> None:
    classes = set()
    for picture in render(kind, 18, size=128, seed=2):
        visible = len(np.unique(picture.instance_map)) - 1
        expected = "" if visible == 0 else "One" if visible == 1 else "Few (2-10)" if visible <= 10 else "Many (>10)"
        assert picture.labels["Particle count"] == expected
        classes.add(expected)
    assert classes >= {"One", "Few (2-10)", "Many (>10)"}


def test_classes_take_turns_and_samples_share_a_class() -> None:
    pictures = list(render("tem-nanowires", 24, size=48, seed=0))
    assert [p.labels["class"] for p in pictures[:4]] == ["bundle", "dispersed", "network", "singular"]
    by_sample = {}
    for picture in pictures:
        by_sample.setdefault(picture.sample, set()).add(picture.labels["class"])
    assert all(len(names) == 1 for names in by_sample.values())
    assert len(by_sample) == 8


def test_nanowire_classes_are_what_was_drawn() -> None:
    from morphoscope.measure.percolation import percolates

    for picture in render("tem-nanowires", 16, size=(128, 160), seed=9):
        assert picture.instance_map is not None
        spans = percolates(picture.instance_map > 0)
        if picture.labels["class"] == "network":
            assert spans
        elif picture.labels["class"] == "dispersed":
            assert not spans
            assert len(picture.objects) > 1
        elif picture.labels["class"] == "singular":
            assert len(picture.objects) == 1


def test_accords_labels_follow_from_the_drawing() -> None:
    for picture in render("accords", 25, size=96, seed=1):
        dots = sum(o.kind == "particle" for o in picture.objects)
        if picture.labels["Image Type"] == "DP":
            assert picture.pixel_size_nm is None
            assert picture.labels["Morphology"] == "NA"
        elif picture.labels["Image Type"] == "BF":
            assert (picture.labels["Nanostructures"] == "No") == (dots == 0)
            assert (picture.labels["Num_particles"] == "None") == (dots == len(picture.objects))
        assert f"_{picture.magnification:.0f}X_" in picture.stem


def test_only_the_scale_tells_the_size_class() -> None:
    scales: dict[str, list[float]] = {}
    for picture in render("sizes", 30, size=64, seed=3):
        sizes = [o.ecd_nm for o in picture.objects if o.ecd_nm is not None]
        limit = 100 if picture.labels["Size class"].startswith("Nano") else 1000
        if picture.labels["Size class"].startswith("Micron"):
            assert np.median(sizes) > limit
        elif sizes:
            assert np.median(sizes) < limit
        assert picture.information_bar is None
        assert picture.pixel_size_nm is not None
        scales.setdefault(picture.labels["Size class"], []).append(picture.pixel_size_nm[0])
    assert (
        np.median(scales["Nano (<100 nm)"]) < np.median(scales["Submicron (100-1000 nm)"]) < np.median(scales["Micron (>1 µm)"])
    )


@pytest.mark.parametrize("kind", ["sem10", "particles"])
def test_sixteen_bits_use_the_whole_depth(kind: str) -> None:
    for picture in render(kind, 2, size=64, bits=16):
        assert picture.pixels.dtype == np.uint16
        assert picture.pixels.max() > 255


def test_difficulty_brings_noise() -> None:
    def noise(difficulty: float) -> float:
        pictures = [p.pixels.astype(float) for p in render("tem-nanowires", 8, size=96, seed=1, difficulty=difficulty, bar=0)]
        return float(np.median([np.median(np.abs(np.diff(p, axis=1))) / p.mean() for p in pictures]))

    assert noise(1.0) > 1.5 * noise(0.0)


def test_an_unknown_kind_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(MorphoscopeError, match=r"no kind of rendered micrograph called 'sem11'.*Did you mean 'sem10'"):
        render("sem11", 1)


@pytest.mark.parametrize(("option", "value"), [("size", 4), ("size", (128, 3)), ("difficulty", 2.0), ("bits", 12), ("bar", -1.0)])
def test_an_impossible_option_is_named(option: str, value: object) -> None:
    with pytest.raises(MorphoscopeError, match=option):
        render("sem10", 1, **{option: value})  # type: ignore[arg-type]
