"""Objects are found in pictures of any size, in tiles as in one piece, and at the stored resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphoscope.inference.instances import find_instances
from morphoscope.inference.segmentation import LookSettings, ObjectFinder, tiles
from morphoscope.measure.percolation import percolates
from morphoscope.micrograph import InformationBar, Micrograph
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.scores.instances import foreground_iou, match_instances
from morphoscope.synthesis import render


@pytest.fixture(scope="module")
def finder() -> ObjectFinder:
    return ObjectFinder(load_segmenter())


@given(st.integers(30, 900), st.integers(30, 900), st.sampled_from([(256, 64), (128, 32), (200, 50)]))
def test_tiles_cover_every_pixel_and_overlap(rows: int, columns: int, tile: tuple[int, int]) -> None:
    side, overlap = tile
    covered = np.zeros((rows, columns), int)
    for window in tiles((rows, columns), side, overlap):
        assert all(part.start % 2 == 0 for part in window)
        assert covered[window].shape[0] <= side
        assert covered[window].shape[1] <= side
        covered[window] += 1
    assert covered.min() >= 1


def test_rendered_particles_are_found(finder: ObjectFinder) -> None:
    scores = [
        match_instances(one.instance_map, finder.find(one.pixels)).average_precision
        for one in render("sizes", 6, size=(240, 320), seed=99, bar=0.0, difficulty=0.3)
    ]
    assert np.mean(scores) > 0.6


def test_tiles_agree_with_one_piece(finder: ObjectFinder) -> None:
    one = next(render("sizes", 1, size=(420, 560), seed=5, bar=0.0, difficulty=0.3))
    whole = finder.look(one.pixels, 560)
    small = ObjectFinder(load_segmenter(), LookSettings(tile_px=320, overlap_px=96))
    tiled = small.look(one.pixels, 560)
    assert np.mean((whole.foreground > 0.5) == (tiled.foreground > 0.5)) > 0.98


def test_the_information_bar_holds_no_object_and_unequal_pixels_are_respected(finder: ObjectFinder) -> None:
    one = next(render("sizes", 1, size=(300, 300), seed=7, bar=0.0, difficulty=0.3))
    barred = np.vstack([one.pixels, np.zeros((40, 300), np.uint8)])
    micrograph = Micrograph(Path("one.tif"), barred, "drawn", information_bar=InformationBar(300, 40))
    found = find_instances(micrograph, finder)
    assert found.shape == (340, 300)
    assert not found[300:].any()
    assert foreground_iou(one.instance_map, found[:300]) > 0.6


@pytest.mark.parametrize("grey", [np.zeros((50, 70), np.uint8), np.full((9, 400), 255, np.uint8), np.zeros((1, 1), np.uint8)])
def test_empty_and_odd_pictures_give_a_map(finder: ObjectFinder, grey: np.ndarray) -> None:
    found = finder.find(grey)
    assert found.shape == grey.shape
    assert not found.any()


def test_small_objects_of_a_large_picture_are_found(finder: ObjectFinder) -> None:
    """A thousand discs of 1 % of the picture's side: too small for the first look."""
    y, x = np.mgrid[:40, :40] - 20
    disc = np.where(y**2 + x**2 <= 9**2, 170.0, 70.0)
    picture = np.tile(disc, (25, 40)) + np.random.default_rng(0).normal(0, 8, (1000, 1600))
    found = finder.find(picture.clip(0, 255).astype(np.uint8))
    assert found.max() == pytest.approx(1000, rel=0.05)


def test_networks_percolate_in_found_masks_as_in_true_ones(finder: ObjectFinder) -> None:
    for one in render("tem-nanowires", 12, size=256, seed=4321, bar=0.0):
        assert percolates(finder.find(one.pixels) > 0) == percolates(one.instance_map > 0), one.stem
