"""What a search's pictures have in common: counts of classes and makers, ranges of sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphoscope.archive.columns import Coded, Columns
from morphoscope.archive.current_columns import columns
from morphoscope.archive.filters import matching
from morphoscope.archive.labels import consensus_columns
from morphoscope.archive.query import Query, parse
from morphoscope.archive.store import Archive

RANGES = ("pixel_size_nm", "diameter_nm", "hv_kv", "magnification")


@dataclass(frozen=True)
class Facets:
    """Of `total` pictures: counts of the best guess a task, of makers, folders, samples and states, most first; the least
    and the largest value of each of RANGES, where any is known."""

    total: int
    tasks: dict[str, dict[str, int]]
    ranges: dict[str, tuple[float, float]]
    makers: dict[str, int]
    folders: dict[str, int]
    samples: dict[str, int]
    states: dict[str, int]


def facets(archive: Archive, query: str | Query = "", *, model: str = "") -> Facets:
    """The facets of everything that a query finds; `like:` narrows nothing. Raises QueryError."""
    query = parse(query) if isinstance(query, str) else query
    current = columns(archive, model)
    rows = np.flatnonzero(matching(archive, query, current, consensus_columns(archive, current)))
    texts = {name: _counts(current.texts[name], rows) for name in ("maker", "folder", "sample", "state")}
    return Facets(
        len(rows),
        {name: _counts(answered.best, rows) for name, answered in current.tasks.items()},
        {name: limits for name in RANGES if (limits := _range(current, name, rows))},
        *texts.values(),
    )


def _counts(coded: Coded, rows: np.ndarray) -> dict[str, int]:
    counts = np.bincount(coded.codes[rows] + 1, minlength=len(coded.values) + 1)[1:]
    order = np.argsort(-counts, kind="stable")
    return {coded.values[code]: int(counts[code]) for code in order if counts[code]}


def _range(current: Columns, name: str, rows: np.ndarray) -> tuple[float, float] | None:
    known = current.numbers[name][rows]
    known = known[~np.isnan(known)]
    return (float(known.min()), float(known.max())) if len(known) else None
