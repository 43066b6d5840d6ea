"""Which picture an annotator sees next.

informative: those the model doubts, spread over what the archive shows. disagreement: those that annotators, or annotators and
the model, see differently. audit: in an order drawn by lot, the same for everyone, so that answers overlap and agreement can be
told without bias.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Literal

import numpy as np

from morphoscope.archive.annotation.consensus import Consensus, consensus
from morphoscope.archive.annotation.tasks import label_task
from morphoscope.archive.columns import Columns
from morphoscope.archive.current_columns import columns
from morphoscope.archive.current_vectors import vectors
from morphoscope.archive.models import looking_model
from morphoscope.archive.store import Archive
from morphoscope.errors import ArchiveError, did_you_mean
from morphoscope.schema import CLASS_SEPARATOR
from morphoscope.training.few_labels.selection import TRUST_AFTER, UNSURE_MULTIPLE, UNSURE_SHARE, typical

Order = Literal["informative", "disagreement", "audit"]
POOL = 400
"""Pictures among which the typical ones are sought: clustering more takes longer than an annotator waits."""


def queue(archive: Archive, task: str, order: Order, annotator: str, count: int = 20) -> list[int]:
    """Numbers of the next pictures for an annotator, none that they answered. First those of a class that was split since.

    Raises ArchiveError for a task or an order that there isn't.
    """
    if order not in _ORDERS:
        raise ArchiveError(
            f"The queue '{order}' is not known; expected one of {', '.join(_ORDERS)}.{did_you_mean(order, _ORDERS)} Choose one."
        )
    label_task(archive, task)
    said, current = consensus(archive, task), columns(archive)
    again = [one.picture for one in said.values() if one.is_outdated and annotator not in one.votes]
    mine = {picture for picture, one in said.items() if annotator in one.votes} | set(again)
    state = current.texts["state"]
    is_readable = np.array([*(value == "ok" for value in state.values), False])[state.codes]
    free = current.ids[is_readable & ~np.isin(current.ids, list(mine))]
    chosen = _ORDERS[order](archive, task, free, said, current, count)
    return [*again, *chosen][:count]


def _informative(
    archive: Archive, task: str, free: np.ndarray, said: dict[int, Consensus], current: Columns, count: int
) -> list[int]:
    """Nobody's answers first: the doubtful ones, and of these the typical ones (as `morphoscope suggest` does)."""
    known = [picture for picture, one in said.items() if one.class_name is not None]
    fresh = free[~np.isin(free, list(said))]
    if not len(fresh):
        return []
    answered = current.tasks.get(task)
    if answered is None:
        pool = fresh[np.argsort(_lot(task, fresh))][:POOL]
    else:
        confidence = np.nan_to_num(answered.confidence[current.rows_of(fresh)], nan=0.0)
        order = fresh[np.argsort(confidence, kind="stable")]
        doubtful = len(order) * UNSURE_SHARE * np.exp(-len(known) / (TRUST_AFTER * count))
        doubted = order[: max(UNSURE_MULTIPLE * count, int(doubtful))]
        pool = doubted[np.unique(np.linspace(0, len(doubted) - 1, min(POOL, len(doubted))).astype(int))]
    features = _features(archive, np.sort(pool))
    chosen = typical(features, np.zeros(len(pool), bool), min(count, len(pool)))
    return [int(number) for number in np.sort(pool)[chosen]]


def _disagreement(
    archive: Archive, task: str, free: np.ndarray, said: dict[int, Consensus], current: Columns, count: int
) -> list[int]:
    """Disputed ones, most votes first; then those that the model is sure to be something else; then those with one answer."""
    ours = set(free.tolist())
    open_ones = [one for one in said.values() if one.picture in ours and not one.is_adjudicated and not one.is_outdated]
    disputed = sorted((one for one in open_ones if one.is_disputed), key=lambda one: (-len(one.votes), one.picture))
    contradicted = _against_model(open_ones, current, task)
    lone = [one.picture for one in open_ones if len(one.votes) == 1]
    return list(dict.fromkeys([*(one.picture for one in disputed), *contradicted, *lone]))[:count]


def _against_model(said: list[Consensus], current: Columns, task: str) -> list[int]:
    """Pictures whose consensus is another class than the model's, the surest of it first."""
    answered = current.tasks.get(task)
    if answered is None:
        return []
    named = [one for one in said if one.class_name is not None]
    rows = current.rows_of(np.array([one.picture for one in named], np.int64))
    found = []
    for one, row in zip(named, rows.tolist(), strict=True):
        code = answered.best.codes[row]
        if code >= 0 and _classes(answered.best.values[code]) != _classes(one.class_name):
            found.append((-float(answered.confidence[row]), one.picture))
    return [picture for _, picture in sorted(found)]


def _classes(answer: str | None) -> set[str]:
    return set((answer or "").split(CLASS_SEPARATOR))


def _audit(archive: Archive, task: str, free: np.ndarray, said: dict[int, Consensus], current: Columns, count: int) -> list[int]:
    return [int(number) for number in free[np.argsort(_lot(task, free), kind="stable")][:count]]


_ORDERS: dict[str, Callable[[Archive, str, np.ndarray, dict[int, Consensus], Columns, int], list[int]]] = {
    "informative": _informative,
    "disagreement": _disagreement,
    "audit": _audit,
}


def _lot(task: str, ids: np.ndarray) -> np.ndarray:
    """(N,) uint64 that orders pictures by lot: of a picture and task alone, so that later pictures change nothing (SplitMix64)."""
    mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(zlib.crc32(task.encode()))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _features(archive: Archive, ids: np.ndarray) -> np.ndarray:
    """(N, F) float32 of pictures, zeros where there are none; ids ascending."""
    looking = looking_model(archive)
    if looking is None:
        return np.zeros((len(ids), 1), np.float32)
    known = vectors(archive, looking.id)
    found, rows = np.zeros((len(ids), known.width), np.float32), known.rows_of(ids)
    found[rows >= 0] = known.directions(rows[rows >= 0])
    return found
