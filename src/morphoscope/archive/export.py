"""What a search found as a table for any program, and as a label sheet that `morphoscope train` takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from morphoscope.archive.annotation.tasks import label_tasks
from morphoscope.archive.columns import NUMBERS, TEXTS, Answered, Coded
from morphoscope.archive.files import from_stored, shown
from morphoscope.archive.labels import LABEL_SOURCES, LabelSource, consensus_columns
from morphoscope.archive.scales import PIXEL_SIZE, scale_cells
from morphoscope.archive.search import Selection
from morphoscope.archive.store import Archive
from morphoscope.errors import ArchiveError, did_you_mean
from morphoscope.io.label_sheet import FILENAME

SAMPLE = "Sample"
_WHOLE = ("height", "width", "size_bytes", "n_objects")


def table(archive: Archive, found: Selection, count: int | None = None) -> pd.DataFrame:
    """A row a picture in the order found: path, status, score, metadata, a model's answers as in predictions.csv, sizes and
    what people say (`T.label`)."""
    ids = found.ids[:count]
    rows = found.columns.rows_of(ids)
    columns: dict[str, object] = {"id": ids, "path": [shown(str(path)) for path in paths_of(archive, ids)]}
    columns["status"] = _texts(found.columns.texts["state"], rows)
    if found.score is not None:
        columns["score"] = found.score[:count].round(6)
    for name in NUMBERS:
        values = found.columns.numbers[name][rows]
        columns[name] = pd.array(values, "Int64") if name in _WHOLE else values
    columns |= {name: _texts(found.columns.texts[name], rows) for name in TEXTS if name != "state"}
    columns["novelty"] = found.columns.novelty[rows]
    labels = consensus_columns(archive, found.columns)
    for name, answered in found.columns.tasks.items():
        best = _texts(answered.best, rows)
        columns[name] = np.where(answered.is_sure[rows], best, "")
        columns[f"{name}.best"], columns[f"{name}.confidence"] = best, answered.confidence[rows]
    for task in label_tasks(archive):
        if coded := labels(task.name):
            columns[f"{task.name}.label"] = _texts(coded, rows)
    return pd.DataFrame(columns)


def label_sheet(archive: Archive, found: Selection, source: LabelSource = "people", tasks: Sequence[str] = ()) -> pd.DataFrame:
    """A label sheet of the found pictures that have a class: filename, a column a task, and Sample where any is known.

    Raises ArchiveError for a source or task that there isn't, and where no picture has a class.
    """
    if source not in LABEL_SOURCES:
        raise ArchiveError(
            f"--labels is '{source}'; expected {', '.join(LABEL_SOURCES)}.{did_you_mean(source, LABEL_SOURCES)} Choose one."
        )
    columns = _classes(archive, found, source)
    for task in tasks:
        if task not in columns:
            raise ArchiveError(
                f"{archive.path}: there is no task '{task}'; expected one of {', '.join(columns) or 'none yet'}."
                f"{did_you_mean(task, columns)} Name another."
            )
    columns = {name: cells for name, cells in columns.items() if not tasks or name in tasks}
    has_any = np.zeros(len(found.ids), bool)
    for cells in columns.values():
        has_any |= cells != ""
    if not has_any.any():
        what = {"people": "an answer that annotators agree on", "model": "an answer that a model is sure of"}.get(
            source, "a class"
        )
        raise ArchiveError(
            f"{archive.path}: none of {len(found.ids)} pictures has {what}; expected some. Label pictures, search more widely, or "
            "choose other --labels (people, model, both)."
        )
    sheet = pd.DataFrame({FILENAME: [shown(str(path)) for path in paths_of(archive, found.ids)], **columns})
    words = scale_cells(archive)
    sizes = [words.get(file_hash, {}).get(PIXEL_SIZE, "") for file_hash in _hashes_of(archive, found.ids)]
    if any(sizes):
        sheet[PIXEL_SIZE] = sizes  # training takes a person's word over the file's, as the archive does
    samples = _texts(found.columns.texts["sample"], found.columns.rows_of(found.ids))
    if any(samples):
        sheet[SAMPLE] = samples
    return sheet[has_any].reset_index(drop=True)


def paths_of(archive: Archive, ids: np.ndarray) -> list[Path]:
    """The files of pictures, in that order."""
    if len(ids) < 500:
        one = "SELECT path FROM picture WHERE id = ?"
        return [from_stored(archive.connection.execute(one, (int(number),)).fetchone()[0]) for number in ids]
    paths = dict(archive.connection.execute("SELECT id, path FROM picture").fetchall())
    return [from_stored(paths[number]) for number in ids.tolist()]


def _hashes_of(archive: Archive, ids: np.ndarray) -> list[str]:
    hashes = dict(archive.connection.execute("SELECT id, hash FROM picture WHERE hash IN (SELECT hash FROM scale)").fetchall())
    return [hashes.get(number, "") for number in ids.tolist()]


def _classes(archive: Archive, found: Selection, source: str) -> dict[str, np.ndarray]:
    """(K,) classes a task, blank where there is none."""
    rows = found.columns.rows_of(found.ids)
    labels = consensus_columns(archive, found.columns)
    of_people = {task.name: _texts(coded, rows) for task in label_tasks(archive) if (coded := labels(task.name))}
    of_model = {name: _sure(answered, rows) for name, answered in found.columns.tasks.items()}
    if source == "people":
        return of_people
    if source == "model":
        return of_model
    merged = dict(of_model)
    for name, cells in of_people.items():
        merged[name] = np.where(cells != "", cells, of_model[name]) if name in of_model else cells
    return merged


def _sure(answered: Answered, rows: np.ndarray) -> np.ndarray:
    return np.where(answered.is_sure[rows], _texts(answered.best, rows), "")


def _texts(coded: Coded, rows: np.ndarray) -> np.ndarray:
    return np.array([*coded.values, ""], object)[coded.codes[rows]]
