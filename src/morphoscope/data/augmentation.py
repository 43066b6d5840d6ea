"""Random views of micrographs that keep to what a microscope could have taken.

Flips, any rotation, shift and zoom as one resampling of the batch, so that the picture is interpolated once; then
contrast, gamma, defocus blur and shot noise. No hue: there is none. The zoom is returned, since it changes the pixel size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Strengths; 0 switches a change off."""

    rotation_deg: float = 180.0
    flip: bool = True
    """Whether half of the pictures are mirrored left to right."""
    vertical_flip: bool = False
    zoom: float = 0.35
    """Zoom factors are log-uniform in [1/(1 + zoom), 1 + zoom]."""
    shift: float = 0.1
    """Largest shift as a share of the picture's side."""
    shear_deg: float = 0.0
    contrast: float = 0.4
    brightness: float = 0.1
    gamma: float = 0.4
    blur: float = 0.3
    """Share of pictures that are blurred."""
    noise: float = 0.5
    """Share of pictures that receive shot noise."""

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Views (B, 1, Y, X) of display values in [0, 1], and the natural log of each one's zoom (B,), positive where magnified."""
        uniform = _Uniform(len(pictures), generator)
        views, log_zoom = self._resampled(pictures, uniform)
        views = self._toned(views, uniform)
        views = self._blurred(views, uniform)
        return self._shot(views, uniform, generator), log_zoom.to(pictures.device)

    def _resampled(self, pictures: Tensor, uniform: _Uniform) -> tuple[Tensor, Tensor]:
        height, width = pictures.shape[-2:]
        angle = uniform(-1, 1) * math.radians(self.rotation_deg)
        log_zoom = uniform(-1, 1) * math.log1p(self.zoom)
        mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0) if self.flip else torch.ones(len(pictures))
        upright = torch.ones(len(pictures))
        if self.vertical_flip:
            upright = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
        # Numbers are drawn only for what is switched on, so that a seed means the same with and without further changes.
        shear = torch.tan(uniform(-1, 1) * math.radians(self.shear_deg)) if self.shear_deg else torch.zeros(len(pictures))
        cos, sin, scale = torch.cos(angle), torch.sin(angle), torch.exp(-log_zoom)
        # Output to input in affine_grid's coordinates, whose axes both span [-1, 1] whatever the aspect of the picture.
        matrix = torch.stack(
            [
                torch.stack(
                    [cos * mirror * scale, (shear * cos - sin) * upright * scale * height / width, uniform(-1, 1) * self.shift], 1
                ),
                torch.stack(
                    [sin * mirror * scale * width / height, (shear * sin + cos) * upright * scale, uniform(-1, 1) * self.shift], 1
                ),
            ],
            1,
        )
        grid = F.affine_grid(matrix.to(pictures.device), list(pictures.shape), align_corners=False)
        ground = pictures.mean((2, 3), keepdim=True)
        return F.grid_sample(pictures - ground, grid, align_corners=False) + ground, log_zoom

    def _toned(self, views: Tensor, uniform: _Uniform) -> Tensor:
        mean = views.mean((2, 3), keepdim=True)
        gain = torch.exp(uniform.maps(-1, 1) * self.contrast).to(views.device)
        lift = (uniform.maps(-1, 1) * self.brightness).to(views.device)
        gamma = torch.exp(uniform.maps(-1, 1) * self.gamma).to(views.device)
        return ((views - mean) * gain + mean + lift).clamp(1e-4, 1).pow(gamma)

    def _blurred(self, views: Tensor, uniform: _Uniform) -> Tensor:
        share = uniform.maps(0, 1)
        amount = torch.where(share < self.blur, uniform.maps(0, 1), 0.0).to(views.device)
        # A binomial 3x3 kernel mixed in by `amount` is a Gaussian of up to 0.7 px.
        kernel = torch.tensor([1.0, 2.0, 1.0], device=views.device)
        kernel = (kernel[:, None] * kernel / 16)[None, None]
        return torch.lerp(views, F.conv2d(F.pad(views, (1, 1, 1, 1), mode="replicate"), kernel), amount)

    def _shot(self, views: Tensor, uniform: _Uniform, generator: torch.Generator) -> Tensor:
        noisy = uniform.maps(0, 1) < self.noise
        # Poisson noise of a dose of 1/strength² electrons a pixel at full brightness, as its Gaussian limit.
        strength = torch.where(noisy, uniform.maps(0, 0.1), 0.0).to(views.device)
        grain = torch.randn(views.shape, generator=generator).to(views.device)
        return views + strength * views.clamp_min(0.01).sqrt() * grain


class _Uniform:
    """Uniform numbers, one a picture, from a generator on the CPU so that a seed means the same on every device."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self._count, self._generator = count, generator

    def __call__(self, low: float, high: float) -> Tensor:
        return torch.rand(self._count, generator=self._generator) * (high - low) + low

    def maps(self, low: float, high: float) -> Tensor:
        return self(low, high)[:, None, None, None]
