"""A spectrum as a branch: X-ray (EDX/EDS) or energy-loss counts on one energy axis for the whole run.

Counts are shared out over the bins of the axis by overlap, so none is lost or made up; divided by their sum, since the dose says
nothing of the specimen; and their square root is taken, which gives bins of few and of many counts the same noise (Bartlett 1936).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from morphoscope.data.augmentation import Augmentation
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import ReadError
from morphoscope.io.spectra import read_spectrum
from morphoscope.models.branches.channel import ChannelBranch, ChannelEncoder, Reading

BINS = 1024
X_RAY_FROM_KEV, X_RAY_RANGE_KEV = 0.1, 2.0
"""A range that reaches further is one of X-rays, whose detectors show their own noise below 0.1 keV."""
MIN_OVERLAP = 0.25
"""Share of the axis that a spectrum must cover."""


@dataclass(frozen=True)
class SpectrumEncoder(ChannelEncoder):
    """The energy axis: `bins` of equal width from `low_kev` to `high_kev`."""

    low_kev: float
    high_kev: float
    bins: int = BINS

    @staticmethod
    def read(path: Path) -> Reading:
        spectrum = read_spectrum(path)
        if spectrum.energy_kev is None:
            raise ReadError(
                f"{path}: the spectrum has {len(spectrum.counts)} channels and no energy axis; expected energies in eV or keV. Export it "
                "with its calibration: XPERCHAN, OFFSET and XUNITS in an .msa file, or a column of energies in a table."
            )
        energy = spectrum.energy_kev
        facts = {"low_kev": float(energy[0]), "high_kev": float(energy[-1])}
        return Reading(path, {"counts": spectrum.counts.clip(min=0), "energy_kev": energy}, facts)

    @classmethod
    def fit(cls, facts: Sequence[Mapping[str, Any]], preprocessing: Preprocessing) -> SpectrumEncoder:
        """The median of where the spectra begin and of where they end."""
        low = float(np.median([one["low_kev"] for one in facts]))
        high = float(np.median([one["high_kev"] for one in facts]))
        return cls(max(low, X_RAY_FROM_KEV) if high - low > X_RAY_RANGE_KEV else low, high)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.bins,)

    def encode(self, reading: Reading) -> np.ndarray:
        """(bins,) float32: square roots of shares of the counts, whose mean square is 1."""
        energy, counts = reading.arrays["energy_kev"], reading.arrays["counts"]
        edges = np.linspace(self.low_kev, self.high_kev, self.bins + 1)
        middles = (energy[1:] + energy[:-1]) / 2
        borders = np.concatenate([[2 * energy[0] - middles[0]], middles, [2 * energy[-1] - middles[-1]]])
        covered = min(borders[-1], self.high_kev) - max(borders[0], self.low_kev)
        below = np.interp(edges, borders, np.concatenate([[0.0], np.cumsum(counts)]))
        shared = np.diff(below)
        if covered < MIN_OVERLAP * (self.high_kev - self.low_kev) or not shared.sum() > 0:
            raise ReadError(
                f"{reading.path}: the spectrum covers {energy[0]:.3g} to {energy[-1]:.3g} keV; expected counts within "
                f"{self.low_kev:.3g} to {self.high_kev:.3g} keV like the others of its column. Is it of another detector?"
            )
        return np.sqrt(shared / shared.sum() * self.bins).astype(np.float32)


class SpectrumBranch(ChannelBranch):
    """Convolutions along the energy, then a layer that knows which energy is which: a line says an element by where it stands."""

    encoder = SpectrumEncoder
    out_features = 64
    MOST_NOISE = 0.2
    """That of some six thousand counts in 1024 bins."""
    MOST_SHIFT = 2
    """In bins: 0.4 ‰ of the axis, as the gain of a detector drifts."""

    def __init__(self, shape: Sequence[int], dropout: float = 0.3) -> None:
        super().__init__()
        (bins,) = shape
        self.register_buffer("centre", torch.zeros(bins))
        self.register_buffer("spread", torch.ones(()))
        self.lines = nn.Sequential(
            nn.Conv1d(1, 8, 9, stride=4, padding=4), nn.GELU(), nn.Conv1d(8, 16, 5, stride=2, padding=2), nn.GELU()
        )
        with torch.no_grad():
            width = self.lines(torch.zeros(1, 1, bins)).numel()
        self.elements = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(width, self.out_features), nn.GELU(), nn.Dropout(dropout)
        )

    def standardise_by(self, training: Tensor) -> None:
        self.centre = training.mean(0)
        self.spread = (training - self.centre).square().mean().sqrt() + 1e-6

    def forward(self, spectra: Tensor) -> Tensor:
        standard = (spectra - self.centre) / self.spread
        return self.elements(self.lines(standard[:, None]))

    def augmented(self, values: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
        """Fewer counts, and a detector whose offset moved by a bin or two."""
        count, bins = values.shape
        shift = torch.randint(-self.MOST_SHIFT, self.MOST_SHIFT + 1, (count, 1), generator=generator)
        moved = values.gather(1, (torch.arange(bins) + shift).clamp(0, bins - 1).to(values.device))
        strength = self.MOST_NOISE * torch.rand(count, 1, generator=generator)
        return moved + (strength * torch.randn(count, bins, generator=generator)).to(values.device)
