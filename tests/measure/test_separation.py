"""Maps become objects: drawn maps of disks, rods and wires that touch."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.measure.separation import ObjectMaps, enlarged, follow_offsets, separate
from morphoscope.scores.instances import match_instances
from morphoscope.training.segmentation.targets import DEPTH_LEVELS, object_targets


def maps_of(numbers: np.ndarray, noise: float = 0.0) -> ObjectMaps:
    """What a perfect segmenter would say of a map; noise: of its depth, and of its offsets in sizes."""
    rng = np.random.default_rng(0)
    target = object_targets(numbers)
    centres = np.vstack([[[0, 0]], target.centres])[target.numbers]
    size = np.r_[1, target.sizes][target.numbers].astype(np.float32)
    inside = numbers > 0
    offsets = (centres - np.stack(np.mgrid[: numbers.shape[0], : numbers.shape[1]], -1)) * inside[..., None]
    offsets = offsets + noise * size[..., None] * rng.standard_normal(offsets.shape)
    depth = target.depth / DEPTH_LEVELS + noise * rng.standard_normal(numbers.shape)
    edge = np.zeros(numbers.shape)
    return ObjectMaps(
        *(part.astype(np.float32) for part in (inside * 0.98 + 0.01, edge, depth, size, *np.moveaxis(offsets, -1, 0)))
    )


def touching_disks() -> np.ndarray:
    y, x = np.mgrid[:120, :200]
    numbers = np.zeros((120, 200), np.int32)
    for index, (cy, cx, radius) in enumerate([(40, 40, 25), (40, 88, 24), (85, 65, 26), (60, 150, 40)], 1):
        numbers[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = index
    return numbers


def rods() -> np.ndarray:
    numbers = np.zeros((90, 160), np.int32)
    for index in range(6):
        numbers[10:80, 10 + 22 * index : 10 + 22 * index + 18 + (index % 2) * 4] = index + 1
    return numbers


@pytest.mark.parametrize("part", [separate, follow_offsets])
@pytest.mark.parametrize("draw", [touching_disks, rods])
@pytest.mark.parametrize("noise", [0.0, 0.04])
def test_objects_that_touch_are_parted(part, draw, noise: float) -> None:
    true = draw()
    assert match_instances(true, part(maps_of(true, noise)), 0.8).average_precision == 1.0


@pytest.mark.parametrize("part", [separate, follow_offsets])
def test_small_and_large_objects_in_one_picture(part) -> None:
    y, x = np.mgrid[:200, :260]
    true = np.where((y - 100) ** 2 + (x - 100) ** 2 <= 80**2, 1, 0)
    for index in range(8):
        true[(y - 12 - 24 * index) ** 2 + (x - 240) ** 2 <= 5**2] = index + 2
    assert match_instances(true, part(maps_of(true)), 0.8).average_precision == 1.0


@pytest.mark.parametrize("part", [separate, follow_offsets])
def test_nothing_is_found_where_nothing_is(part) -> None:
    found = part(maps_of(np.zeros((20, 30), np.int32)))
    assert found.shape == (20, 30)
    assert not found.any()


@pytest.mark.parametrize("part", [separate, follow_offsets])
def test_one_object_fills_the_field(part) -> None:
    assert (part(maps_of(np.ones((40, 50), np.int32))) == 1).all()


def test_enlarged_objects_keep_number_and_share() -> None:
    true = touching_disks()
    larger = enlarged(true, (true > 0).astype(np.float32), (361, 598))
    assert larger.shape == (361, 598)
    assert len(np.unique(larger)) == len(np.unique(true))
    assert (larger > 0).mean() == pytest.approx((true > 0).mean(), rel=0.02)
