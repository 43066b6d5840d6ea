"""The vectors as of now: from the file that keeps them, with what changed since in memory; worked out anew, and kept, where there
is no such file or much has changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from morphoscope.archive.feature_version import FeatureVersion, feature_version, has_been
from morphoscope.archive.nearest_graph import keep_graph, kept_graph
from morphoscope.archive.store import Archive
from morphoscope.archive.vector_building import features_of, ids_with_features, standard_of, stored_blocks, stored_rows
from morphoscope.archive.vector_file import FEWEST, keeping, kept_vectors, vector_path
from morphoscope.archive.vectors import Standard, StoredRows, Vectors

LATE_ROWS = 2_000
SEARCH_SHARE, INDEX_SHARE = 0.3, 0.1
"""When more rows than these, and than this part of those on disk, came late, all are worked out anew; after indexing sooner, since
nobody waits then."""
_NEVER = FeatureVersion(-1, "")


def keep_vectors(archive: Archive, model: int) -> None:
    """Leaves everything on disk that makes the next searches quick: vectors, and of very many their graph. May take minutes."""
    known = vectors(archive, model, INDEX_SHARE)
    keep_graph(vector_path(archive.path, _sha(archive, model)), known)


def vectors(archive: Archive, model: int, late_share: float = SEARCH_SHARE) -> Vectors:
    """The features of a model as of now. late_share: of the rows on disk, so many more may be in memory."""
    name = f"vectors of {model}"
    with archive.cache_lock:
        known = archive.caches.get(name)
        is_settled = not archive.connection.in_transaction
        with archive.reading():
            version = feature_version(archive, model) or _NEVER
            if isinstance(known, Vectors) and known.version == version and not _is_late(known, 0, late_share):
                return known
            current = _current(archive, model, version, known if isinstance(known, Vectors) else None, late_share)
            if current is None:
                current = _worked_out(archive, model, version, is_settled)
        if is_settled:  # else the same transaction may go on to change them
            archive.caches[name] = current
        return current


def _current(archive: Archive, model: int, version: FeatureVersion, known: Vectors | None, late_share: float) -> Vectors | None:
    """What is in memory or on disk, brought up to date, where that is less work than to begin anew."""
    if known is not None and len(known) and (current := _refreshed(archive, model, version, known, late_share)):
        return current
    sha = _sha(archive, model)
    kept = kept_vectors(archive.path, sha)
    if kept is None:
        return None
    kept = replace(kept, graph=kept_graph(vector_path(archive.path, sha), kept))
    return _refreshed(archive, model, version, kept, late_share)


def _is_late(known: Vectors, more: int, late_share: float) -> bool:
    return len(known.late) + more > max(LATE_ROWS, late_share * len(known.kept))


def _sha(archive: Archive, model: int) -> str:
    (sha,) = archive.connection.execute("SELECT sha FROM model WHERE id = ?", (model,)).fetchone()
    return str(sha)


def _refreshed(archive: Archive, model: int, version: FeatureVersion, known: Vectors, late_share: float) -> Vectors | None:
    """With what changed since; centre, scale and axes stay, so that what was found stays comparable. None where that can't be
    told, or is much."""
    if _is_late(known, 0, late_share):
        return None
    if known.version == version:
        return known
    if not has_been(archive, model, known.version):
        return None
    sql = "SELECT id FROM picture WHERE revision > ? ORDER BY id"
    changed = np.array([row[0] for row in archive.connection.execute(sql, (known.version.revision,))], np.int64)
    if _is_late(known, len(changed), late_share):
        return None
    ids, features = features_of(archive.connection, model, changed)
    if len(ids) and features.shape[1] != known.width:
        return None
    stays = ~np.isin(known.ids, changed)
    places = np.concatenate([known.places[stays], len(known.kept) + len(known.late) + np.arange(len(ids))])
    all_ids = np.concatenate([known.ids[stays], ids])
    order = np.argsort(all_ids, kind="stable")
    late = known.late
    if len(ids):
        more = stored_rows(known.standard, features)
        late = StoredRows(np.concatenate([late.matrix, more.matrix]), np.concatenate([late.leading, more.leading], 1))
    return replace(known, version=version, ids=all_ids[order], places=places[order], late=late)


def _worked_out(archive: Archive, model: int, version: FeatureVersion, is_settled: bool) -> Vectors:
    """All of them, from the tables; kept on disk if they are many. is_settled: no transaction is at work on them."""
    ids = ids_with_features(archive.connection, model)
    standard = standard_of(archive.connection, model, ids)
    if is_settled and len(ids) >= FEWEST and (kept := _kept(archive, model, version, ids, standard)):
        return kept
    width, n_axes = standard.axes.shape
    rows, start = StoredRows(np.empty((len(ids), width), "<f2"), np.empty((n_axes + 1, len(ids)), np.float32)), 0
    for block in stored_blocks(archive.connection, model, standard):  # in place: a second copy might not fit
        rows.matrix[start : start + len(block)], rows.leading[:, start : start + len(block)] = block.matrix, block.leading
        start += len(block)
    return Vectors(version, ids, np.arange(len(ids)), standard, rows, rows.none(), version)


def _kept(archive: Archive, model: int, version: FeatureVersion, ids: np.ndarray, standard: Standard) -> Vectors | None:
    """All of them from the tables to disk, and mapped from there; None where there is no room, or the folder is others'."""
    sha, leading = _sha(archive, model), []
    try:
        with keeping(archive.path, sha, version, ids, standard) as writer:
            for block in stored_blocks(archive.connection, model, standard):
                writer.write(block.matrix)
                leading.append(block.leading)
            writer.write(np.concatenate(leading, 1))
    except OSError:
        return None
    found = kept_vectors(archive.path, sha)
    return found if found is not None and found.version == version else None
