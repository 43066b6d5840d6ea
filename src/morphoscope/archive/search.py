"""Search: words, classes, fields and a picture's like, in one query."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.archive.columns import Columns
from morphoscope.archive.current_columns import columns
from morphoscope.archive.files import from_stored
from morphoscope.archive.filters import ALIASES, CONFIDENCE, NOVELTY, matching, words_expression
from morphoscope.archive.labels import consensus_columns
from morphoscope.archive.models import KnownModel, looking_model
from morphoscope.archive.pictures import picture_at
from morphoscope.archive.predictions import embedding_of
from morphoscope.archive.query import Query, parse
from morphoscope.archive.store import Archive
from morphoscope.archive.vectors import Vectors, vectors
from morphoscope.errors import QueryError, did_you_mean

SIMILARITY, RELEVANCE, ADDED, NAME = "similarity", "relevance", "added", "name"

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
    """hits: the page asked for, of `total`. without_features: pictures that a search by picture could not compare."""

    total: int
    seconds: float
    hits: list[Hit]
    without_features: int = 0


@dataclass(frozen=True, eq=False)
class Selection:
    """Every picture that a search finds, in its order: ids (K,), score (K,) or None."""

    columns: Columns
    ids: np.ndarray
    score: np.ndarray | None
    without_features: int = 0


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
) -> Found:
    """The pictures that a query finds, a page of them.

    features: (F,) of a picture whose like is sought, in place of `like:`. look: reads the features of a file that the archive
    doesn't have. sort: similarity, relevance, name, added, or a field; a minus in front turns it round. model: whose answers
    are meant. Raises QueryError for a query that can't be understood, ArchiveError for a model that there isn't.
    """
    began = time.perf_counter()
    selection = select(archive, query, features=features, look=look, sort=sort, model=model, at_most=offset + limit)
    page = slice(offset, offset + limit)
    scores = selection.score[page] if selection.score is not None else None
    found = hits(archive, selection.columns, selection.ids[page], scores)
    return Found(len(selection.ids), time.perf_counter() - began, found, selection.without_features)


def select(
    archive: Archive,
    query: str | Query = "",
    *,
    features: np.ndarray | None = None,
    look: Look | None = None,
    sort: str = "",
    model: str = "",
    at_most: int | None = None,
) -> Selection:
    """The same without the hits' details. at_most: how many of the first need their order; the rest may come in any."""
    query = parse(query) if isinstance(query, str) else query
    current = columns(archive, model)
    rows = np.flatnonzero(matching(archive, query, current, consensus_columns(archive, current)))
    if query.like and features is None:
        features = _features(archive, query.like, look, model)
    if features is None:
        return Selection(current, current.ids[rows[_order(archive, query, current, rows, None, sort, at_most)]], None)
    rows, at, known, without = _comparable(archive, current, rows, features, model)
    if known is None:
        return Selection(current, current.ids[:0], np.zeros(0, np.float32), without)
    if at_most is not None and sort in ("", SIMILARITY):
        first, score = known.most_similar(features, at, at_most)
        return Selection(current, _first(current.ids[rows], known.ids[first]), score, without)
    score = known.similarity(features, at)
    order = _order(archive, query, current, rows, score, sort, at_most)
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
    found = []
    for place, (number, row) in enumerate(zip(ids.tolist(), at.tolist(), strict=True)):
        _, path, name, state, height, width, size, origin, sample, notes = rows[number]
        score = None if scores is None else float(scores[place])
        classes, novelty = _guesses(current, row), _known(current.novelty[row])
        n_objects, diameter = _known(current.numbers["n_objects"][row]), _known(current.numbers["diameter_nm"][row])
        found.append(
            Hit(
                *(number, from_stored(path), name, state, score, height, width, size, origin, sample, notes, classes, novelty),
                None if n_objects is None else int(n_objects),
                diameter,
            )
        )
    return found


def _guesses(current: Columns, row: int) -> dict[str, Guess]:
    return {
        name: Guess(answered.best.values[code], float(answered.confidence[row]), bool(answered.is_sure[row]))
        for name, answered in current.tasks.items()
        if (code := answered.best.codes[row]) >= 0
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


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
    if features.shape != known.centre.shape:
        raise QueryError(
            f"Search: the picture has {features.size} features, those of {looking.name} have {known.centre.size}; expected the "
            "same. Give features of that model."
        )
    ids = current.ids[rows]
    at = np.searchsorted(known.ids, ids)
    at[at == len(known)] = 0
    has = known.ids[at] == ids
    return rows[has], at[has], known, int((~has).sum())


def _order(
    archive: Archive,
    query: Query,
    current: Columns,
    rows: np.ndarray,
    score: np.ndarray | None,
    sort: str,
    at_most: int | None,
) -> np.ndarray:
    """(K,) places of rows in the order asked for; unknown ones last."""
    is_reversed = sort.startswith("-")
    by = sort.removeprefix("-") or (SIMILARITY if score is not None else RELEVANCE if query.words else ADDED)
    if by == ADDED:
        order = np.arange(len(rows))
        return order[::-1] if is_reversed else order
    if by == NAME:
        order = _by_name(archive, current.ids[rows])
        return order[::-1] if is_reversed else order
    if by == SIMILARITY and score is None:
        raise QueryError(
            "--sort similarity: no picture was given to compare with; expected 'like:PICTURE' in the search. Add it."
        )
    keys = -score if by == SIMILARITY and score is not None else _keys(archive, query, current, rows, by)
    keys = -keys if is_reversed else keys
    if at_most is not None and at_most < len(keys) // 4 and not np.isnan(keys).any():
        first = np.argpartition(keys, at_most)[:at_most]
        rest = np.ones(len(keys), bool)
        rest[first] = False
        return np.concatenate([first[np.lexsort((first, keys[first]))], np.flatnonzero(rest)])
    return np.lexsort((np.arange(len(keys)), keys))  # stable, nan last


def _keys(archive: Archive, query: Query, current: Columns, rows: np.ndarray, by: str) -> np.ndarray:
    """(K,) numbers to sort by, ascending."""
    wanted = ALIASES.get(by.lower(), by)
    owner, _, what = wanted.rpartition(".")
    if wanted == RELEVANCE:
        return _relevance(archive, query, current.ids[rows])
    if wanted.lower() == NOVELTY:
        return current.novelty[rows]
    if wanted.lower() == CONFIDENCE and current.tasks:
        return np.minimum.reduce([one.confidence for one in current.tasks.values()])[rows]
    if owner in current.tasks and what == CONFIDENCE:
        return current.tasks[owner].confidence[rows]
    if wanted.lower() in current.numbers:
        return current.numbers[wanted.lower()][rows]
    if wanted.lower() in current.texts:
        coded = current.texts[wanted.lower()]
        ranks = np.empty(len(coded.values) + 1)
        ranks[np.argsort(np.array(coded.values, object), kind="stable")] = np.arange(len(coded.values))
        ranks[-1] = np.nan
        return ranks[coded.codes[rows]]
    names = [SIMILARITY, RELEVANCE, ADDED, NAME, CONFIDENCE, NOVELTY, *current.numbers, *current.texts]
    raise QueryError(f"--sort is '{by}'; expected one of {', '.join(names)}.{did_you_mean(by, names)} A minus turns it round.")


def _relevance(archive: Archive, query: Query, ids: np.ndarray) -> np.ndarray:
    """FTS5's rank of each picture: a hit in the name or the sample weighs more than one in the folder."""
    wanted = [word for word in query.words if not word.is_excluded]
    if not wanted:
        return np.zeros(len(ids))
    sql = "SELECT rowid, bm25(words, 4, 1, 4, 2) FROM words WHERE words MATCH ?"
    ranked = np.array(archive.connection.execute(sql, (words_expression(wanted),)).fetchall(), float).reshape(-1, 2)
    order = np.argsort(ranked[:, 0])
    return ranked[order[np.searchsorted(ranked[order, 0], ids)], 1]


def _by_name(archive: Archive, ids: np.ndarray) -> np.ndarray:
    names = dict(archive.connection.execute("SELECT id, name FROM picture").fetchall())
    return np.array(sorted(range(len(ids)), key=lambda place: str(names[int(ids[place])]).casefold()), np.int64)
