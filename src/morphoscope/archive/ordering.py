"""The order of what a search found: by likeness, by words, by name, or by a field."""

from __future__ import annotations

import numpy as np

from morphoscope.archive.columns import Columns
from morphoscope.archive.filters import ALIASES, CONFIDENCE, NOVELTY
from morphoscope.archive.store import Archive
from morphoscope.archive.words import WordHits
from morphoscope.errors import QueryError, did_you_mean

SIMILARITY, RELEVANCE, ADDED, NAME = "similarity", "relevance", "added", "name"


def ordered(
    archive: Archive,
    current: Columns,
    rows: np.ndarray,
    score: np.ndarray | None,
    words: WordHits | None,
    sort: str,
    at_most: int | None,
) -> np.ndarray:
    """(K,) places of rows in the order asked for; unknown ones last. score: (K,) similarity, where a picture was given; words:
    what the searched words found; at_most: how many of the first need their order. Raises QueryError for an unknown order."""
    is_reversed = sort.startswith("-")
    by = sort.removeprefix("-") or (SIMILARITY if score is not None else RELEVANCE if words else ADDED)
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
    keys = -score if by == SIMILARITY and score is not None else _keys(current, rows, words, by)
    keys = -keys if is_reversed else keys
    if at_most is not None and at_most < len(keys) // 4 and not np.isnan(keys).any():
        first = np.argpartition(keys, at_most)[:at_most]
        rest = np.ones(len(keys), bool)
        rest[first] = False
        return np.concatenate([first[np.lexsort((first, keys[first]))], np.flatnonzero(rest)])
    return np.lexsort((np.arange(len(keys)), keys))  # stable, nan last


def _keys(current: Columns, rows: np.ndarray, words: WordHits | None, by: str) -> np.ndarray:
    """(K,) numbers to sort by, ascending."""
    wanted = ALIASES.get(by.lower(), by)
    owner, _, what = wanted.rpartition(".")
    if wanted == RELEVANCE:
        return words.rank_of(current.ids[rows]) if words else np.zeros(len(rows))
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


def _by_name(archive: Archive, ids: np.ndarray) -> np.ndarray:
    names = dict(archive.connection.execute("SELECT id, name FROM picture").fetchall())
    return np.array(sorted(range(len(ids)), key=lambda place: str(names[int(ids[place])]).casefold()), np.int64)
