"""What an indexing run has to do: files that are new or changed, and those that lack what is asked for; the rest is skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from morphoscope.archive.files import FileState, Look, absolute, file_status, from_stored, look_at, mark
from morphoscope.archive.store import Archive

Cells = Mapping[Path, Mapping[str, str]]
"""Rows of a metadata sheet, by file."""


@dataclass
class Plan:
    """to_read: files to read and show to the model; to_measure: pictures to measure alone, by file. unchanged: up to date."""

    to_read: list[Path] = field(default_factory=list)
    looks: dict[Path, Look] = field(default_factory=dict)
    to_measure: dict[Path, int] = field(default_factory=dict)
    unchanged: int = 0
    failed_before: int = 0

    def __len__(self) -> int:
        return len(self.to_read) + len(self.to_measure)


@dataclass(frozen=True)
class _Known:
    id: int
    file: FileState
    state: str
    is_error: bool
    sheet: dict[str, str]


def plan(
    archive: Archive,
    files: Sequence[Path],
    *,
    model: int,
    answers: bool,
    measure: bool,
    cells: Cells,
    retry: bool = False,
) -> Plan:
    """Compares files with the archive. model, answers: whose features, and answers where it has tasks, are wanted of each;
    measure: whether objects are; retry: reads again what failed before. Unchanged files that were missing are back."""
    known = _known(archive)
    seen = _having(archive, "embedding", model)
    answered = _having(archive, "prediction", model) if answers else seen
    measured = {
        row[0]
        for row in archive.connection.execute(
            "SELECT picture FROM measurement m JOIN picture p ON p.id = m.picture AND p.hash = m.hash"
        )
    }
    found, back, touched = Plan(), [], []
    for path in files:
        one = known.get(absolute(path))
        look = found.looks[path] = look_at(path)
        status = file_status(path, one.file if one else None)
        if one is None or status in ("changed", "missing") or (cells and dict(cells.get(path, {})) != one.sheet):
            found.to_read.append(path)
            continue
        if status == "touched":
            touched.append((look.mtime_ns, one.id))
        if one.state in ("missing", "changed"):
            back.append(one)
        if one.is_error:
            found.failed_before += not retry
            if retry:
                found.to_read.append(path)
        elif one.id not in seen or one.id not in answered:
            found.to_read.append(path)
        elif measure and one.id not in measured:
            found.to_measure[path] = one.id
        else:
            found.unchanged += 1
    for state in ("ok", "error"):
        mark(archive, [one.id for one in back if one.is_error == (state == "error")], state)
    if touched:
        with archive.writing() as connection:
            connection.executemany("UPDATE picture SET mtime_ns = ? WHERE id = ?", touched)
    return found


def mark_missing(archive: Archive, places: Sequence[Path]) -> int:
    """Marks the pictures below folders whose files are gone; how many there are."""
    folders = [absolute(place) for place in places]
    gone = [
        one.id
        for path, one in _known(archive).items()
        if any(path.is_relative_to(folder) for folder in folders) and not path.exists()
    ]
    mark(archive, gone, "missing")
    return len(gone)


def _known(archive: Archive) -> dict[Path, _Known]:
    rows = archive.connection.execute(
        "SELECT path, hash, size_bytes, mtime_ns, checked_at, id, state, error, sheet FROM picture"
    ).fetchall()
    return {
        (path := from_stored(row[0])): _Known(row[5], FileState(path, *row[1:5]), row[6], bool(row[7]), json.loads(row[8]))
        for row in rows
    }


def _having(archive: Archive, table: str, model: int) -> set[int]:
    rows = archive.connection.execute(f"SELECT picture FROM {table} WHERE model = ?", (model,))  # noqa: S608
    return {row[0] for row in rows}
