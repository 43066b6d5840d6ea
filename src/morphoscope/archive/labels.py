"""What people answered, as columns beside those of the model."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from morphoscope.archive.annotation.consensus import consensus
from morphoscope.archive.annotation.tasks import LabelTask, label_tasks
from morphoscope.archive.columns import Coded, Columns
from morphoscope.archive.filters import Labels
from morphoscope.archive.store import Archive

LabelSource = Literal["people", "model", "both"]
"""Whose classes a sheet holds: what annotators agree on, what the model is sure of, or the first and else the second."""
LABEL_SOURCES = get_args(LabelSource)


def consensus_columns(archive: Archive, current: Columns) -> Labels:
    """Gives the consensus a row of `current`, by a task's name in any case; None where nobody labels it."""

    def labels(task: str) -> Coded | None:
        names = {one.name.casefold(): one for one in label_tasks(archive)}
        asked = names.get(task.casefold())
        if asked is None:
            return None
        key = f"labels of {asked.id}"
        with archive.cache_lock:
            known = archive.caches.get(key)
            if not (isinstance(known, tuple) and known[0] is current):
                known = (current, _coded(archive, asked, current))
                archive.caches[key] = known
            return known[1]

    return labels


def _coded(archive: Archive, task: LabelTask, current: Columns) -> Coded:
    index = {one.name: code for code, one in enumerate(task.open_classes)}
    codes = np.full(len(current), -1, np.int32)
    said = [(one.picture, one.class_name) for one in consensus(archive, task.name).values() if one.class_name is not None]
    places = [index.setdefault(name, len(index)) for _, name in said]  # several classes at once are a value of their own
    codes[current.rows_of(np.array([picture for picture, _ in said], np.int64))] = np.array(places, np.int32)
    return Coded(codes, tuple(index))
