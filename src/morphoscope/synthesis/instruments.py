"""Microscopes: what their makers call things, how each counts magnification, and settings an operator would choose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Maker = Literal["FEI", "ZEISS", "JEOL", "Hitachi", "TESCAN"]


@dataclass(frozen=True)
class Instrument:
    """A model. `display_mm` is the picture's width that its magnification refers to (TEM: the width of the camera)."""

    maker: Maker
    model: str
    display_mm: float
    detectors: tuple[str, ...]
    is_tem: bool = False

    def magnification(self, width_nm: float) -> float:
        """Nominal magnification of a field `width_nm` wide, to three digits as on the display."""
        exact = self.display_mm * 1e6 / width_nm
        step = 10.0 ** (math.floor(math.log10(exact)) - 2)
        return round(exact / step) * step


SEMS = (
    Instrument("ZEISS", "SUPRA 40", 114.3, ("SE2", "InLens")),
    Instrument("ZEISS", "Merlin", 114.3, ("HE-SE2", "InLens", "SE2")),
    Instrument("FEI", "Nova NanoSEM 450", 127.0, ("ETD", "TLD")),
    Instrument("FEI", "Quanta 250", 127.0, ("ETD", "LFD")),
    Instrument("Hitachi", "SU8010", 127.0, ("SE(M)", "SE(U)", "LM(L)")),
    Instrument("Hitachi", "S4800", 127.0, ("SE(M)", "SE(U)")),
    Instrument("JEOL", "JSM-7600F", 120.0, ("SEI", "LEI")),
    Instrument("TESCAN", "MIRA3", 220.0, ("SE", "InBeam")),
)
TEMS = (
    Instrument("FEI", "Tecnai G2", 61.4, ("Camera",), is_tem=True),
    Instrument("FEI", "Talos F200X", 57.3, ("Ceta",), is_tem=True),
    Instrument("JEOL", "JEM-2100", 55.0, ("Orius",), is_tem=True),
    Instrument("Hitachi", "HT7700", 50.0, ("AMT",), is_tem=True),
)


@dataclass(frozen=True)
class Settings:
    """One acquisition."""

    instrument: Instrument
    hv_kv: float
    wd_mm: float | None
    detector: str
    magnification: float
    date: str
    dwell_us: float


def sem_settings(width_nm: float, specimen: np.random.Generator, view: np.random.Generator) -> Settings:
    """A laboratory keeps its microscope; a specimen mostly its voltage; distance and detector vary with the picture."""
    instrument = SEMS[int(specimen.integers(len(SEMS)))]
    hv = float(specimen.choice([1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0], p=[0.08, 0.12, 0.12, 0.3, 0.16, 0.14, 0.08]))
    wd = round(float(np.clip(view.lognormal(math.log(6.5), 0.35), 1.8, 30)), 1)
    detector = instrument.detectors[int(view.integers(len(instrument.detectors)))]
    return Settings(instrument, hv, wd, detector, instrument.magnification(width_nm), _date(specimen), _dwell(view))


def tem_settings(width_nm: float, specimen: np.random.Generator, view: np.random.Generator, *, dark_field: bool) -> Settings:
    """The same for a transmission microscope; a working distance means nothing there."""
    instrument = TEMS[int(specimen.integers(len(TEMS)))]
    hv = float(specimen.choice([80.0, 100.0, 120.0, 200.0, 300.0], p=[0.15, 0.15, 0.2, 0.4, 0.1]))
    detector = "HAADF" if dark_field else instrument.detectors[0]
    return Settings(instrument, hv, None, detector, instrument.magnification(width_nm), _date(specimen), _dwell(view))


def _date(rng: np.random.Generator) -> str:
    return f"{rng.integers(2008, 2026)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"


def _dwell(rng: np.random.Generator) -> float:
    return float(rng.choice([0.3, 1.0, 3.0, 10.0, 30.0]))
