"""A progress bar with the time that remains, silent when the output is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@contextmanager
def bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Gives a function that takes how many are done so far."""
    with _bar(label, total, MofNCompleteColumn()) as told:
        yield told


@contextmanager
def byte_bar(label: str, total: int | None) -> Iterator[Callable[[int, int | None], None]]:
    """The same for bytes that arrive, with their speed; the function also takes how many are to come, once that is known."""
    with _bar(label, total, DownloadColumn(), TransferSpeedColumn()) as told:
        yield told


@contextmanager
def _bar(label: str, total: int | None, *shown_columns: ProgressColumn) -> Iterator[Callable[..., None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), *shown_columns, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(label, total=total)
        yield lambda done, total=None: shown.update(task, completed=done, total=total)
