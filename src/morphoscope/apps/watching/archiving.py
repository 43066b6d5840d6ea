"""Watched pictures into the archive: files that come into a folder, and frames that were pinned."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from morphoscope.apps.watching.watcher import Watched
from morphoscope.archive import Archive, Entry, FileState, ModelIdentity, record_model, record_pictures
from morphoscope.archive.predictions import record_embeddings, record_predictions
from morphoscope.archive.thumbnails import thumbnail
from morphoscope.errors import ArchiveError


def pins_beside(archive: Path) -> Path:
    """The folder that frames pinned to an archive lie in, unless another one is named."""
    return archive.with_name(f"{archive.stem}-pins")


class Archiving:
    """An archive that one model's watches add to."""

    def __init__(self, archive: Archive, model: ModelIdentity) -> None:
        self._archive, self._model = archive, record_model(archive, model)

    def keep(self, path: Path, watched: Watched) -> int:
        """Records the picture at `path` with what the model said of it; its number. Raises ArchiveError."""
        if watched.predicted is None:
            raise ArchiveError(f"{path}: {watched.arrival.content} The archive takes pictures; expected one. Keep another frame.")
        (seen,) = watched.predicted.seen
        try:
            state = FileState.of(path)
        except OSError as error:
            raise ArchiveError(
                f"{path}: it is gone before the archive could take it ({error.strerror}); expected it to stay. "
                "`morphoscope index` takes it from where it is now."
            ) from error
        micrograph = dataclasses.replace(seen.micrograph, path=path)
        with self._archive.writing():
            entry = Entry(state, micrograph, notes=_story(watched), thumbnail=thumbnail(seen.working))
            (number,) = record_pictures(self._archive, [entry])
            record_predictions(self._archive, self._model, [number], watched.predicted.predictions, watched.predicted.novelty)
            record_embeddings(self._archive, self._model, [number], watched.predicted.appearance)
        return number


def _story(watched: Watched) -> str | None:
    """Where a pinned frame comes from; a file's notes are left as they are."""
    arrival, found = watched.arrival, watched.row.get("found")
    if arrival.is_file:
        return None
    seen = f"pinned from {arrival.path}, frame {arrival.frame}, at {arrival.seconds:.1f} s, {watched.row.get('time', '')}"
    return f"{seen}; found {found}" if found else seen
