"""What models say of pictures: every probability, the conformal set, novelty and the features that similarity is measured in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope import __version__
from morphoscope.archive.models import KnownModel
from morphoscope.archive.store import Archive, now
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Task


@dataclass(frozen=True, eq=False)
class StoredPrediction:
    """One picture's answers by a model: one row each. is_current: the file is still the one that was seen."""

    model: KnownModel
    answers: list[ClassPrediction]
    novelty: float | None
    version: str
    made_at: str
    is_current: bool


def record_predictions(
    archive: Archive, model: int, pictures: Sequence[int], predictions: Sequence[ClassPrediction], novelty: np.ndarray
) -> None:
    """Keeps a model's answers for N pictures, in place of its earlier ones. predictions: one a task, N rows; novelty: (N,)."""
    if not predictions:
        return
    probabilities = np.concatenate([one.probabilities for one in predictions], 1).astype("<f4")
    in_set = np.concatenate([one.in_set for one in predictions], 1).astype(np.uint8)
    is_sure = np.stack([one.is_sure for one in predictions], 1).astype(np.uint8)
    when = now()
    rows = [
        (
            number,
            model,
            p.tobytes(),
            s.tobytes(),
            sure.tobytes(),
            None if np.isnan(new) else float(new),
            __version__,
            when,
            number,
        )
        for number, p, s, sure, new in zip(pictures, probabilities, in_set, is_sure, novelty, strict=True)
    ]
    with archive.writing() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO prediction (picture, model, probabilities, in_set, is_sure, novelty, version, made_at, hash) "
            "SELECT ?, ?, ?, ?, ?, ?, ?, ?, hash FROM picture WHERE id = ?",
            rows,
        )
        _touch(archive, pictures)


def record_embeddings(archive: Archive, model: int, pictures: Sequence[int], features: np.ndarray) -> None:
    """Keeps features (N, F) of N pictures, rounded to float16."""
    limit = float(np.finfo(np.float16).max)
    vectors = np.clip(features, -limit, limit).astype("<f2")
    with archive.writing() as connection:
        rows = [(model, number, vector.tobytes()) for number, vector in zip(pictures, vectors, strict=True)]
        connection.executemany("INSERT OR REPLACE INTO embedding (model, picture, vector) VALUES (?, ?, ?)", rows)
        _touch(archive, pictures)


def prediction_of(archive: Archive, picture: int, model: KnownModel) -> StoredPrediction | None:
    """A model's answers for one picture, if the archive has them."""
    row = archive.connection.execute(
        "SELECT p.probabilities, p.in_set, p.is_sure, p.novelty, p.version, p.made_at, p.hash = picture.hash "
        "FROM prediction p JOIN picture ON picture.id = p.picture WHERE p.picture = ? AND p.model = ?",
        (picture, model.id),
    ).fetchone()
    if row is None:
        return None
    arrays = (np.frombuffer(row[0], "<f4"), np.frombuffer(row[1], np.uint8), np.frombuffer(row[2], np.uint8))
    answers = answers_of(model.schema.tasks, *(one[None] for one in arrays))
    return StoredPrediction(model, answers, row[3], row[4], row[5], bool(row[6]))


def embedding_of(archive: Archive, picture: int, model: int) -> np.ndarray | None:
    """(F,) float32 features of one picture, if the archive has them."""
    row = archive.connection.execute("SELECT vector FROM embedding WHERE model = ? AND picture = ?", (model, picture)).fetchone()
    return np.frombuffer(row[0], "<f2").astype(np.float32) if row else None


def answers_of(
    tasks: Sequence[Task], probabilities: np.ndarray, in_set: np.ndarray, is_sure: np.ndarray
) -> list[ClassPrediction]:
    """A prediction a task from (N, C) of all classes side by side and (N, T)."""
    found, start = [], 0
    for index, task in enumerate(tasks):
        end = start + len(task.classes)
        found.append(
            ClassPrediction(task, probabilities[:, start:end], in_set[:, start:end].astype(bool), is_sure[:, index].astype(bool))
        )
        start = end
    return found


def _touch(archive: Archive, pictures: Sequence[int]) -> None:
    archive.connection.executemany(
        "UPDATE picture SET revision = (SELECT revision FROM archive) WHERE id = ?", [(number,) for number in pictures]
    )
