"""Files as the archive knows them: path, size, time and hash, by which missing, changed and moved ones are told apart."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from morphoscope.archive.store import Archive
from morphoscope.data.cache import content_hash

DOUBT_S = 2.0
"""A file written so shortly before it was looked at may have been written once more within the same tick of its clock."""

FileStatus = Literal["unchanged", "touched", "changed", "new", "missing"]


@dataclass(frozen=True)
class FileState:
    """A file's bytes at a moment. hash: SHA-256; checked_at: seconds since 1970."""

    path: Path
    hash: str
    size_bytes: int
    mtime_ns: int
    checked_at: float

    @classmethod
    def of(cls, path: Path) -> FileState:
        """As it is now. Raises OSError."""
        checked_at, stat = time.time(), path.stat()
        return cls(absolute(path), content_hash(path), stat.st_size, stat.st_mtime_ns, checked_at)


def file_status(path: Path, known: FileState | None) -> FileStatus:
    """How a file is, compared with what is known of it. Size and time decide; the hash only where they leave doubt.

    touched: its time is another, its bytes are the same.
    """
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    if known is None:
        return "new"
    if stat.st_size != known.size_bytes:
        return "changed"
    is_same_time = stat.st_mtime_ns == known.mtime_ns
    if is_same_time and stat.st_mtime_ns / 1e9 < known.checked_at - DOUBT_S:
        return "unchanged"
    try:
        is_same = content_hash(path) == known.hash
    except OSError:
        return "missing"
    return "touched" if is_same else "changed"


def known_files(archive: Archive) -> dict[Path, tuple[int, FileState]]:
    """Every file of the archive by its path, with its picture's number."""
    rows = archive.connection.execute("SELECT id, path, hash, size_bytes, mtime_ns, checked_at FROM picture")
    return {(path := from_stored(row[1])): (row[0], FileState(path, *row[2:])) for row in rows}


@dataclass(frozen=True)
class Look:
    """A file's size and time at a moment; 0 for one that can't be looked at."""

    size_bytes: int = 0
    mtime_ns: int = 0


def look_at(path: Path) -> Look:
    """As it is now."""
    try:
        stat = path.stat()
    except OSError:
        return Look()
    return Look(stat.st_size, stat.st_mtime_ns)


def current_state(path: Path, planned: Look) -> FileState:
    """A file that was read since `planned`. Where it was written meanwhile, or can't be opened, its hash stays blank, so that it
    counts as changed when it is looked at next."""
    try:
        found = FileState.of(path)
    except OSError:
        return FileState(absolute(path), "", planned.size_bytes, planned.mtime_ns, 0.0)
    if (found.size_bytes, found.mtime_ns) != (planned.size_bytes, planned.mtime_ns):
        return FileState(found.path, "", found.size_bytes, found.mtime_ns, 0.0)
    return found


def check_files(archive: Archive) -> dict[FileStatus, list[int]]:
    """Looks at every file and marks those that are missing or changed; pictures by how their files are."""
    found: dict[FileStatus, list[int]] = {}
    for path, (picture, known) in known_files(archive).items():
        found.setdefault(file_status(path, known), []).append(picture)
    with archive.writing() as connection:
        for status in ("missing", "changed"):
            mark(archive, found.get(status, []), status)
        back = [*found.get("unchanged", []), *found.get("touched", [])]
        connection.executemany(
            "UPDATE picture SET state = iif(error = '', 'ok', 'error'), revision = (SELECT revision FROM archive) "
            "WHERE id = ? AND state IN ('missing', 'changed')",
            [(picture,) for picture in back],
        )
    return found


def mark(archive: Archive, pictures: list[int], state: str) -> None:
    """Notes the state of pictures: ok, error, missing or changed."""
    with archive.writing() as connection:
        connection.executemany(
            "UPDATE picture SET state = ?, revision = (SELECT revision FROM archive) WHERE id = ? AND state <> ?",
            [(state, picture, state) for picture in pictures],
        )


def absolute(path: Path) -> Path:
    """A path from the root, links left as they are: they are how a lab names its folders."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def stored(path: Path) -> str | bytes:
    """A path as the table holds it: text, or bytes where the file system's name is no text."""
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return text


def from_stored(value: str | bytes) -> Path:
    """The path that `stored` wrote."""
    return Path(os.fsdecode(value))


def shown(text: str) -> str:
    """A name that is always text."""
    return text.encode(errors="backslashreplace").decode()
