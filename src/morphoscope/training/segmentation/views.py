"""Views of pictures with their targets: turned, mirrored, zoomed, shifted and exposed anew, a batch at a time on its device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from morphoscope.models.segmenter import MAP_STRIDE, SIZE_UNIT
from morphoscope.training.segmentation.samples import SegmentationSamples
from morphoscope.training.segmentation.targets import DEPTH_LEVELS

LEAST_ZOOM, MOST_ZOOM = 0.25, 3.0
FREE_ZOOM = (-1.2, 1.0)
"""log2 of the zooms of pictures without objects."""


@dataclass(frozen=True, eq=False)
class Views:
    """pictures (B, 1, V, V) in [0, 1]; the rest at half that resolution: is_seen (B, v, v) False beyond the picture's border,
    numbers (B, v, v) int64, depth (B, v, v), size (B, v, v) log2 of SIZE_UNIT, offsets (B, 2, v, v) to the centre in sizes."""

    pictures: Tensor
    is_seen: Tensor
    numbers: Tensor
    depth: Tensor
    size: Tensor
    offsets: Tensor


@dataclass(frozen=True)
class ViewMaker:
    """side: V in px. sizes: typical object sizes in px that views are zoomed to, evenly in their logarithm."""

    side: int = 320
    sizes: tuple[float, float] = (20.0, 180.0)

    def __call__(self, samples: SegmentationSamples, rows: Tensor, generator: torch.Generator) -> Views:
        device = samples.pictures.device
        uniform = lambda low, high: low + (high - low) * torch.rand(len(rows), generator=generator, device=device)  # noqa: E731
        zoom = self._zooms(samples.typical[rows], uniform)
        turn = _turns(uniform(0, 2 * math.pi), uniform(0, 1) < 0.5)
        to_source = turn / zoom[:, None, None]  # (B, 2, 2): a step in the view, in px of the source, (y, x)
        middle = self._middles(samples.extents[rows], zoom, uniform)
        # Shrinking without averaging would turn grain into noise of another kind.
        soft = _blurred(samples.pictures[rows].float(), (0.5 / zoom - 0.35).clamp(0, 2))
        pictures, is_within = self._warped(soft, to_source, middle, self.side, "bilinear", samples.extents[rows])
        fill = samples.pictures[rows].float().sum((1, 2)) / samples.extents[rows].prod(1)
        pictures = torch.where(is_within, pictures, fill[:, None, None]) / 255
        small = self.side // MAP_STRIDE
        warp = lambda source, mode: self._warped(source[rows], to_source, middle, small, mode, samples.extents[rows])  # noqa: E731
        numbers, is_seen = warp(samples.numbers, "nearest")
        numbers = numbers.long() * is_seen
        depth = warp(samples.depth, "nearest")[0] / DEPTH_LEVELS
        size, offsets = self._of_objects(samples, rows, numbers, turn, zoom, middle)
        exposed = _exposed(pictures, uniform, generator)
        return Views(exposed[:, None], is_seen, numbers, depth, size, offsets)

    def _zooms(self, typical: Tensor, uniform: object) -> Tensor:
        low, high = self.sizes
        aimed = torch.exp2(uniform(math.log2(low), math.log2(high))) / typical  # type: ignore[operator]
        free = torch.exp2(uniform(*FREE_ZOOM))  # type: ignore[operator]
        return torch.where(typical.isnan(), free, aimed).clamp(LEAST_ZOOM, MOST_ZOOM)

    def _middles(self, extents: Tensor, zoom: Tensor, uniform: object) -> Tensor:
        """(B, 2) what the view's middle shows, in px of the source: anywhere, but with as little beyond the border as the zoom allows."""
        half = (self.side / 2 / zoom)[:, None]
        room = (extents / 2 - 0.8 * half).clamp(min=0) + 0.1 * half
        shift = torch.stack([uniform(-1, 1), uniform(-1, 1)], 1)  # type: ignore[operator]
        return extents / 2 + room * shift

    def _warped(
        self, source: Tensor, to_source: Tensor, middle: Tensor, side: int, mode: str, extents: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(B, side, side) float values, and which of them lie within the picture."""
        step = self.side / side
        line = (torch.arange(side, device=source.device) + 0.5) * step - self.side / 2
        places = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)  # (side, side, 2) (y, x) in px of the view
        at = torch.einsum("bij,yxj->byxi", to_source, places) + middle[:, None, None]
        length = source.shape[-1]
        grid = (2 * at / length - 1).flip(-1)  # grid_sample wants (x, y) in [-1, 1] over the outer edges
        values = F.grid_sample(source[:, None].float(), grid, mode=mode, padding_mode="border", align_corners=False)[:, 0]
        limits = torch.full((len(source), 2), float(length), device=source.device) if extents is None else extents
        is_within = ((at >= 0) & (at < limits[:, None, None])).all(-1)
        return values, is_within

    def _of_objects(
        self, samples: SegmentationSamples, rows: Tensor, numbers: Tensor, turn: Tensor, zoom: Tensor, middle: Tensor
    ) -> tuple[Tensor, Tensor]:
        flat = numbers.flatten(1)
        sizes = samples.sizes[rows].gather(1, flat).view_as(numbers) * zoom[:, None, None]
        centres = samples.centres[rows].gather(1, flat[..., None].expand(-1, -1, 2))
        # The inverse of a turn or mirror is its transpose.
        seen_at = torch.einsum("bji,bnj->bni", turn, centres + 0.5 - middle[:, None]) * zoom[:, None, None]
        line = (torch.arange(numbers.shape[-1], device=numbers.device) + 0.5) * MAP_STRIDE - self.side / 2
        places = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).flatten(0, 1)
        offsets = (seen_at - places).view(*numbers.shape, 2).movedim(-1, 1) / sizes[:, None]
        return torch.log2(sizes / SIZE_UNIT), offsets


def _turns(angle: Tensor, is_mirrored: Tensor) -> Tensor:
    """(B, 2, 2) rotations, some with a mirror."""
    sign = torch.where(is_mirrored, -1.0, 1.0)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos, -sin * sign], 1), torch.stack([sin, cos * sign], 1)], 1)


def _blurred(pictures: Tensor, sigma: Tensor) -> Tensor:
    """(B, Y, X) pictures, each under a Gaussian of its own width in px up to 2."""
    offsets = torch.arange(-5, 6, device=pictures.device, dtype=torch.float32)
    kernels = torch.exp(-0.5 * (offsets / sigma.clamp(min=1e-2)[:, None]) ** 2)
    kernels /= kernels.sum(1, keepdim=True)
    count = len(pictures)
    along_x = F.conv2d(F.pad(pictures[None], (5, 5, 0, 0), mode="replicate"), kernels[:, None, None], groups=count)
    return F.conv2d(F.pad(along_x, (0, 0, 5, 5), mode="replicate"), kernels[:, None, :, None], groups=count)[0]


def _exposed(pictures: Tensor, uniform: object, generator: torch.Generator) -> Tensor:
    """Contrast, brightness, gamma, inversion, blur and shot noise, as another instrument and operator would have it."""
    draw = lambda low, high: uniform(low, high)[:, None, None]  # type: ignore[operator] # noqa: E731
    mean = pictures.mean((1, 2), keepdim=True)
    pictures = ((pictures - mean) * torch.exp(draw(-0.5, 0.4)) + mean + draw(-0.12, 0.12)).clamp(0, 1)
    pictures = (pictures + 1e-4) ** torch.exp(draw(-0.5, 0.5))
    pictures = torch.where(draw(0, 1) < 0.1, 1 - pictures, pictures)
    blurred = _blurred(pictures, uniform(0.2, 1.6))  # type: ignore[operator]
    pictures = torch.where(draw(0, 1) < 0.35, blurred, pictures)
    noise = torch.randn(pictures.shape, generator=generator, device=pictures.device)
    is_noisy = draw(0, 1) < 0.4
    return (pictures + is_noisy * draw(0.01, 0.12) * noise * (pictures + 0.2).sqrt()).clamp(0, 1)
