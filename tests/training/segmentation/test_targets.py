"""Targets of a segmenter, from drawn instance maps."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.training.segmentation.targets import DEPTH_LEVELS, object_targets


def test_a_disk_is_deepest_in_its_middle_and_touching_objects_are_shallow_where_they_meet() -> None:
    y, x = np.mgrid[:60, :90]
    numbers = np.where((y - 30) ** 2 + (x - 25) ** 2 <= 20**2, 7, 0) + np.where((y - 30) ** 2 + (x - 66) ** 2 <= 20**2, 4, 0)
    found = object_targets(numbers.astype(np.uint16))
    assert set(np.unique(found.numbers)) == {0, 1, 2}
    assert found.depth[30, 25] == found.depth[30, 66] == DEPTH_LEVELS
    assert found.depth[30, 45] <= 0.1 * DEPTH_LEVELS
    assert found.depth[numbers == 0].max() == 0
    by_column = found.centres[np.argsort(found.centres[:, 1])]
    assert by_column == pytest.approx(np.array([[30, 25], [30, 66]]))
    assert found.sizes == pytest.approx(np.full(2, np.sqrt(np.pi) * 20), rel=0.02)


def test_the_border_of_the_picture_is_no_edge_of_an_object() -> None:
    numbers = np.zeros((40, 50), np.uint16)
    numbers[:, :20] = 1
    depth = object_targets(numbers).depth
    assert depth[20, 0] == DEPTH_LEVELS
    assert depth[0, 0] == DEPTH_LEVELS
    assert depth[20, 19] < 0.1 * DEPTH_LEVELS


def test_an_object_that_fills_the_picture_and_one_of_a_pixel() -> None:
    assert (object_targets(np.full((8, 9), 3, np.uint8)).depth == DEPTH_LEVELS).all()
    one = np.zeros((8, 9), np.uint8)
    one[4, 5] = 200
    found = object_targets(one)
    assert found.sizes.tolist() == [1.0]
    assert found.depth[4, 5] == DEPTH_LEVELS


def test_nothing_is_there() -> None:
    found = object_targets(np.zeros((8, 9), np.uint8))
    assert found.centres.shape == (0, 2)
    assert found.sizes.shape == (0,)
