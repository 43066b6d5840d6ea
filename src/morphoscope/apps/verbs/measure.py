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
from morphoscope.calibration.resolve import resolve
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.errors import MorphoscopeError, OutputError, ReadError, did_you_mean
from morphoscope.io.display import to_display
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS, read
from morphoscope.measure.instance_map import match_instance_maps, n_pieces, read_instance_map
from morphoscope.measure.picture import Border, MeasuredPicture, measure_picture
from morphoscope.measure.tables import MEASUREMENT_COLUMNS, SUMMARY_COLUMNS, measurement_rows, summary_row
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.measure_report import ReportedPicture, write_measure_report
from morphoscope.reporting.outlines import data_address, outlined
from morphoscope.reporting.predictions_table import PredictionsTable, error_row

SHOWN_PICTURES = 40
"""Pictures whose outlines the report holds, at some 150 kB each."""

OWN_RESULTS = ("summary.csv", "report.html")


@dataclass
class _Told:
    """What a run has to tell beside its tables. problems: a sentence a picture that could not be measured."""

    n_measured: int = 0
    n_particles: int = 0
    n_without_scale: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[ReportedPicture] = field(default_factory=list)


def measure(
    paths: Sequence[Path],
    *,
    out: Path,
    masks: Path | None,
    report: Path | None = None,
    metadata: Path | None = None,
    border: Border = "exclude",
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Writes measurements.csv as pictures come, and summary.csv and report.html into the folder `report`.

    masks: folder of instance maps, each of the same stem as its picture. border: whether the size distribution leaves out
    particles that touch the border; their rows are written in any case. A picture that can't be measured gives an error row.
    Raises MorphoscopeError for bad options and where no picture could be measured; rows written until then are kept.
    """
    _check(masks, border)
    assert_masks = masks
    claim_file(out, overwrite)
    if report:
        _claim_report(report, overwrite)
    files = _pictures(paths, masks)
    cells = metadata_rows(metadata, files) if metadata else {}
    maps = match_instance_maps(files, masks)
    told = _Told()
    with ExitStack() as stack:
        table = stack.enter_context(PredictionsTable(out, MEASUREMENT_COLUMNS))
        summary = stack.enter_context(PredictionsTable(report / OWN_RESULTS[0], SUMMARY_COLUMNS)) if report else None
        progress = stack.enter_context(bar("Measuring", len(files)))
        for done, path in enumerate(files, start=1):
            ...
    return out
