"""Measure: pictures and their instance maps become sizes in nm, a row an object, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np

from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.calibration.resolve import Scale, conflicts
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError, OutputError, ReadError, did_you_mean
from morphoscope.io.display import to_display
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.measure.instance_map import match_instance_maps, n_pieces, read_instance_map
from morphoscope.measure.picture import Border, MeasuredPicture, measure_picture
from morphoscope.measure.tables import MEASUREMENT_COLUMNS, SUMMARY_COLUMNS, measurement_rows, summary_row
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.measure_report import ReportedPicture, write_measure_report
from morphoscope.reporting.outlines import data_address, outlined
from morphoscope.reporting.predictions_table import PredictionsTable, Row, error_row

SHOWN_PICTURES = 40
"""Pictures whose outlines the report holds, at some 150 kB each."""

SAID_NOTES = 10

SUMMARY, PAGE = "summary.csv", "report.html"


@dataclass
class _Told:
    """What a run has to tell beside its tables. problems: a sentence for each picture that could not be measured."""

    n_pictures: int = 0
    n_particles: int = 0
    n_without_scale: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reported: list[ReportedPicture] = field(default_factory=list)


def measure(
    paths: Sequence[Path],
    *,
    out: Path,
    masks: Path | None,
    report: Path | None = None,
    metadata: Path | None = None,
    scale: Scale = "auto",
    border: Border = "exclude",
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Writes measurements.csv as pictures come, and summary.csv and report.html into the folder `report`.

    masks: folder of instance maps, each of its picture's stem. scale: where the pixel size comes from. border: whether the
    size distribution leaves out particles that touch the border; measurements.csv has them in any case. A picture that can't
    be measured gives an error row.
    Raises MorphoscopeError for bad options, and where no picture could be measured; rows written until then are kept.
    """
    masks = _checked(masks, border)
    claim_file(out, overwrite)
    if report:
        _claim_report(report, overwrite)
    files = _pictures(paths, masks)
    cells = metadata_rows(metadata, files) if metadata else {}
    maps = match_instance_maps(files, masks)
    told = _Told()
    with ExitStack() as stack:
        table = stack.enter_context(PredictionsTable(out, MEASUREMENT_COLUMNS))
        summary = stack.enter_context(PredictionsTable(report / SUMMARY, SUMMARY_COLUMNS)) if report else None
        progress = stack.enter_context(bar("Measuring", len(files)))
        for done, path in enumerate(files, start=1):
            row_cells = cells.get(path, {})
            rows, of_all = _measured_rows(path, maps[path], row_cells, scale, border, max_pixels, told, is_reported=bool(report))
            table.write(rows)
            if summary:
                summary.write([of_all])
            progress(done)
    if report:
        write_measure_report(told.reported, told.problems, told.notes, border, report)
    _tell(told, len(files), out, say)
    return out


def _checked(masks: Path | None, border: str) -> Path:
    if border not in get_args(Border):
        raise MorphoscopeError(
            f"--border is '{border}'; expected {' or '.join(get_args(Border))}.{did_you_mean(border, get_args(Border))}"
        )
    if masks is None:
        raise MorphoscopeError(
            "measure: --masks is missing, and this version finds no particles by itself; expected a folder of instance maps "
            "(PNG or TIFF, 0 = background, one number a particle, same stem as the picture). Add --masks DIR."
        )
    return masks


def _claim_report(folder: Path, overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--report {folder}: the folder can't be made ({error.strerror}). Choose another --report.") from error
    found = [name for name in (SUMMARY, PAGE) if (folder / name).exists()]
    if found and not overwrite:
        raise OutputError(
            f"--report {folder}: it holds earlier results ({', '.join(found)}); expected none. Choose another --report, or add "
            "--overwrite."
        )


def _pictures(paths: Sequence[Path], masks: Path) -> list[Path]:
    """The pictures without the masks, where these lie in a sub-folder."""
    home = masks.resolve()
    found = find_micrographs(paths)
    pictures = [path for path in found if home not in path.resolve().parents]
    if not pictures:
        raise ReadError(
            f"--masks {masks}: the pictures lie in it as well; expected masks in a folder of their own. Move them to one."
        )
    return pictures


def _measured_rows(
    path: Path,
    found: Path | ReadError,
    cells: Mapping[str, str],
    scale: Scale,
    border: Border,
    max_pixels: int,
    told: _Told,
    *,
    is_reported: bool,
) -> tuple[list[Row], Row]:
    """The rows of one picture for measurements.csv and its row for summary.csv."""
    try:
        if isinstance(found, ReadError):
            raise found
        micrograph = read_calibrated(path, cells, scale=scale, max_pixels=max_pixels)
        instance_map = read_instance_map(found, max_pixels)
        measured = measure_picture(micrograph, instance_map, border)
    except MorphoscopeError as error:
        told.problems.append(str(error))
        return [error_row(path, str(error))], error_row(path, str(error))
    told.n_pictures += 1
    told.n_particles += measured.summary.n_objects
    told.n_without_scale += measured.pixel_size is None
    notes = [*_notes(measured, instance_map), *(f"{path}: {sentence}" for sentence in conflicts(measured.pixel_size))]
    told.notes += notes
    if is_reported:
        told.reported.append(_reported(micrograph, instance_map, measured, len(told.reported) < SHOWN_PICTURES))
    return measurement_rows(measured), summary_row(measured, notes)


def _notes(measured: MeasuredPicture, instance_map: np.ndarray) -> list[str]:
    """What a user should look at, though it could be measured."""
    path, summary = measured.path, measured.summary
    if summary.n_objects == 0:
        return [f"{path}: its mask is empty, so it counts as a picture without particles."]
    notes = []
    if summary.n_objects == 1 and (pieces := n_pieces(instance_map)) > 1:
        notes.append(
            f"{path}: its mask has the one number {measured.numbers[0]} for {pieces} separate pieces, measured as one particle. "
            "Give every particle a number of its own where it is a plain foreground mask."
        )
    if summary.n == 0:
        notes.append(
            f"{path}: no particle lies clear of the border, so its size distribution is empty. --border include takes them all."
        )
    return notes


def _reported(micrograph: Micrograph, instance_map: np.ndarray, measured: MeasuredPicture, has_overlay: bool) -> ReportedPicture:
    overlay = ""
    if has_overlay:
        left_out = measured.numbers[~measured.is_counted]
        overlay = data_address(outlined(to_display(micrograph.pixels), instance_map, left_out))
    sizes_px = measured.px.equivalent_circular_diameter[measured.is_counted]
    nm_per_px = measured.pixel_size.mean_nm if measured.pixel_size else None
    name = Path(measured.path.parent.name, measured.path.name).as_posix()
    return ReportedPicture(name, measured.summary, sizes_px, nm_per_px, overlay)


def _tell(told: _Told, n_files: int, out: Path, say: Callable[[str], None]) -> None:
    """Sums up. Raises MorphoscopeError where nothing was measured."""
    if told.n_pictures == 0:
        if n_files == 1:
            raise MorphoscopeError(told.problems[0])
        raise MorphoscopeError(
            f"None of {n_files} pictures could be measured; expected pictures with masks. {out} says why for each. "
            f"The first one: {told.problems[0]}"
        )
    for sentence in told.problems:
        say(f"Error row: {sentence}")
    for sentence in told.notes[:SAID_NOTES]:
        say(f"Note: {sentence}")
    if len(told.notes) > SAID_NOTES:
        say(f"Note: {len(told.notes) - SAID_NOTES} more of these; --report lists them in {SUMMARY}.")
    if told.n_without_scale:
        say(
            f"Note: no known scale in {told.n_without_scale} of {told.n_pictures} pictures, so their nm columns are empty. "
            "Give --metadata with a pixel_size_nm column."
        )
    say(f"Particles: {told.n_particles}, pictures measured: {told.n_pictures}, error rows: {len(told.problems)}. Table: {out}")
