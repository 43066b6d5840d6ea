"""Measure: pictures and their instance maps become sizes in nm, a row an object, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import numpy as np

from morphoscope.apps.verbs.measure_picture import Choices, MapSource, Told, measured_rows
from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.calibration.resolve import Scale
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.errors import MorphoscopeError, OutputError, ReadError, did_you_mean
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.measure.border import Border
from morphoscope.measure.distribution import PRECISION
from morphoscope.measure.instance_map import read_instance_map
from morphoscope.measure.mask_matching import match_instance_maps, without_masks
from morphoscope.measure.routing import AskedKind
from morphoscope.measure.tables import MEASUREMENT_COLUMNS, SAMPLE_COLUMNS, SUMMARY_COLUMNS
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.measure_report import write_measure_report
from morphoscope.reporting.measured import sample_rows
from morphoscope.reporting.predictions_table import PredictionsTable

SAID_NOTES = 10

SUMMARY, SAMPLES, PAGE = "summary.csv", "samples.csv", "report.html"

Cells = dict[Path, dict[str, str]]


def measure(
    paths: Sequence[Path],
    *,
    out: Path,
    masks: Path | None = None,
    model: Path | None = None,
    report: Path | None = None,
    metadata: Path | None = None,
    scale: Scale = "auto",
    classes: Path | None = None,
    class_column: str | None = None,
    border: Border = "exclude",
    kind: AskedKind = "auto",
    sample: str | None = None,
    min_focus: float = 0.0,
    precision: float = PRECISION,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Writes measurements.csv as pictures come, and summary.csv, samples.csv and report.html into the folder `report`.

    masks: folder of instance maps, each of its picture's stem; left out, objects are found by the segmenter `model`, a folder that
    `train --masks` wrote, or by the one that comes with Morphoscope. scale: where the pixel size comes from. border: see Border;
    measurements.csv has every object in any case. kind: what to measure; `auto` asks the sheet `classes` (or `metadata`), then
    the objects. sample: a column of either sheet that names the specimen of each picture. min_focus: pooled figures leave out
    pictures below. A picture that can't be measured gives an error row. Raises MorphoscopeError for bad options, and where no
    picture could be measured; rows written until then are kept.
    """
    _check_options(border, kind, sample, report, precision)
    if masks and model:
        raise MorphoscopeError(f"--masks {masks} and --model {model}: both are given; expected one of them. Leave one out.")
    claim_file(out, overwrite)
    if report:
        _claim_report(report, overwrite)
    files = _pictures(paths, masks)
    cells = _cells(files, metadata, classes, sample, class_column)
    source = _from_files(files, masks, max_pixels) if masks else _by_segmenter(model)
    choices = Choices(scale, border, kind, class_column, sample, precision, min_focus, max_pixels, bool(report))
    told = Told()
    with ExitStack() as stack:
        table = stack.enter_context(PredictionsTable(out, MEASUREMENT_COLUMNS))
        summary = stack.enter_context(PredictionsTable(report / SUMMARY, SUMMARY_COLUMNS)) if report else None
        progress = stack.enter_context(bar("Measuring", len(files)))
        for done, path in enumerate(files, start=1):
            rows, of_all = measured_rows(path, source, cells.get(path, {}), choices, told)
            table.write(rows)
            if summary:
                summary.write([of_all])
            progress(done)
    if report:
        _write_page(told, report, choices)
    _tell(told, len(files), out, say)
    return out


def _write_page(told: Told, report: Path, choices: Choices) -> None:
    """report.html, and samples.csv where pictures are pooled by specimen."""
    samples = sample_rows(told.reported, choices.precision) if choices.sample_column else []
    if choices.sample_column:
        with PredictionsTable(report / SAMPLES, SAMPLE_COLUMNS) as pooled:
            pooled.write(samples)
    write_measure_report(told.reported, told.problems, told.notes, choices.border, report, samples, choices.precision)


def _check_options(border: str, kind: str, sample: str | None, report: Path | None, precision: float) -> None:
    for option, value, allowed in (("--border", border, get_args(Border)), ("--kind", kind, get_args(AskedKind))):
        if value not in allowed:
            raise MorphoscopeError(f"{option} is '{value}'; expected {' or '.join(allowed)}.{did_you_mean(value, allowed)}")
    if sample and report is None:
        raise MorphoscopeError("--sample pools pictures into samples.csv; expected a folder for it. Add --report DIR.")
    if not 0 < precision < 1:
        raise MorphoscopeError(f"--precision is {precision:g}; expected a share of the mean between 0 and 1, such as 0.05.")


def _claim_report(folder: Path, overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--report {folder}: the folder can't be made ({error.strerror}). Choose another --report.") from error
    found = [name for name in (SUMMARY, SAMPLES, PAGE) if (folder / name).exists()]
    if found and not overwrite:
        raise OutputError(
            f"--report {folder}: it holds earlier results ({', '.join(found)}); expected none. Choose another --report, or add "
            "--overwrite."
        )
    (folder / SAMPLES).unlink(missing_ok=True)  # not every run writes it


def _pictures(paths: Sequence[Path], masks: Path | None) -> list[Path]:
    """The pictures without the masks, where these lie in a sub-folder, or beside them under the names of other programs."""
    found = find_micrographs(paths)
    if masks is None:
        return found
    home = masks.resolve()
    pictures = [path for path in found if home not in path.resolve().parents]
    if not pictures:
        pictures = without_masks(found)
        if len(pictures) == len(found):
            raise ReadError(
                f"--masks {masks}: the pictures lie in it as well; expected masks in a folder of their own. Move them to one."
            )
    return pictures


def _cells(
    files: Sequence[Path], metadata: Path | None, classes: Path | None, sample: str | None, class_column: str | None
) -> Cells:
    """What both sheets say of each picture, by lower-case column; the metadata sheet wins."""
    sheets = [sheet for sheet in (classes, metadata) if sheet]
    cells: Cells = {path: {} for path in files}
    for sheet in sheets:
        for path, row in metadata_rows(sheet, files).items():
            cells[path] |= {name.strip().lower(): cell for name, cell in row.items()}
    columns = sorted({name for row in cells.values() for name in row})
    for option, column in (("--sample", sample), ("--class-column", class_column)):
        if column and column.lower() not in columns:
            named = " and ".join(str(sheet) for sheet in sheets) or "no sheet (add --metadata SHEET)"
            raise MorphoscopeError(
                f"{option} names '{column}', which is no filled column of {named}; expected one of {', '.join(columns) or 'none'}."
                f"{did_you_mean(column, columns)}"
            )
    return cells


def _from_files(files: Sequence[Path], masks: Path, max_pixels: int) -> MapSource:
    """Reads the map of a picture from the folder of masks."""
    maps: Mapping[Path, Path | ReadError] = match_instance_maps(files, masks)

    def read_map(path: Path, micrograph: Micrograph) -> np.ndarray:
        found = maps[path]
        if isinstance(found, ReadError):
            raise found
        height, width = micrograph.pixels.shape
        return read_instance_map(found, max_pixels, (height, width))

    return read_map


def _by_segmenter(model: Path | None) -> MapSource:
    """Finds the objects of a picture."""
    from morphoscope.inference.instances import find_instances
    from morphoscope.inference.segmentation import ObjectFinder
    from morphoscope.models.segmenter_file import load_segmenter

    finder = ObjectFinder(load_segmenter(model))
    return lambda path, micrograph: find_instances(micrograph, finder)


def _tell(told: Told, n_files: int, out: Path, say: Callable[[str], None]) -> None:
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
    counts = ", ".join(f"{what.capitalize()}: {n}" for what, n in told.n_objects.items() if n or what == "particles")
    say(f"{counts}, pictures measured: {told.n_pictures}, error rows: {len(told.problems)}. Table: {out}")
