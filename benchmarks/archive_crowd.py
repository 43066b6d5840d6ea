"""Many who write and read the same archive at once; for benchmark archive.py."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

from archive_filling import fill, rendered_features
from archive_timing import Found, count_rows, percentiles, remove_archive, timed

from morphoscope.archive import Archive, add_task, count_pictures, give_answer, search

ANSWERS, ENTRIES = 100, 10_000


def annotate(path: Path, name: str, count: int) -> list[float]:
    """One annotator's answers, fifty a second, so that they last as long as the readers do; ms each."""
    times, classes = [], ("Cube", "Rod")
    with Archive.open(path) as archive:
        for i in range(count):
            times.append(timed(give_answer, archive, 1 + i % 5000, "Morphology", classes[i % 2], name))
            time.sleep(0.02)
    return times


def look(path: Path, count: int) -> list[float]:
    """One reader's searches after its first, which loads what they need; ms each."""
    with Archive.open(path) as archive:
        search(archive, "like:1")
        return [timed(search, archive, f"like:{1 + i % 100} Morphology=Rod gold", limit=20) for i in range(count)]


def crowd(work: Path, each: int = ANSWERS) -> Found:
    """Four processes that answer while four search the same archive of 10,000 entries."""
    path = work / "crowd.archive"
    remove_archive(path)
    fill(path, rendered_features(work), ENTRIES)
    with Archive.open(path) as archive:
        add_task(archive, "Morphology", ["Cube", "Rod"], "benchmark")
        search(archive, "like:1")  # leaves on disk what `index` would
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        writers = [pool.apply_async(annotate, (path, f"person {i}", each)) for i in range(4)]
        readers = [pool.apply_async(look, (path, each)) for _ in range(4)]
        written = [time_ for one in writers for time_ in one.get()]
        read = [time_ for one in readers for time_ in one.get()]
    with Archive.open(path) as archive:
        kept, n_pictures = count_rows(archive, "answer"), count_pictures(archive)
        sound = archive.connection.execute("PRAGMA integrity_check").fetchone()[0]
    found = {"given": 4 * each, "kept": kept, "pictures": n_pictures, "integrity": sound}
    return found | {"write": percentiles(written), "read": percentiles(read)}
