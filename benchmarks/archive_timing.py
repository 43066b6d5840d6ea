"""Times of calls, and archives to begin anew with, for benchmark archive.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.archive import Archive

Found = dict[str, Any]


def timed(work: Callable[..., object], *arguments: Any, **options: Any) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    work(*arguments, **options)
    return 1000 * (time.perf_counter() - began)


def percentiles(times: list[float], processor_ms: float | None = None) -> Found:
    """Median and 95th percentile in ms, and the mean of processor time where it was taken."""
    return {"p50": float(np.median(times)), "p95": float(np.percentile(times, 95)), "n": len(times), "processor": processor_ms}


def asked_each(work: Callable[..., object], arguments: list[Any], **options: Any) -> Found:
    """A call for each argument."""
    processor = time.process_time()
    times = [timed(work, one, **options) for one in arguments]
    return percentiles(times, 1000 * (time.process_time() - processor) / len(times))


def remove_archive(path: Path) -> None:
    """With all that lies beside it."""
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def count_rows(archive: Archive, table: str) -> int:
    """Of one table."""
    (count,) = archive.connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(count)
