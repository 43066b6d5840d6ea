"""Many files through a few processes, in order, with a progress bar; a file that ends its process costs only itself."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from morphoscope.apps.verbs.progress import bar

T = TypeVar("T")
R = TypeVar("R")

FEWEST_FILES = 16
"""For fewer, starting processes takes longer than they save."""
_AHEAD = 4


def usual_workers() -> int:
    """As many processes as this one may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(work: Callable[[T], R], items: Sequence[T], lost: Callable[[T], R], *, workers: int, label: str) -> Iterator[R]:
    """`work` on every item, in their order. work and items must be picklable. lost: the answer for an item on which the
    process itself ended (a decoder that crashed, or memory that ran out)."""
    with bar(label, len(items)) as progress:
        results = map(work, items) if workers < 2 or len(items) < FEWEST_FILES else _spread(work, items, lost, workers)
        for done, result in enumerate(results, start=1):
            yield result
            progress(done)


def _spread(work: Callable[[T], R], items: Sequence[T], lost: Callable[[T], R], workers: int) -> Iterator[R]:
    pool = _pool(workers)
    ahead: deque[Future[R]] = deque()  # of the items from the present one on
    try:
        for index, item in enumerate(items):
            try:
                while len(ahead) < min(_AHEAD * workers, len(items) - index):
                    ahead.append(pool.submit(work, items[index + len(ahead)]))
                result = ahead.popleft().result()
            except BrokenProcessPool:
                # Which item broke it isn't known: this one is tried alone, those that were waiting go to a fresh pool.
                result = _alone(work, item, lost)
                pool.shutdown(cancel_futures=True)
                pool = _pool(workers)
                ahead.clear()
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(work: Callable[[T], R], item: T, lost: Callable[[T], R]) -> R:
    with _pool(1) as pool:
        try:
            return pool.submit(work, item).result()
        except BrokenProcessPool:
            return lost(item)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Processes are started afresh: a copy of this one would inherit locks of threads that it doesn't have.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_use_one_core)


def _use_one_core() -> None:
    import cv2

    cv2.setNumThreads(1)
