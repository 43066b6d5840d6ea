"""Inspect: what files say of themselves, one record a file, whether it could be read or not."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from morphoscope.apps.verbs.arguments import PathLike, Paths, as_path, as_paths
from morphoscope.apps.verbs.output import claim_file, writing
from morphoscope.apps.verbs.processes import in_processes
from morphoscope.calibration.picture_reading import PictureReading
from morphoscope.calibration.resolve import Scale, conflicts, resolve, without_file
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.data.readings import cached_reading
from morphoscope.errors import MorphoscopeError, NoPictureError, OutputError
from morphoscope.io import find_micrographs, read
from morphoscope.io.spectra import read_spectrum, spectrum_extensions
from morphoscope.micrograph import Acquisition, Micrograph, Sourced
from morphoscope.spectrum import Spectrum

SETTINGS = tuple(field.name for field in fields(Acquisition))
FIX_COLUMNS = ("filename", "pixel_size_nm", "pixel_size_y_nm", "pixel_size_x_nm", "pixel_size_origin", "pixel_size_note")


@dataclass(frozen=True)
class _Job:
    """One file to inspect. cells: its row of a metadata sheet."""

    path: Path
    cells: Mapping[str, str]
    scale: Scale
    is_from_picture: bool


def inspect(
    paths: Paths,
    *,
    from_picture: bool = False,
    scale: Scale = "auto",
    metadata: PathLike | None = None,
    fix: PathLike | None = None,
    overwrite: bool = False,
    workers: int = 1,
) -> list[dict[str, Any]]:
    """What picture files say: size, scale with its sources and their conflicts, instrument settings, information bar.

        morphoscope.inspect("images")[0]["pixel_size_nm"]

    A plain dictionary a file, as in `morphoscope inspect --json`; one that can't be read has `status` error and the reason. A file
    that holds no picture but a spectrum says what that is under `spectrum`.
    Unlike other verbs, `auto` here reads every picture, to check the header against its scale bar. from_picture: only the
    pixels speak. metadata: a sheet whose values win. fix: where to write such a sheet, for a person to correct. workers:
    processes for many files; more than one only from a script that guards its main code with `if __name__ == "__main__"`.
    Raises ReadError where a path is missing or a folder holds no picture, OutputError where the sheet can't be written.
    """
    sheet = as_path(fix)
    if sheet is not None:
        _claim(sheet, overwrite)
    files = find_micrographs(as_paths(paths), every_file=True, further=spectrum_extensions())
    cells = metadata_rows(Path(metadata), files) if metadata else {}
    jobs = [_Job(path, cells.get(path, {}), scale, from_picture) for path in files]
    rows = list(in_processes(_inspected, jobs, _lost, workers=workers, label="Reading"))
    if sheet is not None:
        _write_fix(sheet, files, rows)
    return rows


def _inspected(job: _Job) -> dict[str, Any]:
    try:
        micrograph = read(job.path)
        if job.is_from_picture:
            micrograph = without_file(micrograph)
        is_read = job.is_from_picture or (job.scale in ("auto", "picture") and not micrograph.is_diffraction)
        reading = cached_reading(micrograph) if is_read else None
        return _row(job.path, resolve(micrograph, job.cells, reading=reading, scale=job.scale), reading)
    except MorphoscopeError as error:
        return _row_without_picture(job, error)


def _row_without_picture(job: _Job, error: MorphoscopeError) -> dict[str, Any]:
    """Of the spectrum in the file, where there is one; else of what is wrong with it."""
    try:
        spectrum = read_spectrum(job.path)
    except MorphoscopeError as spectral:
        # What was to be a picture is told as one.
        error = spectral if job.path.suffix.lower() in spectrum_extensions() else error
    else:
        return _row(job.path, None, None, _settings(spectrum, error)) | _of_spectrum(spectrum)
    if isinstance(error, NoPictureError):
        settings = Acquisition() if job.is_from_picture or error.settings is None else error.settings
        return _row(job.path, None, None, settings) | {"status": "error", "error": str(error)}
    return _row(job.path, None, None) | {"status": "error", "error": str(error)}


def _settings(spectrum: Spectrum, error: MorphoscopeError) -> Acquisition:
    """What the file says of the instrument."""
    told = error.settings if isinstance(error, NoPictureError) and error.settings else Acquisition()
    if told.hv_kv is None and spectrum.beam_kv is not None:
        return dataclasses.replace(told, hv_kv=Sourced(spectrum.beam_kv, "header"))
    return told


def _of_spectrum(spectrum: Spectrum) -> dict[str, Any]:
    energy = spectrum.energy_kev
    return {
        "reader": spectrum.reader,
        "shape": [len(spectrum.counts)],
        "dtype": spectrum.counts.dtype.name,
        "spectrum": {
            "channels": len(spectrum.counts),
            "counts": spectrum.total,
            "is_calibrated": energy is not None,
            "energy_kev": None if energy is None else {"first": float(energy[0]), "last": float(energy[-1])},
            "step_ev": None if spectrum.step_kev is None else spectrum.step_kev * 1e3,
            "signal": spectrum.signal or None,
            "is_map": spectrum.is_map,
            "live_time_s": spectrum.live_time_s,
        },
        "warnings": list(spectrum.warnings),
    }


def _lost(job: _Job) -> dict[str, Any]:
    sentence = (
        f"{job.path}: reading it ended the process (a crash, or no memory left); expected a picture. "
        "Close other programs, or export it again as TIFF."
    )
    return _row(job.path, None, None) | {"status": "error", "error": sentence}


def _row(
    path: Path, micrograph: Micrograph | None, reading: PictureReading | None, settings: Acquisition | None = None
) -> dict[str, Any]:
    size = micrograph.pixel_size if micrograph else None
    settings = micrograph.acquisition if micrograph else settings or Acquisition()
    field = micrograph.field_of_view_nm if micrograph else None
    bar = micrograph.information_bar if micrograph else None
    scale_bar = micrograph.scale_bar if micrograph else None
    known = {name: sourced for name in SETTINGS if (sourced := getattr(settings, name)) is not None}
    return {
        "path": str(path),
        "reader": micrograph.reader if micrograph else None,
        "shape": list(micrograph.pixels.shape) if micrograph else None,
        "dtype": micrograph.pixels.dtype.name if micrograph else None,
        "n_frames": micrograph.n_frames if micrograph else None,
        "is_diffraction": micrograph.is_diffraction if micrograph else None,
        "reciprocal_per_nm": micrograph.reciprocal_per_nm if micrograph else None,
        "spectrum": None,
        "pixel_size_nm": {"y": size.y_nm, "x": size.x_nm} if size else None,
        "pixel_size_origin": size.origin if size else None,
        "evidence": [asdict(item) for item in size.evidence] if size else [],
        "conflicts": conflicts(size),
        "field_of_view_nm": {"y": field[0], "x": field[1]} if field else None,
        **{name: settings.value(name) for name in SETTINGS},
        "origins": {name: sourced.origin for name, sourced in known.items()},
        "information_bar": asdict(bar) if bar else None,
        "scale_bar": asdict(scale_bar) if scale_bar else None,
        "picture_confidence": reading.confidence if reading else None,
        "picture_text": reading.text if reading else None,
        "picture_problem": reading.problem if reading else None,
        "warnings": list(micrograph.warnings) if micrograph else [],
        "status": "ok",
        "error": None,
    }


def _claim(sheet: Path, overwrite: bool) -> None:
    if sheet.suffix.lower() != ".csv":
        raise OutputError(
            f"--fix {sheet}: the sheet is written as CSV; expected a name that ends in .csv. Write --fix {sheet.with_suffix('.csv')}."
        )
    claim_file(sheet, overwrite, option="--fix")


def _write_fix(sheet: Path, files: Sequence[Path], rows: Sequence[dict[str, Any]]) -> None:
    """The pixel sizes that were found, blank where there is none, as a metadata sheet: to be corrected and given back."""
    names = _names(files)
    # With its mark, spreadsheet programs take the file for UTF-8.
    with (
        writing(sheet, "Choose another --fix."),
        sheet.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file,
    ):
        table = csv.DictWriter(file, FIX_COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows({"filename": name, **_fix_cells(row)} for name, row in zip(names, rows, strict=True))


def _fix_cells(row: dict[str, Any]) -> dict[str, str]:
    size = row["pixel_size_nm"]
    note = row["error"] or " ".join(row["conflicts"]) or ("" if size else row["picture_problem"] or "")
    cells = {"pixel_size_origin": row["pixel_size_origin"] or "", "pixel_size_note": note}
    if size is None:
        return cells
    if size["x"] == size["y"]:
        return cells | {"pixel_size_nm": repr(size["x"])}
    return cells | {"pixel_size_y_nm": repr(size["y"]), "pixel_size_x_nm": repr(size["x"])}


def _names(files: Sequence[Path]) -> list[str]:
    """File names, with as many folders as tell them apart."""
    absolute = [path.absolute() for path in files]
    try:
        home = os.path.commonpath([path.parent for path in absolute])
    except ValueError:  # on several drives
        return [path.as_posix() for path in absolute]
    return [path.relative_to(home).as_posix() for path in absolute]
