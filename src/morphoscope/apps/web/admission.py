"""How many requests may compute at once: some do, a few wait, the rest is told to come again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from morphoscope.apps.web.refusal import RefusalError

RETRY_AFTER = 2


class Admission:
    """A counter with a waiting room. running, waiting: how many of each; seconds: that one waits at most."""

    def __init__(self, running: int, waiting: int, seconds: float) -> None:
        self._slots = threading.BoundedSemaphore(running)
        self._room = threading.BoundedSemaphore(running + waiting)
        self._seconds = seconds

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Waits for a turn. Raises RefusalError (503 with Retry-After) where the room is full, or the turn does not come."""
        if not self._room.acquire(blocking=False):
            raise _busy()
        try:
            if not self._slots.acquire(timeout=self._seconds):
                raise _busy()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._room.release()


def _busy() -> RefusalError:
    return RefusalError(503, "The server is busy with other pictures; expected a free turn. Ask again in a moment.", RETRY_AFTER)
