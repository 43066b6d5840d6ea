"""An electron-diffraction pattern as a branch, however the crystal lies: profiles along the radius, none along the angle.

About the pattern's centre, each ring of radius is reduced to its mean, its brightest part, and the magnitudes of its angular
Fourier orders 2, 4, 6, 8 and 12, which a rotation of the specimen leaves as they are; odd orders vanish for a thin crystal. The
radius is in 1/nm where most patterns of the run are calibrated, else logarithmic in pixels, where another camera length is a shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Generator, Tensor, nn

from morphoscope.data.augmentation import Augmentation
from morphoscope.data.preprocessing import Preprocessing, resample
from morphoscope.errors import ReadError
from morphoscope.io.read import read
from morphoscope.measure.diffraction import find_centre, levels, polar
from morphoscope.models.branches.channel import ChannelBranch, ChannelEncoder, Reading

WORKING_SIDE = 512
RADII = 160
ORDERS = (2, 4, 6, 8, 12)
PER_NM, LOG_PIXELS = "1/nm", "log pixels"
MOST_PER_NM = 14.0
SMALLEST_LOG_RADIUS = 0.03
"""Of the furthest radius, where the logarithmic axis begins."""
_SMOOTH_RADII = 6.0
_BRIGHTEST = 97.0


@dataclass(frozen=True)
class DiffractionEncoder(ChannelEncoder):
    """The axis of radius: `unit`, its end, and the number of steps."""

    unit: str
    end: float
    radii: int = RADII

    @staticmethod
    def read(path: Path) -> Reading:
        """The pattern about its centre, in polar coordinates."""
        micrograph = read(path)
        stored = np.nan_to_num(micrograph.specimen().astype(np.float32))
        zoom = min(1.0, WORKING_SIDE / max(stored.shape))
        shape = (max(1, round(stored.shape[0] * zoom)), max(1, round(stored.shape[1] * zoom)))
        pixels = resample(stored, shape)
        if min(pixels.shape) < 32 or np.ptp(pixels) == 0:
            raise ReadError(
                f"{path}: found {micrograph.pixels.shape[0]} × {micrograph.pixels.shape[1]} pixels from {pixels.min():g} to "
                f"{pixels.max():g}; expected a diffraction pattern of at least 32 pixels a side. Name the pattern's own file."
            )
        centre = find_centre(pixels)
        rings = polar(levels(pixels), centre)
        per_nm = micrograph.reciprocal_per_nm
        facts = {"per_nm": per_nm / zoom if per_nm else None, "rings": len(rings), "centre": [centre[0] / zoom, centre[1] / zoom]}
        return Reading(path, {"rings": rings.astype(np.float16)}, facts)

    @classmethod
    def fit(cls, facts: Sequence[Mapping[str, Any]], preprocessing: Preprocessing) -> DiffractionEncoder:
        """To the median of how far the patterns reach, at most MOST_PER_NM, beyond which little is left of any."""
        calibrated = [one["rings"] * one["per_nm"] for one in facts if one["per_nm"]]
        if 2 * len(calibrated) > len(facts):
            return cls(PER_NM, min(MOST_PER_NM, float(np.median(calibrated))))
        return cls(LOG_PIXELS, float(np.median([one["rings"] for one in facts])))

    @property
    def shape(self) -> tuple[int, ...]:
        return 3 + len(ORDERS), self.radii

    def encode(self, reading: Reading) -> np.ndarray:
        """(3 + orders, radii) float32: mean, mean without its slow fall, brightest part, and the magnitude of each order."""
        rings = self._resampled(reading)
        known = ~np.isnan(rings)
        share = known.mean(1)
        mean = np.where(share > 0, np.nansum(rings, 1) / np.maximum(known.sum(1), 1), 0)
        flat = np.where(known, rings - mean[:, None], 0)
        orders = np.abs(np.fft.rfft(flat, axis=1))[:, ORDERS] / np.maximum(known.sum(1), 1)[:, None]
        seen = share > 0
        bright = np.zeros_like(mean)
        bright[seen] = np.nanpercentile(rings[seen], _BRIGHTEST, axis=1) - mean[seen]
        rest = mean - gaussian_filter1d(mean, _SMOOTH_RADII)
        return np.stack([mean, 5 * rest, bright, *(4 * orders.T)]).astype(np.float32)

    def _resampled(self, reading: Reading) -> np.ndarray:
        """The rings (R, angles) at the radii of the axis; NaN beyond the picture."""
        rings = reading.arrays["rings"].astype(np.float32)
        if self.unit == PER_NM:
            per_nm = reading.facts["per_nm"]
            if not per_nm:
                raise ReadError(
                    f"{reading.path}: the diffraction pattern has no scale; expected 1/nm a pixel, as the others of its column have. "
                    "Write the scale into the file, or remove it from all of them."
                )
            at = np.linspace(0, self.end, self.radii) / per_nm
        else:
            at = self.end * np.geomspace(SMALLEST_LOG_RADIUS, 1, self.radii)
        below = np.floor(at).astype(int)
        part = (at - below)[:, None].astype(np.float32)
        padded = np.vstack([rings, np.full((1, rings.shape[1]), np.nan, np.float32)])
        last = len(rings)
        return padded[np.minimum(below, last)] * (1 - part) + padded[np.minimum(below + 1, last)] * part


class DiffractionBranch(ChannelBranch):
    """Convolutions along the radius, then a layer that knows which spacing is which."""

    encoder = DiffractionEncoder
    out_features = 64
    MOST_SHIFT, NOISE = 1, 0.1

    def __init__(self, shape: Sequence[int], dropout: float = 0.3) -> None:
        super().__init__()
        channels, radii = shape
        self.register_buffer("centre", torch.zeros(channels, radii))
        self.register_buffer("spread", torch.ones(channels, 1))
        self.rings = nn.Sequential(
            nn.Conv1d(channels, 24, 7, padding=3), nn.GELU(), nn.Conv1d(24, 16, 5, stride=2, padding=2), nn.GELU()
        )
        with torch.no_grad():
            width = self.rings(torch.zeros(1, channels, radii)).numel()
        self.spacings = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(width, self.out_features), nn.GELU(), nn.Dropout(dropout)
        )

    def standardise_by(self, training: Tensor) -> None:
        self.centre = training.mean(0)
        self.spread = (training - self.centre).square().mean((0, 2)).sqrt()[:, None] + 1e-6

    def forward(self, patterns: Tensor) -> Tensor:
        return self.spacings(self.rings(((patterns - self.centre) / self.spread).clamp(-8, 8)))

    def augmented(self, values: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
        """A camera length off by a step of radius, and noise."""
        count, channels, radii = values.shape
        shift = torch.randint(-self.MOST_SHIFT, self.MOST_SHIFT + 1, (count, 1, 1), generator=generator)
        index = (torch.arange(radii) + shift).clamp(0, radii - 1).expand(count, channels, radii)
        noise = self.NOISE * torch.randn(values.shape, generator=generator)
        return values.gather(2, index.to(values.device)) + noise.to(values.device) * self.spread
