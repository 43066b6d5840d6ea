"""The columns as of now: loaded once, from the cache where nothing changed, and brought up to date by what changed since, so that a
search sees what any process wrote a moment ago."""

from __future__ import annotations

from morphoscope.archive.column_cache import keep, kept
from morphoscope.archive.columns import Columns, changed_since, merged
from morphoscope.archive.models import KnownModel, answering_model
from morphoscope.archive.store import Archive


def columns(archive: Archive, model: str = "") -> Columns:
    """The columns as of now, with the answers of `model` (its name), or of the one used last.

    Raises ArchiveError for a model that there isn't.
    """
    answering = answering_model(archive, model)
    name = f"columns of {answering.id if answering else 0}"
    with archive.cache_lock:
        revision = archive.revision
        known = archive.caches.get(name)
        if isinstance(known, Columns) and known.revision == revision:
            return known
        if isinstance(known, Columns):
            current = merged(known, changed_since(archive.connection, known.revision, revision, answering))
        else:
            current = _loaded(archive, revision, answering)
        archive.caches[name] = current
        return current


def _loaded(archive: Archive, revision: int, model: KnownModel | None) -> Columns:
    stamp = archive.stamp
    found = kept(stamp, revision, model)
    if found is None:
        found = changed_since(archive.connection, -1, revision, model)
        if archive.stamp == stamp:  # nobody wrote meanwhile
            keep(stamp, found)
    return found
