"""Results that were worked out lately; two that ask for the same one at the same time share the work."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps the `most` results used last. A failure is not kept."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._results: OrderedDict[Hashable, Future[T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of `make` for that key. Raises what `make` raises."""
        with self._lock:
            future = self._results.get(key)
            is_mine = future is None
            if future is None:
                future = self._results[key] = Future()
            self._results.move_to_end(key)
        if is_mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
                self.forget(key)
            self._shrink()
        return future.result()

    def known(self, key: Hashable) -> T | None:
        """The result where it is there already."""
        with self._lock:
            future = self._results.get(key)
        return future.result() if future and future.done() and not future.exception() else None

    def forget(self, key: Hashable) -> None:
        """Drops one result."""
        with self._lock:
            self._results.pop(key, None)

    def _shrink(self) -> None:
        with self._lock:
            for key in list(self._results):
                if len(self._results) <= self._most:
                    return
                if self._results[key].done():
                    del self._results[key]
