"""Energy-dispersive X-ray spectra: characteristic lines on bremsstrahlung, as a silicon drift detector counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LINES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "C": ((0.277, 0.25),),
    "O": ((0.525, 0.5),),
    "Si": ((1.740, 1.0), (1.836, 0.03)),
    "Ti": ((0.452, 0.08), (4.509, 0.9), (4.932, 0.12)),
    "Ni": ((0.851, 0.35), (7.472, 0.7), (8.265, 0.09)),
    "Cu": ((0.930, 0.35), (8.041, 0.65), (8.905, 0.09)),
    "Mo": ((2.293, 0.4), (2.395, 0.2), (17.44, 0.2), (19.61, 0.04)),
    "Ag": ((2.984, 0.42), (3.151, 0.24), (3.348, 0.09), (3.520, 0.03), (22.10, 0.15), (24.94, 0.03)),
    "Au": ((1.660, 0.02), (2.123, 0.55), (2.205, 0.33), (9.705, 0.3), (11.442, 0.2), (11.585, 0.07), (13.382, 0.04)),
}
"""Element to (keV, counts a unit of mass) of its lines; alpha doublets weighed into one. Energies: Bearden, Rev. Mod. Phys. 39, 78
(1967), as in the X-ray Data Booklet; strengths as the inverse of thin-film k-factors at 200 kV (Williams and Carter, 2009)."""

MN_KA_EV = 5895.0
FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True)
class Detector:
    """channels of step_ev each, the first at offset_ev; resolution_ev: full width at half maximum of manganese's K-alpha line."""

    channels: int
    step_ev: float
    offset_ev: float
    resolution_ev: float
    window_kev: float
    """Energy about which the entrance window begins to let X-rays through."""
    strobe: float
    """Share of the counts in the detector's own peak at zero energy."""

    @property
    def energy_kev(self) -> np.ndarray:
        return (self.offset_ev + self.step_ev * np.arange(self.channels)) * 1e-3


def sigma_kev(energy_kev: np.ndarray | float, resolution_ev: float) -> np.ndarray:
    """Standard deviation of a line: FWHM² = 2.5 (E - E(Mn)) + FWHM(Mn)² in eV (Fiori and Newbury, Scanning Electron Microscopy I,
    401, 1978)."""
    squared = 2.5 * (np.asarray(energy_kev) * 1e3 - MN_KA_EV) + resolution_ev**2
    return np.sqrt(np.maximum(squared, 30.0**2)) / FWHM_PER_SIGMA * 1e-3


def expected(elements: Mapping[str, float], detector: Detector, beam_kv: float, background: float) -> np.ndarray:
    """(channels,) expected counts of a thin specimen, which sum to 1. elements: parts by mass. background: share of the counts."""
    energy = detector.energy_kev
    lines = np.zeros(detector.channels)
    for element, part in elements.items():
        for line_kev, strength in LINES[element]:
            sigma = sigma_kev(line_kev, detector.resolution_ev)
            lines += part * strength * efficiency(line_kev, detector) * np.exp(-(((energy - line_kev) / sigma) ** 2) / 2) / sigma
    positive = np.maximum(energy, 0.02)
    # Kramers, Phil. Mag. 46, 836 (1923), and what the detector sees of it.
    continuum = np.where(energy > 0.02, (beam_kv - positive) / positive * efficiency(positive, detector), 0).clip(min=0)
    spectrum = (1 - background) * lines / lines.sum() + background * continuum / continuum.sum()
    zero = np.exp(-((energy / sigma_kev(0.0, detector.resolution_ev)) ** 2) / 2)
    return (1 - detector.strobe) * spectrum + detector.strobe * zero / max(zero.sum(), 1e-9)


def efficiency(energy_kev: np.ndarray | float, detector: Detector) -> np.ndarray:
    """Share of the X-rays that the detector counts: the window stops soft ones, and hard ones go through half a millimetre of
    silicon."""
    energy = np.asarray(energy_kev, float)
    return np.exp(-((detector.window_kev / energy) ** 2.5)) * (1 - np.exp(-((20.0 / energy) ** 2.9)))


def a_detector(rng: np.random.Generator, beam_kv: float) -> Detector:
    """One of those that laboratories have."""
    channels, step = [(1024, 20.0), (2048, 10.0), (2048, 20.0), (4096, 10.0)][int(rng.integers(4))]
    if beam_kv < 40:
        channels, step = [(1024, 20.0), (2048, 10.0)][int(rng.integers(2))]
    return Detector(
        channels,
        step,
        offset_ev=float(rng.choice([0.0, -100.0, -200.0, -480.0])),
        resolution_ev=rng.uniform(123, 145),
        window_kev=rng.uniform(0.25, 0.45),
        strobe=rng.uniform(0.005, 0.04) if rng.random() < 0.6 else 0.0,
    )


def counted(
    elements: Mapping[str, float], detector: Detector, beam_kv: float, total: float, background: float, rng: np.random.Generator
) -> np.ndarray:
    """(channels,) counts: about `total` of them, with Poisson's noise."""
    return rng.poisson(total * expected(elements, detector, beam_kv, background)).astype(float)
