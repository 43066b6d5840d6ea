"""Runs a source beside whoever takes its pictures: kept in order, or, where only the newest counts, the newest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

from morphoscope.apps.watching.source import Arrival, Source

AHEAD = 3
"""Pictures that a source which must lose none reads ahead."""


class Relay:
    """Arrivals of a source, read in a thread of their own. dropped: frames that a newer one replaced before they were taken."""

    def __init__(self, source: Source) -> None:
        self.dropped = 0
        self._source = source
        self._ready: deque[Arrival] = deque()
        self._changed = Condition()
        self._stop = Event()
        self._failure: BaseException | None = None
        self._has_ended = False
        self._thread = Thread(target=self._run, name=f"source {source.name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._thread.join(timeout=15)  # a network stream answers within its own time limit

    def stop(self) -> None:
        """Ends the arrivals soon, from any thread."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Arrival]:
        """Raises what the source raised, after all that came before."""
        while True:
            with self._changed:
                # A limited wait lets Ctrl-C through on every platform.
                while not (self._ready or self._has_ended or self._stop.is_set()):
                    self._changed.wait(timeout=0.2)
                if self._stop.is_set():
                    return
                if not self._ready:
                    break
                arrival = self._ready.popleft()
                self._changed.notify_all()
            yield arrival
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        try:
            for arrival in self._source.arrivals(self._stop):
                self._put(arrival)
        except BaseException as error:  # handed over to the thread that takes the pictures
            self._failure = error
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    def _put(self, arrival: Arrival) -> None:
        with self._changed:
            if self._source.is_live:
                self.dropped += len(self._ready)
                self._ready.clear()
            else:
                while len(self._ready) >= AHEAD and not self._stop.is_set():
                    self._changed.wait(timeout=0.2)
            self._ready.append(arrival)
            self._changed.notify_all()
