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
from morphoscope.measure.separation import ObjectMaps, SeparationSettings, enlarged, follow_offsets
from morphoscope.models.bfloat16 import bf16_is_native
from morphoscope.models.segmenter import MAP_STRIDE, STRIDE, Segmenter, read_out


@dataclass(frozen=True)
class LookSettings:
    """All in px of the network's input. overview_px: longest side of the first look. object_px: the size of objects that the
    second look aims at. tile_px, overlap_px: of looks that are larger than a tile."""

    overview_px: int = 384
    object_px: float = 36.0
    least_px: int = 96
    most_px: int = 2048
    tile_px: int = 768
    overlap_px: int = 128
    same_octaves: float = 0.35
    """A look closer than this to the last one's resolution is spared."""
    further_looks: int = 3
    least_share: float = 0.002
    """Of the picture: with less foreground than this, objects may be too small to be seen, and the next look is finer."""
    finer: float = 4.0
    most_enlarged: float = 1.5


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
        looks = self._looks
        overview = self.look(grey, round(min(looks.overview_px, looks.most_enlarged * max(grey.shape))))
        maps = self._suitable_look(grey, overview)
        labels = follow_offsets(maps, self._separation)
        return enlarged(labels, _outline(maps.foreground, overview.foreground), shape or grey.shape, self._separation.foreground)

    def _suitable_look(self, grey: np.ndarray, overview: ObjectMaps) -> ObjectMaps:
        """The maps of the first look at which objects have the size that the network sees best, of a few."""
        maps = overview
        for _ in range(self._looks.further_looks):
            seen, wanted = max(maps.foreground.shape) * MAP_STRIDE, self._suitable_px(maps, max(grey.shape))
            if abs(math.log2(wanted / seen)) <= self._looks.same_octaves:
                break
            maps = self.look(grey, wanted)
        return maps

    def _suitable_px(self, maps: ObjectMaps, longest: int) -> int:
        """Longest side of a picture at which the typical object of these maps has the right size; a finer one where there are none."""
        looks, is_object = self._looks, maps.foreground > 0.5
        seen = max(maps.foreground.shape) * MAP_STRIDE
        if np.count_nonzero(is_object) < looks.least_share * is_object.size:
            side = looks.finer * seen
        else:
            # Every object counts once, whatever its area.
            sizes = np.sort(maps.size[is_object]) * MAP_STRIDE
            share = np.cumsum(sizes**-2.0)
            side = seen * looks.object_px / sizes[np.searchsorted(share, share[-1] / 2)]
        return int(np.clip(side, looks.least_px, min(looks.most_px, looks.most_enlarged * longest)))

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
        with torch.autocast(self._device.type, torch.bfloat16, enabled=bf16_is_native()):
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


def _outline(suitable: np.ndarray, overview: np.ndarray) -> np.ndarray:
    """Foreground probability whose edges are as sharp as the finer of two looks at one picture shows them."""
    if max(overview.shape) <= max(suitable.shape):
        return suitable
    return (cv2.resize(suitable, overview.shape[::-1], interpolation=cv2.INTER_LINEAR) + overview) / 2


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
