"""Search: words, classes, fields and a picture's like, in one query."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.archive.approximate import probably_most_similar
from morphoscope.archive.columns import Columns
from morphoscope.archive.current_columns import columns
from morphoscope.archive.current_vectors import vectors
from morphoscope.archive.files import from_stored
from morphoscope.archive.filters import matching
from morphoscope.archive.labels import consensus_columns
from morphoscope.archive.models import KnownModel, looking_model
from morphoscope.archive.ordering import RELEVANCE, SIMILARITY, ordered
from morphoscope.archive.pictures import picture_at
from morphoscope.archive.predictions import embedding_of
from morphoscope.archive.query import Query, parse
from morphoscope.archive.store import Archive
from morphoscope.archive.vectors import Vectors
from morphoscope.archive.words import word_hits
from morphoscope.errors import QueryError

Look = Callable[[KnownModel, Path], np.ndarray]
"""Gives the features (F,) that a model sees in a picture file. Raises MorphoscopeError."""


@dataclass(frozen=True)
class Guess:
    """A task's best guess, its confidence, and whether the model is sure enough to call it its answer."""

    best: str
    confidence: float
    is_sure: bool


@dataclass(frozen=True)
class Hit:
    """A picture that was found. score: its similarity; None where no picture was asked for. state: see Picture."""

    id: int
    path: Path
    name: str
    state: str
    score: float | None
    height: int | None
    width: int | None
    pixel_size_nm: float | None
    pixel_size_origin: str | None
    sample: str
    notes: str
    classes: dict[str, Guess]
    novelty: float | None
    n_objects: int | None
    diameter_nm: float | None


@dataclass(frozen=True)
class Found:
    """hits: the page asked for, of `total`. without_features: pictures that a search by picture could not compare.
    is_approximate: a few of the most similar may be missing, since the archive is very large."""

    total: int
    seconds: float
    hits: list[Hit]
    without_features: int = 0
    is_approximate: bool = False


@dataclass(frozen=True, eq=False)
class Selection:
    """Every picture that a search finds, in its order: ids (K,), score (K,) or None. is_approximate: see Found."""

    columns: Columns
    ids: np.ndarray
    score: np.ndarray | None
    without_features: int = 0
    is_approximate: bool = False


def search(
    archive: Archive,
    query: str | Query = "",
    *,
    features: np.ndarray | None = None,
    look: Look | None = None,
    sort: str = "",
    limit: int = 50,
    offset: int = 0,
    model: str = "",
    is_exact: bool = False,
) -> Found:
    """The pictures that a query finds, a page of them.

    features: (F,) of a picture whose like is sought, in place of `like:`. look: reads the features of a file that the archive
    doesn't have. sort: similarity, relevance, name, added, or a field; a minus in front turns it round. model: whose answers
    are meant. is_exact: all pictures are compared in a very large archive too, as the pages of one list need it. Raises QueryError
    for a query that can't be understood, ArchiveError for a model that there isn't.
    """
    began = time.perf_counter()
    selection = select(
        archive, query, features=features, look=look, sort=sort, model=model, at_most=offset + limit, is_exact=is_exact
    )
    page = slice(offset, offset + limit)
    scores = selection.score[page] if selection.score is not None else None
    found = hits(archive, selection.columns, selection.ids[page], scores)
    seconds = time.perf_counter() - began
    return Found(len(selection.ids), seconds, found, selection.without_features, selection.is_approximate)


def select(
    archive: Archive,
    query: str | Query = "",
    *,
    features: np.ndarray | None = None,
    look: Look | None = None,
    sort: str = "",
    model: str = "",
    at_most: int | None = None,
    is_exact: bool = False,
) -> Selection:
    """The same without the hits' details. at_most: how many of the first need their order; the rest may come in any."""
    query = parse(query) if isinstance(query, str) else query
    current = columns(archive, model)
    by = sort.removeprefix("-") or (SIMILARITY if query.like or features is not None else RELEVANCE)
    words = word_hits(archive, query.wanted_words, is_ranked=by == RELEVANCE) if query.wanted_words else None
    rows = np.flatnonzero(matching(archive, query, current, consensus_columns(archive, current), words))
    if query.like and features is None:
        features = _features(archive, query.like, look, model)
    if features is None:
        return Selection(current, current.ids[rows[ordered(archive, current, rows, None, words, sort, at_most)]], None)
    rows, at, known, without = _comparable(archive, current, rows, features, model)
    if known is None:
        return Selection(current, current.ids[:0], np.zeros(0, np.float32), without)
    if at_most is not None and sort in ("", SIMILARITY):
        probable = None if is_exact else probably_most_similar(known, features, at, at_most)
        first = probable or known.most_similar(features, at, at_most)
        ids = _first(current.ids[rows], known.ids[first.rows])
        return Selection(current, ids, first.cosine, without, probable is not None)
    score = known.similarity(features, at)
    order = ordered(archive, current, rows, score, words, sort, at_most)
    return Selection(current, current.ids[rows[order]], score[order], without)


def _first(ids: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """All ids (K,) ascending, the ordered ones in front."""
    rest = np.ones(len(ids), bool)
    rest[np.searchsorted(ids, ordered)] = False
    return np.concatenate([ordered, ids[rest]])


_OF_HIT = "id, path, name, state, height, width, pixel_size_nm, pixel_size_origin, sample, notes"


def hits(archive: Archive, current: Columns, ids: np.ndarray, scores: np.ndarray | None = None) -> list[Hit]:
    """What a list shows of pictures."""
    rows: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(ids), 500):
        some = [int(number) for number in ids[start : start + 500]]
        marks = ", ".join("?" * len(some))
        of_some = archive.connection.execute(f"SELECT {_OF_HIT} FROM picture WHERE id IN ({marks})", some)  # noqa: S608
        rows |= {row[0]: row for row in of_some}
    at = current.rows_of(ids)
    score: list[float | None] = [None] * len(ids) if scores is None else scores.tolist()
    found = []
    for number, likeness, worked_out in zip(ids.tolist(), score, _worked_out(current, at), strict=True):
        _, path, name, state, *said = rows[number]
        found.append(Hit(*(number, from_stored(path), name, state, likeness, *said, *worked_out)))
    return found


def _worked_out(current: Columns, at: np.ndarray) -> list[tuple[dict[str, Guess], float | None, int | None, float | None]]:
    """Guesses, novelty, number and diameter of objects of some rows."""
    guesses: list[dict[str, Guess]] = [{} for _ in at]
    for task, answered in current.tasks.items():
        given = (answered.best.codes[at].tolist(), answered.confidence[at].tolist(), answered.is_sure[at].tolist())
        for guess, code, confidence, is_sure in zip(guesses, *given, strict=True):
            if code >= 0:
                guess[task] = Guess(answered.best.values[code], confidence, is_sure)
    numbers = (current.novelty, current.numbers["n_objects"], current.numbers["diameter_nm"])
    novelty, n_objects, diameter = ([_known(one) for one in values[at].tolist()] for values in numbers)
    return list(zip(guesses, novelty, [None if n is None else int(n) for n in n_objects], diameter, strict=True))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _features(archive: Archive, like: str, look: Look | None, model: str) -> np.ndarray:
    """Of a picture by number or path: those that the archive has, else by looking at the file."""
    looking = looking_model(archive, model)
    if looking is None:
        raise QueryError(
            f"Search 'like:{like}': the archive has no features of any picture; expected some. Index pictures first."
        )
    number = int(like) if like.isdecimal() else None
    path = Path(like)
    if number is None and (known := picture_at(archive, path)) is not None and known.state == "ok":
        number = known.id
    if number is not None:
        stored = embedding_of(archive, number, looking.id)
        if stored is not None:
            return stored
        if like.isdecimal():
            raise QueryError(
                f"Search 'like:{like}': picture {like} has no features of {looking.name}; expected a number that a search gave. "
                "Index it again, or give the file."
            )
    if not path.is_file():
        raise QueryError(
            f"Search 'like:{like}': there is no such file; expected a picture, or a number of the archive. Check it."
        )
    if look is None:
        raise QueryError(f"Search 'like:{like}': the file is not in the archive; expected one that is. Index it first.")
    return look(looking, path)


def _comparable(
    archive: Archive, current: Columns, rows: np.ndarray, features: np.ndarray, model: str
) -> tuple[np.ndarray, np.ndarray, Vectors | None, int]:
    """The rows that have features, where these stand among the vectors, the vectors, and how many rows have none."""
    looking = looking_model(archive, model)
    known = vectors(archive, looking.id) if looking else None
    if looking is None or known is None or not len(known) or not len(rows):
        return rows[:0], rows[:0], None, len(rows)
    if features.shape != (known.width,):
        raise QueryError(
            f"Search: the picture has {features.size} features, those of {looking.name} have {known.width}; expected the "
            "same. Give features of that model."
        )
    at = _among_vectors(archive, current, known, looking)[rows]
    has = at >= 0
    if has.all():
        return rows, at, known, 0
    return rows[has], at[has], known, int((~has).sum())


def _among_vectors(archive: Archive, current: Columns, known: Vectors, looking: KnownModel) -> np.ndarray:
    """(N,) where the columns' pictures stand among the vectors, -1: nowhere; looked up anew only when pictures came or went."""
    name = f"columns among vectors of {looking.id}"
    with archive.cache_lock:
        kept = archive.caches.get(name)
        if not (isinstance(kept, tuple) and kept[0] is current.ids and kept[1] is known.ids):
            kept = archive.caches[name] = (current.ids, known.ids, known.rows_of(current.ids))
        at: np.ndarray = kept[2]
        return at
