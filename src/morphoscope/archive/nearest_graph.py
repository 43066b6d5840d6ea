"""A graph of near neighbours (HNSW: Malkov & Yashunin 2018) for archives so large that comparing all takes long: approximate.

It comes with the extra `usearch`. Only `index` builds it, over the coordinates along the principal axes of the rows that are kept on
disk; whatever it names is compared in full afterwards.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.archive.feature_version import FeatureVersion
from morphoscope.archive.mapped_file import mapped_arrays, mapped_writer
from morphoscope.archive.vectors import Vectors

LEAST_ROWS = 250_000
"""In fewer the exact search takes less than 20 ms."""
_SETTINGS: dict[str, Any] = {"metric": "cos", "dtype": "i8", "connectivity": 16, "expansion_add": 64}
_BLOCK_ROWS = 8_192
_LAYOUT = "1"


class NearestGraph:
    """Finds places of kept rows that are probably near to a picture."""

    def __init__(self, content: np.ndarray) -> None:
        """content: (B,) uint8, what `graph_of` made. Raises ValueError for anything else."""
        from usearch.index import Index

        self._content = content  # it is searched where it lies
        index: Any = Index.restore(memoryview(content), view=True)  # type: ignore[arg-type]
        if index is None:
            raise ValueError("no graph")
        self._index, self._lock = index, threading.Lock()

    def __len__(self) -> int:
        return len(self._index)

    def places(self, along: np.ndarray, count: int) -> np.ndarray:
        """About `count` places, ascending. along: (D,) coordinates of the picture along the axes."""
        with self._lock:  # a search leaves its marks in the index
            found = self._index.search(along, min(count, len(self)), threads=1)
        return np.sort(found.keys.astype(np.int64))


def has_graphs() -> bool:
    """Whether the extra is installed."""
    return find_spec("usearch") is not None


def graph_of(leading: np.ndarray) -> np.ndarray:
    """(B,) uint8: the graph of S rows by their coordinates (D + 1, S), of which the last is left out. On one thread, so that the
    same rows give the same graph."""
    from usearch.index import Index

    index: Any = Index(ndim=len(leading) - 1, **_SETTINGS)
    for start in range(0, leading.shape[1], _BLOCK_ROWS):
        some = np.ascontiguousarray(leading[:-1, start : start + _BLOCK_ROWS].T)
        index.add(np.arange(start, start + len(some)), some, threads=1)
    return np.frombuffer(index.save(), np.uint8)


def graph_path(vectors: Path) -> Path:
    """Where the graph of a file of vectors lies."""
    return vectors.with_suffix(".graph")


def keep_graph(vectors: Path, known: Vectors) -> None:
    """Keeps the graph of the rows on disk beside them, unless it is there; where there is no room for it, nothing."""
    if not has_graphs() or len(known.kept) < LEAST_ROWS or kept_graph(vectors, known) is not None:
        return
    content = graph_of(known.kept.leading)
    try:
        with mapped_writer(graph_path(vectors), {"graph": (content.shape, "|u1")}, _metadata(known.kept_version)) as writer:
            writer.write(content)
    except OSError:
        return


def kept_graph(vectors: Path, known: Vectors) -> NearestGraph | None:
    """The graph of just these rows, if it is kept and the extra is there."""
    if not has_graphs() or len(known.kept) < LEAST_ROWS:
        return None
    found = mapped_arrays(graph_path(vectors))
    if found is None or found[1] != _metadata(known.kept_version):
        return None
    try:
        graph = NearestGraph(found[0]["graph"])
    except (KeyError, ValueError, RuntimeError):
        return None
    return graph if len(graph) == len(known.kept) else None


def _metadata(version: FeatureVersion) -> dict[str, str]:
    return {"layout": _LAYOUT, "revision": str(version.revision), "stamp": version.stamp}
