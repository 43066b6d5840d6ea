"""Measure: pictures and their instance maps become sizes in nm, a row an object, nothing lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_path, as_paths, silent
from morphoscope.apps.verbs.measure_picture import Choices, MapSource, Told, measured_rows
from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.unlabelled import picture_places
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


@dataclass(frozen=True)
class _Places:
    """The files and folders of the options, where they are given."""

    masks: Path | None
    model: Path | None
    report: Path | None
    metadata: Path | None
    classes: Path | None


def measure(
    paths: Paths,
    out: PathLike = "measurements.csv",
    *,
    masks: PathLike | None = None,
    model: PathLike | None = None,
    report: PathLike | None = None,
    metadata: PathLike | None = None,
    scale: Scale = "auto",
    classes: PathLike | None = None,
    class_column: str | None = None,
    border: Border = "exclude",
    kind: AskedKind = "auto",
    sample: str | None = None,
    min_focus: float = 0.0,
    precision: float = PRECISION,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Say = silent,
) -> Path:
    """Sizes of objects, in px and nm; writes measurements.csv as pictures come, and summary.csv and report.html under `report`.

        morphoscope.measure("images", "measurements.csv", masks="instance_maps", report="measured")

    The options are those of `morphoscope measure`. masks: folder of instance maps, each of its picture's stem and size; left
    out, objects are found by the segmenter `model`, a folder that `train --masks` wrote, or by the one that comes with
    Morphoscope. sample: a column of `metadata` or `classes` that names the specimen; samples.csv then pools its pictures.
    min_focus: from 0 to 1, pooled figures leave out pictures below. precision: as a share of the mean, half of the 95 %
    interval that the number of objects still needed is told for. nm columns are empty where the scale is unknown; a picture
    that can't be measured gives an error row. Returns the table's path. Raises MorphoscopeError, whose text is meant to be
    shown, for bad options, and where no picture could be measured; rows written until then are kept.
    """
    table_path = Path(out)
    places = _Places(*map(as_path, (masks, model, report, metadata, classes)))
    _check_options(border, kind, sample, places, precision)
    claim_file(table_path, overwrite)
    if places.report:
        _claim_report(places.report, overwrite)
    files = _pictures(picture_places(as_paths(paths), say), places.masks)
    cells = _cells(files, places, sample, class_column)
    source = _from_files(files, places.masks, max_pixels) if places.masks else _by_segmenter(places.model)
    choices = Choices(scale, border, kind, class_column, sample, precision, min_focus, max_pixels, bool(report))
    told = _measured(files, source, cells, choices, table_path, places.report)
    if places.report:
        _write_page(told, places.report, choices)
    _tell(told, len(files), table_path, say)
    return table_path


def _measured(
    files: Sequence[Path], source: MapSource, cells: Cells, choices: Choices, table_path: Path, report: Path | None
) -> Told:
    """Every picture, its rows written before the next one begins."""
    told = Told()
    with ExitStack() as stack:
        table = stack.enter_context(PredictionsTable(table_path, MEASUREMENT_COLUMNS))
        summary = stack.enter_context(PredictionsTable(report / SUMMARY, SUMMARY_COLUMNS)) if report else None
        progress = stack.enter_context(bar("Measuring", len(files)))
        for done, path in enumerate(files, start=1):
            rows, of_all = measured_rows(path, source, cells.get(path, {}), choices, told)
            table.write(rows)
            if summary:
                summary.write([of_all])
            progress(done)
    return told


def _write_page(told: Told, report: Path, choices: Choices) -> None:
    """report.html, and samples.csv where pictures are pooled by specimen."""
    samples = sample_rows(told.reported, choices.precision) if choices.sample_column else []
    if choices.sample_column:
        with PredictionsTable(report / SAMPLES, SAMPLE_COLUMNS) as pooled:
            pooled.write(samples)
    write_measure_report(told.reported, told.problems, told.notes, choices.border, report, samples, choices.precision)


def _check_options(border: str, kind: str, sample: str | None, places: _Places, precision: float) -> None:
    if places.masks and places.model:
        raise MorphoscopeError(
            f"--masks {places.masks} and --model {places.model}: both are given; expected one of them. Leave one out."
        )
    for option, value, allowed in (("--border", border, get_args(Border)), ("--kind", kind, get_args(AskedKind))):
        if value not in allowed:
            raise MorphoscopeError(f"{option} is '{value}'; expected {' or '.join(allowed)}.{did_you_mean(value, allowed)}")
    if sample and places.report is None:
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


def _cells(files: Sequence[Path], places: _Places, sample: str | None, class_column: str | None) -> Cells:
    """What both sheets say of each picture, by lower-case column; the metadata sheet wins."""
    sheets = [sheet for sheet in (places.classes, places.metadata) if sheet]
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


def _tell(told: Told, n_files: int, out: Path, say: Say) -> None:
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
