"""Finds the objects of a picture of any size.

A look at the whole field comes first: it tells how large the objects are. Where they appear much smaller or larger than what the
network sees best, a second look is taken at the resolution that suits them, in tiles where that is large. Tiles are joined as
maps, before objects are parted, so that an object on a seam is found whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from morphoscope.data.preprocessing import resample
from morphoscope.measure.separation import ObjectMaps, SeparationSettings, enlarged, separate
from morphoscope.models.segmenter import MAP_STRIDE, STRIDE, Segmenter, read_out


@dataclass(frozen=True)
class LookSettings:
    """All in px of the network's input. overview_px: longest side of the first look. object_px: the size of objects that the
    second look aims at. tile_px, overlap_px: of looks that are larger than a tile."""

    overview_px: int = 384
    object_px: float = 64.0
    least_px: int = 192
    most_px: int = 2048
    tile_px: int = 768
    overlap_px: int = 128
    same_octaves: float = 0.35
    """A second look closer than this to the first one's resolution is spared."""


DEFAULT_LOOKS, DEFAULT_SEPARATION = LookSettings(), SeparationSettings()


class ObjectFinder:
    """A segmenter at work, on pictures of display values."""

    def __init__(
        self,
        network: Segmenter,
        looks: LookSettings = DEFAULT_LOOKS,
        separation: SeparationSettings = DEFAULT_SEPARATION,
        device: torch.device | None = None,
    ) -> None:
        self._device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().to(self._device).to(memory_format=torch.channels_last)
        self._looks, self._separation = looks, separation

    def find(self, grey: np.ndarray, shape: tuple[int, int] | None = None) -> np.ndarray:
        """Instance map int32, 0 = background, of a picture (Y, X) uint8 at square pixels, at its resolution or at `shape`."""
        maps = self.look(grey, self._looks.overview_px)
        side = self.suitable_px(maps, max(grey.shape))
        if abs(math.log2(side / self._longest(maps))) > self._looks.same_octaves:
            maps = self.look(grey, side)
        return enlarged(separate(maps, self._separation), maps.foreground, shape or grey.shape, self._separation.foreground)

    def suitable_px(self, overview: ObjectMaps, longest: int) -> int:
        """Longest side of a picture at which its typical object has the size that the network sees best."""
        looks, weight = self._looks, overview.foreground > 0.5
        if not weight.any():
            return self._longest(overview)
        # Every object counts once, whatever its area.
        sizes = overview.size[weight] * MAP_STRIDE
        order = np.argsort(sizes)
        share = np.cumsum(1 / sizes[order] ** 2)
        typical = sizes[order][np.searchsorted(share, share[-1] / 2)]
        side = self._longest(overview) * looks.object_px / typical
        return int(np.clip(side, looks.least_px, min(looks.most_px, 1.5 * longest)))

    def look(self, grey: np.ndarray, longest: int) -> ObjectMaps:
        """The maps of a picture resampled to a longest side of `longest` px, at half that resolution."""
        zoom = longest / max(grey.shape)
        shape = (max(8, round(grey.shape[0] * zoom)), max(8, round(grey.shape[1] * zoom)))
        picture = resample(grey, shape)
        is_small = max(shape) <= self._looks.tile_px + self._looks.overlap_px
        stack = self._maps(picture) if is_small else self._tiled(picture)
        foreground, edge, depth, size, centre_y, centre_x = stack
        size, centre_y, centre_x = (part / MAP_STRIDE for part in (size, centre_y, centre_x))
        return ObjectMaps(foreground, edge, depth, size, centre_y, centre_x)

    @torch.inference_mode()
    def _maps(self, picture: np.ndarray) -> np.ndarray:
        """(6, Y/2, X/2) float32 of a picture whose sides are filled up to what the network takes."""
        rows, columns = picture.shape
        below, right = -rows % STRIDE, -columns % STRIDE
        filled = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
        batch = torch.from_numpy(filled)[None, None].to(self._device).float() / 255
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            maps = read_out(self._network(batch.contiguous(memory_format=torch.channels_last)))[0]
        return maps[:, : -(-rows // MAP_STRIDE), : -(-columns // MAP_STRIDE)].cpu().numpy()

    def _tiled(self, picture: np.ndarray) -> np.ndarray:
        """The same of a large picture; where tiles overlap, the one in whose middle a pixel lies has more weight."""
        shape = [-(-length // MAP_STRIDE) for length in picture.shape]
        total, weight = np.zeros((6, *shape), np.float32), np.zeros(shape, np.float32)
        for rows, columns in tiles(picture.shape, self._looks.tile_px, self._looks.overlap_px):
            maps = self._maps(picture[rows, columns])
            share = _ramp(maps.shape[1])[:, None] * _ramp(maps.shape[2])
            window = (
                slice(rows.start // MAP_STRIDE, rows.start // MAP_STRIDE + maps.shape[1]),
                slice(columns.start // MAP_STRIDE, columns.start // MAP_STRIDE + maps.shape[2]),
            )
            total[:, *window] += maps * share
            weight[window] += share
        return total / weight

    @staticmethod
    def _longest(maps: ObjectMaps) -> int:
        return max(maps.foreground.shape) * MAP_STRIDE


def tiles(shape: tuple[int, int], side: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """Windows of at most `side` that cover a picture, evenly laid, at even rows and columns, overlapping by at least `overlap`."""
    starts = []
    for length in shape:
        count = max(1, math.ceil((length - overlap) / (side - overlap)))
        last = max(0, length - side)
        starts.append([2 * math.ceil(last * index / max(1, count - 1) / 2) for index in range(count)])
    for top in starts[0]:
        for left in starts[1]:
            yield slice(top, min(top + side, shape[0])), slice(left, min(left + side, shape[1]))


def _ramp(length: int) -> np.ndarray:
    """(length,) weights that rise from the ends to the middle."""
    distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
    return np.minimum(distance / 64, 1).astype(np.float32)
