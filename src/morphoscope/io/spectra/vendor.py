"""Spectra in the makers' own formats, through RosettaSciIO: Bruker .bcf, Velox and NCEM .emd, Gatan .dm3 and .dm4.

A map of spectra is added up over its places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.formats.makers.values import positive
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.io.spectra.spectrum_format import SpectrumFormat
from morphoscope.spectrum import Spectrum
from morphoscope.units import KEV_PER_UNIT, energy_unit

_BIN = 16
"""Places of a Bruker map on a side that the library adds up while it decodes: a map of a million places fits in memory."""


def _bruker(path: Path) -> Spectrum:
    with data_sets(path, "bruker", "a Bruker .bcf file", select_type="spectrum_image", downsample=_BIN) as found:
        return _spectrum(path, found, "Bruker")


def _emd(path: Path) -> Spectrum:
    with data_sets(path, "emd", "an HDF5 file such as Thermo Velox or NCEM .emd", lazy=True) as found:
        return _spectrum(path, found, "Velox or NCEM")


def _gatan(path: Path) -> Spectrum:
    with data_sets(path, "digitalmicrograph", "a Gatan DigitalMicrograph file", lazy=True) as found:
        return _spectrum(path, found, "Gatan")


def _spectrum(path: Path, found: Sequence[DataSet], maker: str) -> Spectrum:
    """The first data set with an axis of energy, summed over its other axes. Raises ReadError where none has one."""
    chosen = next((each for each in found if _energy_axis(each) is not None), None)
    if chosen is None:
        raise ReadError(
            f"{path}: none of the file's {len(found)} data sets has an axis of energy; expected a spectrum. "
            "Export the spectrum as .msa."
        )
    position = _energy_axis(chosen) or 0
    axis = chosen.axes[position]
    others = tuple(i for i in range(len(chosen.axes)) if i != position)
    summed = chosen.values.sum(axis=others, dtype=np.float64) if others else chosen.values
    counts = np.asarray(summed.compute(scheduler="synchronous") if hasattr(summed, "compute") else summed, np.float64)
    factor = KEV_PER_UNIT[energy_unit(str(axis.get("units") or "")) or "eV"]
    energy = (float(axis["offset"]) + float(axis["scale"]) * np.arange(len(counts))) * factor
    signal = str(chosen.setting("Signal", "signal_type") or "")
    return Spectrum(
        path,
        counts,
        maker,
        energy,
        "EDS" if signal.startswith("EDS") else signal,
        positive(chosen.setting("Acquisition_instrument", "TEM", "beam_energy")),
        is_map=math.prod(int(chosen.axes[i]["size"]) for i in others) > 1,
    )


def _energy_axis(data_set: DataSet) -> int | None:
    """Position of the axis that counts energies, or None."""
    positions = [
        position
        for position, axis in enumerate(data_set.axes)
        if energy_unit(str(axis.get("units") or "")) and int(axis["size"]) > 1 and float(axis["scale"]) > 0
    ]
    is_number = getattr(data_set.values.dtype, "names", None) is None and data_set.values.dtype.kind in "uif"
    return positions[-1] if positions and is_number else None


BCF = SpectrumFormat("bcf", rb"AAMVHFSS", _bruker)
EMD = SpectrumFormat("emd", rb"\x89HDF\r\n\x1a\n", _emd)
DM = SpectrumFormat("dm", rb"\x00\x00\x00[\x03\x04]", _gatan)
