"""The noun beside the micrograph: what an X-ray or energy-loss spectrometer counted, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One spectrum.

    `counts` is (E,) float64, finite. `energy_kev` is (E,), the energies of the channels' centres, rising; None where the file
    does not say them: a bare channel number is no energy. `signal` is what it counts: `EDS`, `EELS`, or empty where unknown.
    `is_map`: the file holds a map, whose spectra were added up.
    """

    path: Path
    counts: np.ndarray
    reader: str
    energy_kev: np.ndarray | None = None
    signal: str = ""
    beam_kv: float | None = None
    live_time_s: float | None = None
    is_map: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def step_kev(self) -> float | None:
        """Median width of a channel, or None without a calibration."""
        return None if self.energy_kev is None else float(np.median(np.diff(self.energy_kev)))

    @property
    def total(self) -> float:
        """Counts in all."""
        return float(self.counts.sum())
