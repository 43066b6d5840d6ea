"""Pictures with their instance maps as tensors on one device, from which every view is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morphoscope.training.segmentation.targets import ObjectTargets


@dataclass(frozen=True, eq=False)
class SegmentationSamples:
    """N pictures on a common canvas, each in its upper left corner.

    pictures: (N, S, S) uint8. numbers: (N, S, S) int16 object numbers. depth: (N, S, S) uint8. extents: (N, 2) rows and
    columns that are picture. centres (N, K + 1, 2) and sizes (N, K + 1) of the objects, row 0 for the background.
    typical: (N,) median size of the objects in px, NaN without any.
    """

    pictures: Tensor
    numbers: Tensor
    depth: Tensor
    extents: Tensor
    centres: Tensor
    sizes: Tensor
    typical: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def to(self, device: torch.device) -> SegmentationSamples:
        return SegmentationSamples(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def segmentation_samples(pictures: Sequence[np.ndarray], targets: Sequence[ObjectTargets]) -> SegmentationSamples:
    """pictures: (Y, X) uint8 display values, each of its targets' shape."""
    count, side = len(pictures), max(max(picture.shape) for picture in pictures)
    most = max(len(target.sizes) for target in targets) + 1
    canvas = lambda dtype: np.zeros((count, side, side), dtype)  # noqa: E731
    grey, numbers, depth = canvas(np.uint8), canvas(np.int16), canvas(np.uint8)
    centres, sizes = np.zeros((count, most, 2), np.float32), np.ones((count, most), np.float32)
    for row, (picture, target) in enumerate(zip(pictures, targets, strict=True)):
        rows, columns = picture.shape
        grey[row, :rows, :columns], depth[row, :rows, :columns] = picture, target.depth
        numbers[row, :rows, :columns] = target.numbers
        centres[row, 1 : len(target.sizes) + 1], sizes[row, 1 : len(target.sizes) + 1] = target.centres, target.sizes
    extents = np.array([picture.shape for picture in pictures], np.float32)
    typical = np.array([np.median(target.sizes) if len(target.sizes) else np.nan for target in targets], np.float32)
    return SegmentationSamples(*map(torch.from_numpy, (grey, numbers, depth, extents, centres, sizes, typical)))
