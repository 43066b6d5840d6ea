"""The only conversion factors of the product: lengths to nm, reciprocal lengths to 1/nm, angles to °, potentials to kV, energies to keV."""

from __future__ import annotations

import math
import re

NM_PER_UNIT: dict[str, float] = {
    "m": 1e9,
    "cm": 1e7,
    "mm": 1e6,
    "µm": 1e3,
    "nm": 1.0,
    "Å": 0.1,
    "pm": 1e-3,
    "inch": 25.4e6,
}

_ALIASES: dict[str, str] = {
    "um": "µm",
    "μm": "µm",  # Greek mu (U+03BC) beside the micro sign (U+00B5)
    "micron": "µm",
    "microns": "µm",
    "micrometer": "µm",
    "micrometers": "µm",
    "micrometre": "µm",
    "n_m": "nm",  # NCEM's notation
    "nanometer": "nm",
    "nanometers": "nm",
    "nanometre": "nm",
    "a": "Å",
    "ang": "Å",
    "angstrom": "Å",
    "angstroms": "Å",
    "å": "Å",
    "Å": "Å",  # the Angstrom sign (U+212B)
    "meter": "m",
    "metre": "m",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "in": "inch",
    "\\u00b5m": "µm",  # ImageJ's escaped micro sign
}


_PREFIXED_METRE = re.compile(r"[a-zA-Zµμ]?m")
_RECIPROCAL = re.compile(r"1/(.+)|(.+?)\^?-1")


def is_reciprocal(text: str) -> bool:
    """Whether a unit is one of reciprocal space: `1/nm`, `1 / Å`, `nm^-1`."""
    match = _RECIPROCAL.fullmatch("".join(text.split()))
    if match is None:
        return False
    base = match[1] or match[2]
    return length_unit(base) is not None or _PREFIXED_METRE.fullmatch(base) is not None


def to_per_nm(value: float, unit: str) -> float | None:
    """A reciprocal length in 1/nm, None for a unit that is none: `to_per_nm(0.1, "1/Å")` is 1.0."""
    match = _RECIPROCAL.fullmatch("".join(unit.split()))
    base = length_unit(match[1] or match[2]) if match else None
    return value / NM_PER_UNIT[base] if base else None


KEV_PER_UNIT: dict[str, float] = {"keV": 1.0, "eV": 1e-3, "MeV": 1e3}


def energy_unit(text: str) -> str | None:
    """The canonical name of a unit of energy, or None. keV and eV in any case; MeV only so, for meV is another."""
    plain = text.strip().strip("[]() ")
    return next((unit for unit in KEV_PER_UNIT if unit == plain), None) or {"kev": "keV", "ev": "eV"}.get(plain.lower())


def length_unit(text: str) -> str | None:
    """The canonical name of a length unit as makers write it (`um`, `μm`, `Angstrom`), or None where it is no length."""
    text = text.strip()
    if text in NM_PER_UNIT:
        return text
    lowered = text.lower()
    if lowered in NM_PER_UNIT:
        return lowered
    return _ALIASES.get(text) or _ALIASES.get(lowered)


def to_nm(value: float, unit: str) -> float:
    """A length in nanometres. Raises ValueError for a unit that is no length."""
    canonical = length_unit(unit)
    if canonical is None:
        raise ValueError(f"'{unit}' is not a unit of length; expected one of {', '.join(NM_PER_UNIT)}.")
    return value * NM_PER_UNIT[canonical]


def degrees(radians: float) -> float:
    """An angle in degrees."""
    return math.degrees(radians)


def kilovolts(volts: float) -> float:
    """A potential in kV."""
    return volts * 1e-3


def millimetres(metres: float) -> float:
    """A length in mm."""
    return metres * 1e3


def microseconds(seconds: float) -> float:
    """A time in µs."""
    return seconds * 1e6


def nanoamperes(amperes: float) -> float:
    """A current in nA."""
    return amperes * 1e9


def format_length(nm: float) -> str:
    """A length for people, in the unit that keeps one to four digits before the point: `1.3 nm`, `2.5 µm`, `1.2 mm`."""
    for unit in ("mm", "µm", "nm"):
        if abs(nm) >= NM_PER_UNIT[unit]:
            return f"{nm / NM_PER_UNIT[unit]:.4g} {unit}"
    return f"{nm:.3g} nm"
