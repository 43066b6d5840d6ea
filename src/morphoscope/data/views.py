"""Random views of unlabelled micrographs: two of one picture are what self-supervised learning compares.

A view is a square crop at any angle, mirrored or not, with other contrast, brightness and gamma, out of focus or noisy: what
another look at the same specimen could have given. Every picture of a batch gets its own. All is computed on the pictures' device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """Ranges and strengths; 0 switches a change off.

    side: px of the view. crop: smallest and largest side of the crop as a share of the picture's shorter side.
    tone: share of the views whose contrast, brightness and gamma change. blur, noise: share of views blurred, noisy.
    """

    side: int = 112
    crop: tuple[float, float] = (0.45, 1.0)
    rotation_deg: float = 180.0
    flip: bool = True
    tone: float = 0.8
    contrast: float = 0.5
    brightness: float = 0.15
    gamma: float = 0.5
    blur: float = 0.5
    noise: float = 0.5
    dose_noise: float = 0.12
    """Largest standard deviation of shot noise at full brightness, in display values."""

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Views (B, 1, side, side) of display values (B, 1, Y, X) in [0, 1], and the natural log of each one's zoom (B,):
        how many px of the view one px of the picture became, which divides the pixel size."""
        dice = _Dice(len(pictures), generator)
        views, log_zoom = self._cropped(pictures, dice)
        views = self._toned(views, dice)
        return self._shot(self._blurred(views, dice), dice), log_zoom

    def _cropped(self, pictures: Tensor, dice: _Dice) -> tuple[Tensor, Tensor]:
        height, width = pictures.shape[-2:]
        side = dice(*self.crop) * min(height, width)
        pictures = _without_fine_detail(pictures, side / self.side)
        angle = dice(-1, 1) * math.radians(self.rotation_deg)
        mirror = torch.where(dice(0, 1) < 0.5, -1.0, 1.0) if self.flip else torch.ones_like(angle)
        x, y = dice(-1, 1) * (1 - side / width), dice(-1, 1) * (1 - side / height)
        cos, sin = torch.cos(angle), torch.sin(angle)
        # View to picture in affine_grid's coordinates, whose axes both span [-1, 1] whatever the aspect of the picture.
        along_x = torch.stack([cos * mirror * side / width, -sin * side / width, x], 1)
        along_y = torch.stack([sin * mirror * side / height, cos * side / height, y], 1)
        shape = [len(pictures), 1, self.side, self.side]
        grid = F.affine_grid(torch.stack([along_x, along_y], 1), shape, align_corners=False)
        # The corners of a turned crop may lie outside: they show the mirrored specimen rather than a frame to recognise it by.
        views = F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
        return views, torch.log(self.side / side)

    def _toned(self, views: Tensor, dice: _Dice) -> Tensor:
        strength = (dice.maps(0, 1) < self.tone).float()
        mean = views.mean((2, 3), keepdim=True)
        gain = 1 + strength * dice.maps(-1, 1) * self.contrast
        lift = strength * dice.maps(-1, 1) * self.brightness
        gamma = torch.exp(strength * dice.maps(-1, 1) * self.gamma)
        return ((views - mean) * gain + mean + lift).clamp(1e-4, 1).pow(gamma)

    def _blurred(self, views: Tensor, dice: _Dice) -> Tensor:
        amount = torch.where(dice.maps(0, 1) < self.blur, dice.maps(0, 2), 0.0)
        rows = amount.flatten().nonzero()[:, 0]
        some = amount[rows]
        once = _gaussian(views[rows], 1.0)
        twice = _gaussian(once, 1.5)
        blurred = torch.lerp(torch.lerp(views[rows], once, some.clamp(0, 1)), twice, (some - 1).clamp(0, 1))
        return views.index_copy(0, rows, blurred)

    def _shot(self, views: Tensor, dice: _Dice) -> Tensor:
        strength = torch.where(dice.maps(0, 1) < self.noise, dice.maps(0, self.dose_noise), 0.0)
        # Poisson noise of a dose of 1/strength² electrons a pixel at full brightness, as its Gaussian limit.
        return views + strength * views.clamp_min(0.01).sqrt() * dice.grain(views)


def _without_fine_detail(pictures: Tensor, shrinkage: Tensor) -> Tensor:
    """The pictures blurred where they are about to be shrunk (B,) times, so that sampling does not invent detail."""
    rows = (shrinkage > 1).nonzero()[:, 0]
    amount = (shrinkage[rows] - 1).clamp(0, 1)[:, None, None, None]
    return pictures.index_copy(0, rows, torch.lerp(pictures[rows], _gaussian(pictures[rows], 0.7), amount))


def _gaussian(pictures: Tensor, sigma: float) -> Tensor:
    """Pictures (B, 1, Y, X) blurred by a Gaussian of a few pixels, the edge continued."""
    reach = math.ceil(2 * sigma)
    weights = [math.exp(-(offset**2) / (2 * sigma**2)) for offset in range(-reach, reach + 1)]
    for axis in (2, 3):
        padding = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
        padded, length = F.pad(pictures, padding, mode="replicate"), pictures.shape[axis]
        # A sum of shifted pictures: on a processor several times faster than a convolution of one channel.
        pictures = torch.mul(padded.narrow(axis, 0, length), weights[0] / sum(weights))
        for shift, weight in enumerate(weights[1:], 1):
            pictures = pictures.add_(padded.narrow(axis, shift, length), alpha=weight / sum(weights))
    return pictures


class _Dice:
    """Random numbers, one a picture, on the generator's device."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self._count, self._generator = count, generator

    def __call__(self, low: float, high: float) -> Tensor:
        return torch.rand(self._count, generator=self._generator, device=self._generator.device) * (high - low) + low

    def maps(self, low: float, high: float) -> Tensor:
        """The same as (B, 1, 1, 1)."""
        return self(low, high)[:, None, None, None]

    def grain(self, like: Tensor) -> Tensor:
        """Standard normal numbers of a batch's shape."""
        return torch.randn(like.shape, generator=self._generator, device=self._generator.device)
