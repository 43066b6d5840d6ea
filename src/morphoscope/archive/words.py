"""Words of file names, folders, samples and notes, found by SQLite's FTS5."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.archive.query import Word
from morphoscope.archive.store import Archive


@dataclass(frozen=True, eq=False)
class WordHits:
    """ids (K,) ascending of the pictures that have all words; rank (K,), the less the better (zeros where it wasn't asked for)."""

    ids: np.ndarray
    rank: np.ndarray

    def rank_of(self, ids: np.ndarray) -> np.ndarray:
        """Of some of them."""
        return self.rank[np.searchsorted(self.ids, ids)]


def word_hits(archive: Archive, words: Sequence[Word], *, is_ranked: bool = False) -> WordHits:
    """The pictures that have all of the words. In rank a hit in the name or the sample weighs more than one in the folder."""
    rank = "bm25(words, 4, 1, 4, 2)" if is_ranked else "0"
    sql = f"SELECT rowid, {rank} FROM words WHERE words MATCH ? ORDER BY rowid"  # noqa: S608
    found = archive.connection.execute(sql, (_expression(words),)).fetchall()
    ids, ranks = zip(*found, strict=True) if found else ((), ())
    return WordHits(np.array(ids, np.int64), np.array(ranks, float))


def _expression(words: Iterable[Word]) -> str:
    """All words in FTS5's syntax: a bare word is the beginning of one, a phrase is whole words."""
    quoted = ((word, '"' + word.text.replace('"', '""') + '"') for word in words)
    return " AND ".join(text if word.is_phrase else f"{text} *" for word, text in quoted)
