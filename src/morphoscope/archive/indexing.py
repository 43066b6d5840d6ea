"""Indexing: files through the model and into the archive, a transaction a batch, so that whatever ends a run loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from morphoscope.archive.files import Look, current_state
from morphoscope.archive.measurements import record_measurement
from morphoscope.archive.models import ModelIdentity, record_model
from morphoscope.archive.pictures import Entry, record_pictures
from morphoscope.archive.planning import Cells, Plan
from morphoscope.archive.predictions import record_embeddings, record_predictions
from morphoscope.archive.scales import scale_cells, with_scale
from morphoscope.archive.store import Archive
from morphoscope.archive.thumbnails import thumbnail
from morphoscope.calibration.resolve import Scale
from morphoscope.data.columns import SAMPLE_HEADINGS
from morphoscope.data.matching import spelling_key
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.io.read import MAX_PIXELS
from morphoscope.measure.picture import Asked, measure_picture
from morphoscope.measure.tables import summary_row
from morphoscope.micrograph import Micrograph
from morphoscope.models.bundle import Bundle

NOTES_HEADINGS = ("notes", "note", "comment", "comments", "remark", "remarks")

FindObjects = Callable[[Micrograph], np.ndarray]
"""Gives the instance map (Y, X) of a picture."""


@dataclass
class Outcome:
    """What a run did. failed: the sentence of each file that could not be read; unmeasured: of each that could not be measured."""

    pictures: int = 0
    measured: int = 0
    failed: dict[Path, str] = field(default_factory=dict)
    unmeasured: dict[Path, str] = field(default_factory=dict)


class Indexer:
    """One model at work on an archive."""

    def __init__(
        self,
        archive: Archive,
        model: tuple[ModelIdentity, Bundle],
        *,
        find_objects: FindObjects | None = None,
        segmenter: str = "",
        scale: Scale = "auto",
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """find_objects: measures every picture too; segmenter: what it is called."""
        self._archive, self._scale, self._max_pixels = archive, scale, max_pixels
        self._find_objects, self._segmenter = find_objects, segmenter
        self.model = record_model(archive, model[0])
        self._predictor = Predictor(model[1], max_pixels, scale)
        self._words: dict[Path, dict[str, str]] = {}

    def run(
        self, todo: Plan, cells: Cells, outcome: Outcome, files: Mapping[Path, Mapping[str, Path]] | None = None
    ) -> Iterator[int]:
        """Works a plan off; after each batch, when it is safe on disk, how many files are done. files: of each picture's
        channels."""
        done = 0
        self._words = self._scales_of_people(todo)
        read_with = {**cells, **{path: with_scale(cells.get(path, {}), word) for path, word in self._words.items()}}
        for batch in self._predictor.predict(todo.to_read, read_with, files):
            self._record(batch, todo.looks, cells, outcome)
            done += len(batch.paths)
            yield done
        for path, number in todo.to_measure.items():
            self._measure(path, number, cells.get(path, {}), outcome)
            done += 1
            yield done

    def _record(self, batch: Predicted, looks: Mapping[Path, Look], cells: Cells, outcome: Outcome) -> None:
        read = {one.micrograph.path: one for one in batch.seen}
        entries = []
        for path in batch.paths:
            seen, row = read.get(path), cells.get(path, {})
            entries.append(
                Entry(
                    current_state(path, looks[path]),
                    seen.micrograph if seen else None,
                    batch.failed.get(path, ""),
                    sample=_cell(row, SAMPLE_HEADINGS),
                    notes=_cell(row, NOTES_HEADINGS),
                    thumbnail=thumbnail(seen.working) if seen else None,
                    sheet=row,
                )
            )
        with self._archive.writing():
            numbers = dict(zip(batch.paths, record_pictures(self._archive, entries), strict=True))
            readable = [numbers[path] for path in batch.paths if path in read]
            if readable:
                record_predictions(self._archive, self.model, readable, batch.predictions, batch.novelty)
                record_embeddings(self._archive, self.model, readable, batch.appearance)
        outcome.pictures += len(readable)
        outcome.failed |= batch.failed
        if self._find_objects:
            for path in read:
                self._measure(path, numbers[path], cells.get(path, {}), outcome)

    def _measure(self, path: Path, number: int, row: Mapping[str, str], outcome: Outcome) -> None:
        if self._find_objects is None:
            return
        row = with_scale(row, self._words.get(path, {}))
        try:
            micrograph = read_calibrated(path, row, scale=self._scale, max_pixels=self._max_pixels)
            measured = measure_picture(micrograph, self._find_objects(micrograph), Asked(cells=row))
        except MorphoscopeError as error:
            outcome.unmeasured[path] = str(error)
            return
        record_measurement(self._archive, number, summary_row(measured), measured.diameters_nm, self._segmenter)
        outcome.measured += 1

    def _scales_of_people(self, todo: Plan) -> dict[Path, dict[str, str]]:
        """What people said of the scale of these very bytes."""
        words = scale_cells(self._archive)
        if not words:
            return {}
        hashes = {path: current_state(path, todo.looks[path]).hash for path in (*todo.to_read, *todo.to_measure)}
        return {path: words[file_hash] for path, file_hash in hashes.items() if file_hash in words}


def _cell(row: Mapping[str, str], headings: tuple[str, ...]) -> str | None:
    """The first filled cell under one of these headings, in any spelling."""
    return next((cell for name, cell in row.items() if spelling_key(name).replace("_", "") in headings), None)
