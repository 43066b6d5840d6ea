"""Jobs as the routes see them: orders checked, queued, and their pictures opened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from morphoscope.apps.web.answers.jobs import JobOrder
from morphoscope.apps.web.jobs.options import AllowedPaths, command
from morphoscope.apps.web.jobs.process import write_whole
from morphoscope.apps.web.jobs.queue import JobQueue
from morphoscope.apps.web.jobs.results import count_pictures
from morphoscope.apps.web.jobs.store import OUT, JobStore, StoredJob
from morphoscope.apps.web.sources import Sources
from morphoscope.errors import MorphoscopeError


class JobBoard:
    """home: the folder of all jobs; roots: the folders that jobs may read, resolved."""

    def __init__(self, home: Path, roots: Sequence[Path], sources: Sources) -> None:
        self.store = JobStore(home.absolute())
        self.queue = JobQueue(self.store)
        self._allowed = AllowedPaths((*roots, self.store.home.resolve()))
        self._sources = sources

    def order(self, asked: JobOrder, by: str) -> StoredJob:
        """Queues a job. Raises MorphoscopeError for what it may not ask, RefusalError where too many wait."""
        self.queue.check_room()
        job_id = self.store.new_id()
        words = command(asked.kind, asked.options, self._allowed, self.store.home / job_id / OUT)
        job = self.store.order(asked.kind, asked.name, asked.options, words, by, job_id)
        if asked.kind != "train":
            with suppress(MorphoscopeError):  # the command itself will say what is wrong
                write_whole(job.folder / "pictures.json", {"count": count_pictures(words, 2 if asked.kind == "predict" else 1)})
        self.queue.hurry()
        return job

    def key_of(self, path: Path) -> str | None:
        """A key by which the page opens a file that jobs may read."""
        try:
            allowed = Path(self._allowed.checked("picture", str(path)))
        except MorphoscopeError:
            return None
        return self._sources.key_of(path, allowed)
