"""Electron microscopy data .emd in HDF5: Thermo Velox and NCEM, through RosettaSciIO."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from morphoscope.errors import ReadError
from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.makers.values import positive, scaled, sourced
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.micrograph import Acquisition

_WHAT = "an HDF5 file such as Thermo Velox or NCEM .emd"
_SPECTRA = "The file's X-ray spectra are no pictures; a sheet's column spectrum_file that names the file learns from them."


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    try:
        return _read_pictures(path, frame, max_pixels, is_lazy=True)
    except (NotImplementedError, ValueError):  # values of no fixed size or in one piece can't be read piece by piece
        return _read_pictures(path, frame, max_pixels, is_lazy=False)


def _read_pictures(path: Path, frame: int, max_pixels: int, *, is_lazy: bool) -> Picture:
    with data_sets(path, "emd", _WHAT, lazy=is_lazy, select_type="images") as found:
        if not found:
            raise ReadError(
                f"{path}: found an HDF5 file without pictures; expected a Velox or NCEM .emd. Name the file with them."
            )
        maker = "Thermo Velox" if found[0].stated("Core.MetadataDefinitionVersion") else "NCEM"
        picture = picture_of(path, found, frame, max_pixels, maker=maker, acquisition=_acquisition)
    notes = (_SPECTRA,) if _has_spectra(path) else ()
    return dataclasses.replace(picture, warnings=(*picture.warnings, *notes))


def _acquisition(data_set: DataSet) -> Acquisition:
    """The mapped settings; a camera's nominal magnification where the scan's is 0."""
    settings = mapped_acquisition(data_set)
    nominal = positive(data_set.stated("Optics.NominalMagnification"))
    return dataclasses.replace(
        settings,
        magnification=settings.magnification or sourced(nominal, "header"),
        detector=sourced(data_set.stated("BinaryResult.Detector"), "header"),
        dwell_us=sourced(scaled(positive(data_set.stated("Scan.DwellTime")), 1e6), "header"),
    )


def _has_spectra(path: Path) -> bool:
    """Whether a Velox file holds spectra beside its pictures, which are not even opened."""
    import h5py

    with h5py.File(path, "r") as file:
        return _holds(file, ("Data", "SpectrumStream")) or _holds(file, ("Data", "Spectrum"))


def _holds(group: object, names: Sequence[str]) -> bool:
    for name in names:
        if not hasattr(group, "keys") or name not in group:  # type: ignore[operator]
            return False
        group = group[name]  # type: ignore[index]
    return len(group) > 0  # type: ignore[arg-type]


EMD = FileFormat("emd", (".emd",), rb"\x89HDF\r\n\x1a\n", _read)
