"""A folder that is being filled: by a slow writer, by renaming, with locks and damage."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import tifffile

from morphoscope.apps.watching.folder import FolderSettings, FolderSource
from morphoscope.apps.watching.source import Arrival, Version
from morphoscope.micrograph import Micrograph

POLL_S = 0.05


@pytest.fixture
def picture(tmp_path: Path) -> bytes:
    path = tmp_path / "made.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8))
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def source(folder: Path, **settings: object) -> FolderSource:
    return FolderSource(folder, FolderSettings(poll_s=POLL_S, settle=2, scale="header", **settings))  # type: ignore[arg-type]


def taken(watched: FolderSource, count: int) -> list[Arrival]:
    """The next arrivals; those of a source that gives fewer end the test by its time limit."""
    arrivals: Iterator[Arrival] = watched.arrivals(Event())
    return [next(arrivals) for _ in range(count)]


def test_a_growing_file_is_read_once_and_whole(folder: Path, picture: bytes) -> None:
    watched = source(folder, idle_s=1.0)
    written = []

    def write_slowly() -> None:
        with (folder / "slow.tif").open("wb") as file:
            for start in range(0, len(picture), len(picture) // 8):
                file.write(picture[start : start + len(picture) // 8])
                file.flush()
                time.sleep(POLL_S)
        written.append(time.monotonic())

    writer = Thread(target=write_slowly)
    writer.start()
    (arrival,) = list(watched.arrivals(Event()))
    writer.join()
    assert isinstance(arrival.content, Micrograph) and arrival.content.pixels.shape == (48, 64)
    assert arrival.version is not None and arrival.version.size == len(picture)
    assert arrival.taken >= written[0] - 2 * POLL_S


def test_what_lies_there_is_left_unless_wanted(folder: Path, picture: bytes) -> None:
    (folder / "old.tif").write_bytes(picture)
    assert not list(source(folder, idle_s=0.3).arrivals(Event()))
    assert [one.name for one in taken(source(folder, existing=True), 1)] == ["old.tif"]


def test_what_was_answered_before_is_left_and_what_came_since_is_read(folder: Path, picture: bytes) -> None:
    for name in ("answered.tif", "since.tif"):
        (folder / name).write_bytes(picture)
    known = {(folder / "answered.tif").absolute(): Version.of((folder / "answered.tif").stat())}
    watched = source(folder, known=known, known_until=time.time() - 60, idle_s=0.3)
    assert [one.name for one in watched.arrivals(Event())] == ["since.tif"]
    watched = source(folder, known=known, known_until=time.time() + 60, idle_s=0.3)
    assert not list(watched.arrivals(Event()))


def test_a_rename_is_read_under_its_last_name(folder: Path, picture: bytes) -> None:
    watched = source(folder, idle_s=0.4)
    (folder / "x.tif.part").write_bytes(picture)
    arrivals = watched.arrivals(Event())
    renamer = Thread(target=lambda: (time.sleep(0.2), (folder / "x.tif.part").rename(folder / "x.tif")))
    renamer.start()
    assert [one.name for one in arrivals] == ["x.tif"]
    renamer.join()


def test_a_changed_file_is_read_anew(folder: Path, picture: bytes) -> None:
    watched = source(folder)
    arrivals = watched.arrivals(Event())
    (folder / "a.tif").write_bytes(picture)
    first = next(arrivals)
    tifffile.imwrite(folder / "a.tif", np.zeros((20, 30), np.uint8))
    second = next(arrivals)
    assert isinstance(first.content, Micrograph) and isinstance(second.content, Micrograph)
    assert second.content.pixels.shape == (20, 30) and (first.frame, second.frame) == (1, 2)


def test_a_damaged_file_is_waited_for_and_then_told(folder: Path, picture: bytes) -> None:
    watched = source(folder)
    arrivals = watched.arrivals(Event())
    (folder / "cut.tif").write_bytes(picture[: len(picture) // 2])
    began = time.monotonic()
    arrival = next(arrivals)
    assert isinstance(arrival.content, str) and "cut.tif" in arrival.content
    assert time.monotonic() - began > 10 * POLL_S
    (folder / "cut.tif").write_bytes(picture)
    assert isinstance(next(arrivals).content, Micrograph)


def test_a_locked_file_is_waited_for(folder: Path, picture: bytes) -> None:
    watched = source(folder)
    (folder / "locked.tif").write_bytes(picture)
    with (folder / "locked.tif").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        watched_files = source(folder, existing=True).arrivals(Event())
        unlocker = Thread(target=lambda: (time.sleep(0.3), fcntl.flock(file, fcntl.LOCK_UN)))
        unlocker.start()
        assert isinstance(next(watched_files).content, Micrograph)
        unlocker.join()
    assert not list(zip(range(1), source(folder, idle_s=0.1).arrivals(Event()), strict=False)) and watched


def test_a_share_that_goes_away_and_comes_back(folder: Path, picture: bytes, tmp_path: Path, caplog) -> None:
    watched = source(folder)
    arrivals = watched.arrivals(Event())
    folder.rename(tmp_path / "away")

    def come_back() -> None:
        time.sleep(0.3)
        (tmp_path / "away" / "new.tif").write_bytes(picture)
        (tmp_path / "away").rename(folder)

    returning = Thread(target=come_back)
    returning.start()
    assert next(arrivals).name == "new.tif"
    returning.join()
    assert "can't be listed" in caplog.text


def test_it_stops_when_told(folder: Path) -> None:
    stop = Event()
    stop.set()
    assert not list(source(folder).arrivals(stop))
