"""Starts jobs, one at a time, the oldest first, as processes that outlive the server."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress

from filelock import FileLock, Timeout

from morphoscope.apps.web.jobs.process import CANCELLED, stop
from morphoscope.apps.web.jobs.store import JobStore, StoredJob
from morphoscope.apps.web.refusal import RefusalError

_LOCK = "queue.lock"
_LOOK_S = 1.0
MOST_WAITING = 100


class JobQueue:
    """Of several servers with the same folder, one runs the queue."""

    def __init__(self, store: JobStore) -> None:
        self.store = store
        self._wake, self._is_closed = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._own: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Runs the queue in a thread of its own; jobs that an earlier server left are gone on with."""
        self._thread = threading.Thread(target=self._run, name="job queue", daemon=True)
        self._thread.start()

    def check_room(self) -> None:
        """Raises RefusalError (503) where too many jobs wait."""
        if sum(job.state == "queued" for job in self.store.all()) >= MOST_WAITING:
            raise RefusalError(503, f"{MOST_WAITING} jobs wait already; expected fewer. Cancel some, or wait.", 60)

    def hurry(self) -> None:
        """Looks for a job now."""
        self._wake.set()

    def cancel(self, job: StoredJob) -> None:
        """Ends a job; one that has ended already stays as it is. What it wrote is kept."""
        if job.state not in ("queued", "running"):
            return
        (job.folder / CANCELLED).touch()
        if job.started is not None:
            threading.Thread(target=stop, args=(dict(job.started),), daemon=True).start()
        self.hurry()

    def close(self) -> None:
        """Ends the thread; a job that runs goes on."""
        self._is_closed = True
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._is_closed:
            if self.store.home.is_dir():
                with suppress(Timeout, OSError), FileLock(self.store.home / _LOCK, timeout=0):
                    self._work()
            self._wait()

    def _work(self) -> None:
        while not self._is_closed and self.store.home.is_dir():
            jobs = self.store.all()
            if not any(job.state == "running" for job in jobs) and not self._is_starting():
                waiting = [job for job in jobs if job.state == "queued"]
                if waiting:
                    self._begin(waiting[-1])
            self._wait()

    def _is_starting(self) -> bool:
        return self._own is not None and self._own.poll() is None

    def _begin(self, job: StoredJob) -> None:
        words = [sys.executable, "-m", "morphoscope.apps.web.jobs.process", str(job.folder)]
        nothing = subprocess.DEVNULL
        self._own = subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)  # noqa: S603
        threading.Thread(target=self._own.wait, daemon=True).start()  # takes its end note of, as a parent must

    def _wait(self) -> None:
        self._wake.wait(_LOOK_S)
        self._wake.clear()
