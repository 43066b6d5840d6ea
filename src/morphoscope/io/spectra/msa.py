"""EMSA/MAS text, ISO 22029:2022: `#KEYWORD : value` lines, then the counts (`Y`) or pairs of energy and counts (`XY`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.spectra.spectrum_format import SpectrumFormat
from morphoscope.spectrum import Spectrum
from morphoscope.units import KEV_PER_UNIT, energy_unit

_KEYWORD = re.compile(r"#\s*([A-Za-z0-9]+)\s*(?:-[^:]*)?:\s?(.*)")
"""`#LIVETIME  -s: 50.0`: a keyword, its unit after a dash, and its value."""
_DATA, _END = "SPECTRUM", "ENDOFDATA"
_SIGNALS = {"EDS": "EDS", "EDX": "EDS", "WDS": "WDS", "ELS": "EELS", "EELS": "EELS"}


def _read(path: Path) -> Spectrum:
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    header, data = _parts(text.splitlines())
    values = _numbers(path, data)
    is_pairs = header.get("DATATYPE", "Y").strip().upper() == "XY"
    if is_pairs and len(values) % 2:
        raise ReadError(
            f"{path}: found {len(values)} numbers; expected pairs of energy and counts. The file is damaged: export it again."
        )
    counts = values[1::2] if is_pairs else values
    _check_length(path, header, len(counts))
    factor = _kev_per_unit(header)
    paired = None if factor is None else values[::2] * factor
    energy = paired if is_pairs else _axis(header, len(counts), factor)
    signal = header.get("SIGNALTYPE", "").strip().upper()
    return Spectrum(
        path,
        counts,
        "EMSA/MAS",
        energy,
        _SIGNALS.get(signal, signal),
        _number(header, "BEAMKV"),
        _number(header, "LIVETIME"),
    )


def _parts(lines: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Keywords in capitals with their values (the first of each), and the lines of data."""
    header: dict[str, str] = {}
    data: list[str] = []
    is_data = False
    for line in lines:
        if match := _KEYWORD.match(line):
            keyword = match[1].upper()
            if keyword == _END:
                break
            is_data = is_data or keyword == _DATA
            header.setdefault(keyword, match[2].strip())
        elif is_data:
            data.append(line)
    return header, data


def _numbers(path: Path, lines: Iterable[str]) -> np.ndarray:
    words = [word for line in lines for word in re.split(r"[,;\s]+", line) if word]
    try:
        return np.array([float(word) for word in words])
    except ValueError as error:
        raise ReadError(f"{path}: {error} among the counts; expected numbers. Export the spectrum again.") from None


def _check_length(path: Path, header: Mapping[str, str], found: int) -> None:
    promised = _number(header, "NPOINTS")
    if promised is not None and found != int(promised):
        raise ReadError(
            f"{path}: found {found} channels; expected {int(promised)}, which the header's NPOINTS promises. "
            "The file is truncated: copy or export it again."
        )


def _kev_per_unit(header: Mapping[str, str]) -> float | None:
    unit = energy_unit(header.get("XUNITS", ""))
    return None if unit is None else KEV_PER_UNIT[unit]


def _axis(header: Mapping[str, str], length: int, factor: float | None) -> np.ndarray | None:
    """Energies in keV, or None without a width of a channel or its unit. CHOFFSET is the channel of energy zero."""
    step = _number(header, "XPERCHAN")
    if factor is None or not step or step <= 0:
        return None
    offset = _number(header, "OFFSET")
    if offset is None:
        offset = -step * (_number(header, "CHOFFSET") or 0.0)
    return (offset + step * np.arange(length)) * factor


def _number(header: Mapping[str, str], keyword: str) -> float | None:
    try:
        value = float(header.get(keyword, "").replace(",", ".").split()[0])
    except (ValueError, IndexError):
        return None
    return value if np.isfinite(value) else None


MSA = SpectrumFormat("msa", rb"(?:\xef\xbb\xbf)?\s*#FORMAT\s*:\s*EMSA", _read, (".msa", ".emsa"))
