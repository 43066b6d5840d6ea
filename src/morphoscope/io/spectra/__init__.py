"""One file to one Spectrum: EMSA/MAS text, tables of two columns, and the makers' own formats with the extra `vendor`.

To add a format: a file beside this one with a `SpectrumFormat`, and one line in `SPECTRUM_FORMATS`.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.detect import first_bytes
from morphoscope.io.spectra.spectrum_format import SpectrumFormat
from morphoscope.registry import Registry
from morphoscope.spectrum import Spectrum

SPECTRUM_FORMATS = Registry(
    "spectrum format",
    {
        "msa": "morphoscope.io.spectra.msa:MSA",
        "bcf": "morphoscope.io.spectra.vendor:BCF",
        "emd": "morphoscope.io.spectra.vendor:EMD",
        "dm": "morphoscope.io.spectra.vendor:DM",
        "table": "morphoscope.io.spectra.table:TABLE",
    },
)


@cache
def _formats() -> tuple[SpectrumFormat, ...]:
    return tuple(SPECTRUM_FORMATS.load(name) for name in SPECTRUM_FORMATS.names())


@cache
def spectrum_extensions() -> frozenset[str]:
    """Extensions, lower case with the dot, of files that are spectra and nothing else."""
    return frozenset(each for spectrum_format in _formats() for each in spectrum_format.own_extensions)


def spectrum_format_of(path: Path) -> SpectrumFormat | None:
    """The format of a file by its content; None for another kind of file. Raises ReadError where it can't be opened."""
    head = first_bytes(path)
    return next((each for each in _formats() if each.matches(head)), None)


def read_spectrum(path: str | os.PathLike[str]) -> Spectrum:
    """The spectrum in a file; of a map, the sum over its places.

    The energy axis is in keV whatever the file's unit, and None where it states none. Raises ReadError for whatever is no
    readable spectrum.
    """
    path = Path(path)
    spectrum_format = spectrum_format_of(path)
    if spectrum_format is None:
        raise ReadError(
            f"{path}: found no spectrum; expected EMSA/MAS text (.msa), a table of energy and counts (.csv), or a bcf, emd, dm3 or "
            "dm4 file. Export it as .msa."
        )
    return _checked(_decoded(path, spectrum_format))


def _decoded(path: Path, spectrum_format: SpectrumFormat) -> Spectrum:
    try:
        with np.errstate(all="ignore"):
            return spectrum_format.read(path)
    except ReadError:
        raise
    except Exception as error:  # decoders raise anything on damaged input
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReadError(
            f"{path}: the spectrum can't be decoded ({reason}); expected a complete {spectrum_format.name.upper()} file. "
            "It may be damaged or truncated: copy or export it again."
        ) from error


def _checked(spectrum: Spectrum) -> Spectrum:
    """Raises ReadError for counts that are none."""
    counts = spectrum.counts
    if len(counts) < 2:
        raise ReadError(
            f"{spectrum.path}: found {len(counts)} channel of counts; expected a spectrum of many. Export the whole spectrum."
        )
    if not np.isfinite(counts).all():
        raise ReadError(
            f"{spectrum.path}: {np.count_nonzero(~np.isfinite(counts))} of {len(counts)} channels hold no finite number; expected "
            "counts. Export the spectrum again."
        )
    if not (counts > 0).any():
        raise ReadError(
            f"{spectrum.path}: all {len(counts)} channels are empty; expected counts. Was the detector retracted or the wrong "
            "spectrum exported?"
        )
    energy = spectrum.energy_kev
    if energy is not None and not (np.isfinite(energy).all() and (np.diff(energy) > 0).all()):
        raise ReadError(
            f"{spectrum.path}: the energies do not rise from channel to channel; expected a rising axis. Export the spectrum again."
        )
    return spectrum
