"""One picture measured for the tables and the page: its rows, what is odd about it, and what is pooled of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from morphoscope.calibration.resolve import Scale, conflicts
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError
from morphoscope.io.display import to_display
from morphoscope.io.read import MAX_PIXELS
from morphoscope.measure.border import Border
from morphoscope.measure.distribution import PRECISION
from morphoscope.measure.instance_map import n_pieces
from morphoscope.measure.picture import Asked, MeasuredPicture, measure_picture
from morphoscope.measure.routing import AskedKind, kind_of_class
from morphoscope.measure.tables import measurement_rows, summary_row
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.measured import ReportedPicture, reported_picture
from morphoscope.reporting.outlines import data_address, outlined
from morphoscope.reporting.predictions_table import Row, error_row

SHOWN_PICTURES = 40
"""Pictures whose outlines the report holds, at some 150 kB each."""

CLASS_COLUMNS = ("morphology", "kind", "class", "shape", "nanostructures")
"""Columns of a sheet or of predictions.csv, in any case, that may say what is measured, the first of them that does."""

MapSource = Callable[[Path, Micrograph], np.ndarray]
"""Gives the instance map (Y, X) of a picture: from a file, or from a segmenter. Raises MorphoscopeError where it can't."""


@dataclass(frozen=True)
class Choices:
    """The options of `measure` that hold for every picture."""

    scale: Scale = "auto"
    border: Border = "exclude"
    kind: AskedKind = "auto"
    class_column: str | None = None
    sample_column: str | None = None
    precision: float = PRECISION
    min_focus: float = 0.0
    max_pixels: int = MAX_PIXELS
    is_reported: bool = False


@dataclass
class Told:
    """What a run has to tell beside its tables. problems: a sentence for each picture that could not be measured."""

    n_pictures: int = 0
    n_objects: dict[str, int] = field(default_factory=lambda: {"particles": 0, "wires": 0})
    n_without_scale: int = 0
    n_blurred: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reported: list[ReportedPicture] = field(default_factory=list)


def measured_rows(path: Path, source: MapSource, cells: Mapping[str, str], choices: Choices, told: Told) -> tuple[list[Row], Row]:
    """The rows of one picture for measurements.csv and its row for summary.csv; cells: of the sheets, by lower-case column."""
    try:
        micrograph = read_calibrated(path, cells, scale=choices.scale, max_pixels=choices.max_pixels)
        instance_map = source(path, micrograph)
        class_name = _class_name(cells, choices.class_column)
        asked = Asked(choices.border, choices.kind, class_name, choices.precision, cells)
        measured = measure_picture(micrograph, instance_map, asked)
    except MorphoscopeError as error:
        told.problems.append(str(error))
        return [error_row(path, str(error))], error_row(path, str(error))
    summary = measured.summary
    n_wires = int(measured.objects.is_wire.sum())
    told.n_pictures += 1
    told.n_objects["wires"] += n_wires
    told.n_objects["particles"] += summary.n_objects - n_wires
    told.n_without_scale += measured.pixel_size is None
    is_sharp = not summary.sharpness.focus < choices.min_focus  # an unknown focus leaves nothing out
    told.n_blurred += not is_sharp
    notes = [*_notes(measured, instance_map), *(f"{path}: {sentence}" for sentence in conflicts(measured.pixel_size))]
    if not is_sharp:
        notes.append(f"{path}: its focus {summary.sharpness.focus:.2f} is below --min-focus, so pooled figures leave it out.")
    told.notes += notes
    sample = cells.get((choices.sample_column or "").lower(), "")
    if choices.is_reported:
        has_overlay = len(told.reported) < SHOWN_PICTURES
        overlay = _overlay(micrograph, instance_map, measured) if has_overlay else ""
        told.reported.append(reported_picture(measured, sample, overlay, is_pooled=is_sharp))
    return measurement_rows(measured), summary_row(measured, notes, sample=sample, class_name=class_name, is_pooled=is_sharp)


def _class_name(cells: Mapping[str, str], column: str | None) -> str:
    if column:
        return cells.get(column.lower(), "")
    return next((cells[name] for name in CLASS_COLUMNS if kind_of_class(cells.get(name, ""))), "")


def _notes(measured: MeasuredPicture, instance_map: np.ndarray) -> list[str]:
    """What a user should look at, though it could be measured."""
    path, summary = measured.path, measured.summary
    if summary.n_objects == 0:
        return [f"{path}: its mask is empty, so it counts as a picture without particles."]
    notes = []
    if summary.n_objects == 1 and summary.route.kind == "particles" and (pieces := n_pieces(instance_map)) > 1:
        notes.append(
            f"{path}: its mask has the one number {measured.objects.numbers[0]} for {pieces} separate pieces, measured as one "
            "particle. Give every particle a number of its own where it is a plain foreground mask."
        )
    if summary.n == 0:
        notes.append(
            f"{path}: no particle lies clear of the border, so its size distribution is empty. --border include takes them all."
        )
    return notes


def _overlay(micrograph: Micrograph, instance_map: np.ndarray, measured: MeasuredPicture) -> str:
    objects = measured.objects
    left_out = objects.numbers[~objects.is_counted]
    drawn = outlined(to_display(micrograph.pixels), instance_map, left_out, measured.pixel_size, objects.wires_px.centre_lines)
    return data_address(drawn)
