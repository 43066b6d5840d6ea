"""The archive's rows as columns in memory, which filters and facets run over: SQLite stays the truth, this is a copy.

`current_columns` keeps them up to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.archive.models import KnownModel
from morphoscope.archive.predictions import answers_of
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import CLASS_SEPARATOR, Task

_OF_PICTURE = (
    *("height", "width", "size_bytes", "pixel_size_nm", "magnification", "hv_kv", "wd_mm", "tilt_deg", "dwell_us"),
    "beam_current_na",
)
_OF_MEASUREMENT = ("n_objects", "diameter_nm", "length_nm", "wire_width_nm", "area_fraction")
NUMBERS = (*_OF_PICTURE, *_OF_MEASUREMENT)
TEXTS = (
    *("state", "folder", "sample", "reader", "maker", "dtype", "pixel_size_origin", "detector", "mode", "spot", "instrument"),
    "date",
)
_NO_ANSWER = -1


@dataclass(frozen=True, eq=False)
class Coded:
    """N texts as numbers. codes: (N,) int32 into values; -1: blank."""

    codes: np.ndarray
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Coded:
        values = tuple(text for text in dict.fromkeys(texts) if text)
        index: dict[str | None, int] = {None: _NO_ANSWER, "": _NO_ANSWER}
        index |= {value: code for code, value in enumerate(values)}
        return cls(np.fromiter(map(index.__getitem__, texts), np.int32, len(texts)), values)

    def merged(self, kept: np.ndarray, later: Coded) -> Coded:
        """These rows where `kept`, then the later ones."""
        index = {value: code for code, value in enumerate(self.values)}
        places = [index.setdefault(value, len(index)) for value in later.values]
        codes = np.array([*places, _NO_ANSWER], np.int32)[later.codes]
        return Coded(np.concatenate([self.codes[kept], codes]), tuple(index))

    def sorted_by(self, order: np.ndarray) -> Coded:
        return Coded(self.codes[order], self.values)


@dataclass(frozen=True, eq=False)
class Answered:
    """A task's answers: best guess, calibrated confidence (N,) float32 (nan without one), and whether the model is sure (N,)."""

    best: Coded
    confidence: np.ndarray
    is_sure: np.ndarray


@dataclass(frozen=True, eq=False)
class Columns:
    """N pictures, ascending by number: ids (N,), a float64 column a number (nan: unknown), texts, and a model's answers."""

    revision: int
    model: KnownModel | None
    ids: np.ndarray
    numbers: dict[str, np.ndarray]
    texts: dict[str, Coded]
    novelty: np.ndarray
    tasks: dict[str, Answered]

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Where pictures stand; those that are not here are left out."""
        ids = np.asarray(ids, np.int64)
        if not len(self.ids):
            return np.zeros(0, np.int64)
        rows = np.searchsorted(self.ids, ids)
        rows[rows == len(self.ids)] = 0
        return rows[self.ids[rows] == ids]

    def has(self, ids: np.ndarray) -> np.ndarray:
        """(N,) bool: whether a picture is one of these."""
        found = np.zeros(len(self), bool)
        found[self.rows_of(ids)] = True
        return found


def changed_since(connection: sqlite3.Connection, last: int, revision: int, model: KnownModel | None) -> Columns:
    """The rows that changed after a revision, as of `revision`; all of them after -1."""
    names = [f"p.{name}" for name in (*_OF_PICTURE, *TEXTS)] + [f"m.{name}" for name in _OF_MEASUREMENT]
    rows = connection.execute(
        f"SELECT p.id, {', '.join(names)} FROM picture p LEFT JOIN measurement m ON m.picture = p.id AND m.hash = p.hash "  # noqa: S608
        "WHERE p.revision > ? ORDER BY p.id",
        (last,),
    ).fetchall()
    ids = np.array([row[0] for row in rows], np.int64)
    cells = list(zip(*rows, strict=True)) or [()] * (1 + len(names))
    n_pictures, n_texts = len(_OF_PICTURE), len(TEXTS)
    of_picture, texts, measured = cells[1 : 1 + n_pictures], cells[1 + n_pictures : 1 + n_pictures + n_texts], cells[-5:]
    numbers = dict(zip(NUMBERS, (np.array(cell, float) for cell in (*of_picture, *measured)), strict=True))
    coded = dict(zip(TEXTS, map(Coded.of, texts), strict=True))
    novelty, tasks = _answers(connection, last, ids, model)
    return Columns(revision, model, ids, numbers, coded, novelty, tasks)


def _answers(
    connection: sqlite3.Connection, last: int, ids: np.ndarray, model: KnownModel | None
) -> tuple[np.ndarray, dict[str, Answered]]:
    novelty = np.full(len(ids), np.nan)
    if model is None:
        return novelty, {}
    rows = connection.execute(
        "SELECT a.picture, a.novelty, a.probabilities, a.is_sure FROM prediction a JOIN picture p ON p.id = a.picture "
        "AND p.hash = a.hash WHERE a.model = ? AND p.revision > ? ORDER BY a.picture",
        (model.id, last),
    ).fetchall()
    at = np.searchsorted(ids, np.array([row[0] for row in rows], np.int64))
    novelty[at] = np.array([row[1] for row in rows], float)
    tasks = model.schema.tasks
    n_classes = sum(len(task.classes) for task in tasks)
    probabilities = np.frombuffer(b"".join(row[2] for row in rows), "<f4").reshape(len(rows), n_classes)
    is_sure = np.frombuffer(b"".join(row[3] for row in rows), np.uint8).reshape(len(rows), len(tasks))
    found = answers_of(tasks, probabilities, np.zeros_like(probabilities, np.uint8), is_sure)
    return novelty, {one.task.name: _spread(one, at, len(ids)) for one in found}


def _spread(found: ClassPrediction, at: np.ndarray, n: int) -> Answered:
    """The answers of some rows among n."""
    codes, confidence, is_sure = np.full(n, _NO_ANSWER, np.int32), np.full(n, np.nan, np.float32), np.zeros(n, bool)
    given, values = _given(found)
    codes[at], confidence[at], is_sure[at] = given, found.confidence, found.is_sure
    return Answered(Coded(codes, values), confidence, is_sure)


def _given(found: ClassPrediction) -> tuple[np.ndarray, tuple[str, ...]]:
    """The best guess of each row as a number; of a multi-label task the classes joined."""
    if not found.task.is_multilabel:
        return found.best, found.task.classes
    sets, codes = np.unique(found.chosen(), axis=0, return_inverse=True)
    return codes, tuple(joined(found.task, members) for members in sets)


def joined(task: Task, members: np.ndarray) -> str:
    """The names of the members (C,) bool, as tables show them."""
    return CLASS_SEPARATOR.join(name for name, is_member in zip(task.classes, members, strict=True) if is_member)


def merged(known: Columns, fresh: Columns) -> Columns:
    """The known columns with the fresh rows in place of theirs."""
    if not len(fresh):
        return _with_revision(known, fresh.revision)
    kept = ~np.isin(known.ids, fresh.ids)
    ids = np.concatenate([known.ids[kept], fresh.ids])
    order = np.argsort(ids, kind="stable")

    def joined_rows(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        return np.concatenate([before[kept], after])[order]

    def joined_texts(before: Coded, after: Coded) -> Coded:
        return before.merged(kept, after).sorted_by(order)

    tasks = {}
    for name, after in fresh.tasks.items():
        before = known.tasks[name]
        tasks[name] = Answered(
            joined_texts(before.best, after.best),
            joined_rows(before.confidence, after.confidence),
            joined_rows(before.is_sure, after.is_sure),
        )
    return Columns(
        fresh.revision,
        fresh.model,
        ids[order],
        {name: joined_rows(known.numbers[name], fresh.numbers[name]) for name in NUMBERS},
        {name: joined_texts(known.texts[name], fresh.texts[name]) for name in TEXTS},
        joined_rows(known.novelty, fresh.novelty),
        tasks,
    )


def _with_revision(known: Columns, revision: int) -> Columns:
    return Columns(revision, known.model, known.ids, known.numbers, known.texts, known.novelty, known.tasks)
