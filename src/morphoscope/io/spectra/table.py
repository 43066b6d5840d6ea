"""A table of two columns, energy and counts, as spectrum programs and spreadsheets export it: any separator, any heading.

The unit of the energies is the one that a heading or a comment names. Without one it is told from the numbers, and said so:
X-ray detectors end below 100 keV, so larger numbers are eV. A column of channel numbers is no energy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.spectra.spectrum_format import SpectrumFormat
from morphoscope.spectrum import Spectrum
from morphoscope.units import KEV_PER_UNIT, energy_unit

MIN_CHANNELS = 16
MAX_WORDS_LINES = 200
MOST_KEV = 100.0
_UNIT = re.compile(r"(?<![A-Za-z])(keV|eV)(?![A-Za-z])", re.IGNORECASE)
_CHANNEL = re.compile(r"\bchannels?\b", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def _read(path: Path) -> Spectrum:
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    words, rows = _parts(text.splitlines())
    if len(rows) < MIN_CHANNELS:
        raise ReadError(
            f"{path}: found {len(rows)} rows of numbers; expected a spectrum of at least {MIN_CHANNELS} channels, energy and counts in "
            "two columns. Export the spectrum as .msa or .csv."
        )
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ReadError(
            f"{path}: found rows of {min(widths)} to {max(widths)} numbers; expected two columns, energy and counts. Export it again."
        )
    table = np.array(rows)
    if table.shape[1] == 1:
        return Spectrum(path, table[:, 0], "table of counts")
    if table.shape[1] > 2:
        raise ReadError(
            f"{path}: found {table.shape[1]} columns of numbers; expected two, energy and counts. Keep these two and export it again."
        )
    energy, warnings = _energy_kev(table[:, 0], words)
    return Spectrum(path, table[:, 1], "table of energy and counts", energy, warnings=warnings)


def _parts(lines: Sequence[str]) -> tuple[list[str], list[list[float]]]:
    """Headings and comments, and the rows of numbers."""
    words: list[str] = []
    rows: list[list[float]] = []
    for line in lines:
        cells = _cells(line)
        if cells and all(_NUMBER.fullmatch(cell) for cell in cells):
            rows.append([float(cell.replace(",", ".")) for cell in cells])
        elif len(words) < MAX_WORDS_LINES:
            words.append(line)
    return words, rows


def _cells(line: str) -> list[str]:
    """The filled cells of a line; a comma separates where nothing else does and it isn't in all numbers alike."""
    for separator in (";", "\t"):
        if separator in line:
            return [cell.strip().strip('"') for cell in line.split(separator) if cell.strip()]
    if "," in line and not re.search(r"\d\s+\S", line.strip()):
        return [cell.strip().strip('"') for cell in line.split(",") if cell.strip()]
    return line.replace(", ", " ").split()


def _energy_kev(axis: np.ndarray, words: Sequence[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Energies in keV and what was assumed; None for channel numbers."""
    heading = next(iter(_cells(words[-1]) if words else []), "")
    is_counting = bool(np.array_equal(axis, axis[0] + np.arange(len(axis)))) and axis[0] in (0, 1)
    named = _UNIT.search(heading)
    if not named and (_CHANNEL.search(heading) or is_counting):
        return None, ()
    named = named or _UNIT.search(" ".join(words))
    unit = energy_unit(named[1]) if named else None
    if unit:
        return axis * KEV_PER_UNIT[unit], ()
    unit = "keV" if axis.max() <= MOST_KEV else "eV"
    return axis * KEV_PER_UNIT[unit], (f"The table names no unit of energy: {axis[0]:g} to {axis[-1]:g} was taken for {unit}.",)


TABLE = SpectrumFormat("table", rb"(?:\xef\xbb\xbf)?[\t\r\n\x20-\x7e\x80-\xff]+\Z", _read)
