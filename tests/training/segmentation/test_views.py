"""Views of a picture keep pixels and targets together, however they are turned, mirrored and zoomed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphoscope.models.segmenter import MAP_STRIDE, SIZE_UNIT
from morphoscope.training.segmentation.losses import edges, segmentation_losses, total_loss
from morphoscope.training.segmentation.samples import SegmentationSamples, segmentation_samples
from morphoscope.training.segmentation.targets import object_targets
from morphoscope.training.segmentation.views import ViewMaker, Views


@pytest.fixture(scope="module")
def samples() -> SegmentationSamples:
    """Two pictures of other sizes whose objects are white on black."""
    maps = []
    for shape in ((90, 140), (120, 80)):
        numbers = np.zeros(shape, np.uint8)
        numbers[10:40, 12:42], numbers[50:80, 30:70] = 1, 2
        maps.append(numbers)
    return segmentation_samples([(numbers > 0).astype(np.uint8) * 255 for numbers in maps], [object_targets(m) for m in maps])


@pytest.fixture(scope="module")
def views(samples: SegmentationSamples) -> Views:
    generator = torch.Generator().manual_seed(3)
    return ViewMaker(side=96, sizes=(20, 60))(samples, torch.tensor([0, 1] * 8), generator)


def test_bright_pixels_are_where_the_objects_are(views: Views) -> None:
    bright = torch.nn.functional.avg_pool2d(views.pictures, MAP_STRIDE)[:, 0]
    for picture, numbers, seen in zip(bright, views.numbers, views.is_seen, strict=True):
        inside, outside = (numbers > 0) & ~edges(numbers[None])[0], (numbers == 0) & seen
        if inside.sum() > 50 and outside.sum() > 50:
            low, high = sorted((float(picture[inside].median()), float(picture[outside].median())))
            assert high - low > 0.2  # one view in ten is a negative


def test_offsets_lead_to_the_centre(views: Views) -> None:
    """All pixels of an object point to the same place, by the object's apparent size."""
    count = 0
    for numbers, offsets, size in zip(views.numbers, views.offsets, views.size, strict=True):
        for number in (1, 2):
            inside = numbers == number
            if inside.sum() < 50:
                continue
            places = torch.stack(torch.meshgrid(*[torch.arange(48.0) * MAP_STRIDE + 1] * 2, indexing="ij"))
            scale = SIZE_UNIT * 2 ** float(size[inside][0])
            aims = (places + offsets * scale)[:, inside]
            assert aims.std(1).max() < 0.1
            count += 1
    assert count > 10


def test_size_is_the_apparent_one(views: Views) -> None:
    for numbers, size in zip(views.numbers, views.size, strict=True):
        inside = numbers == 2
        whole = inside.any() and not (inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any())
        if whole:
            apparent = MAP_STRIDE * np.sqrt(int(inside.sum()))
            assert SIZE_UNIT * 2 ** float(size[inside][0]) == pytest.approx(apparent, rel=0.12)


def test_beyond_the_border_there_is_neither_object_nor_ground(views: Views) -> None:
    assert (~views.is_seen).any()
    assert not views.numbers[~views.is_seen].any()


def test_the_same_seed_gives_the_same_views(samples: SegmentationSamples) -> None:
    first, second = (ViewMaker(64)(samples, torch.tensor([0, 1]), torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first.pictures, second.pictures)


def test_perfect_maps_have_no_loss_and_others_have(views: Views) -> None:
    inside = views.numbers > 0
    sure = lambda truth: torch.where(truth, 12.0, -12.0)  # noqa: E731
    depth = torch.logit(views.depth.clamp(1e-6, 1 - 1e-6))
    perfect = torch.stack([sure(inside), sure(edges(views.numbers)), depth, views.size, *views.offsets.unbind(1)], 1)
    assert total_loss(segmentation_losses(perfect, views)) < 0.02
    assert total_loss(segmentation_losses(torch.zeros_like(perfect), views)) > 0.5
    unseen = perfect.clone()
    unseen[:, 0][~views.is_seen] = 12.0  # what lies beyond the border is nobody's fault
    assert total_loss(segmentation_losses(unseen, views)) < 0.02
