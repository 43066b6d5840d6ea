"""Pictures in the archive: what their files say, one row each, whether they could be read or not."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from morphoscope import __version__
from morphoscope.archive.files import FileState, absolute, from_stored, shown, stored
from morphoscope.archive.store import Archive, now
from morphoscope.data.record import micrograph_from_record, micrograph_to_record
from morphoscope.errors import ArchiveError
from morphoscope.micrograph import Acquisition, Micrograph

SETTINGS = tuple(one.name for one in dataclasses.fields(Acquisition))


@dataclass(frozen=True, eq=False)
class Entry:
    """A picture to record. micrograph: without pixels; None where it can't be read, and `error` says why.

    sample, notes: None leaves what the archive has. thumbnail: an encoded small copy. sheet: cells of the user's metadata
    sheet that took part in reading it.
    """

    file: FileState
    micrograph: Micrograph | None = None
    error: str = ""
    sample: str | None = None
    notes: str | None = None
    thumbnail: bytes | None = None
    sheet: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of the archive. state: ok, error (see `error`), missing or changed. sheet: what the
    user's metadata sheet said; metadata: what is known of it, as JSON values."""

    id: int
    path: Path
    name: str
    state: str
    error: str
    hash: str
    size_bytes: int
    height: int | None
    width: int | None
    dtype: str | None
    reader: str | None
    pixel_size_nm: float | None
    pixel_size_origin: str | None
    sample: str
    notes: str
    added_at: str
    version: str
    sheet: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def micrograph(self) -> Micrograph | None:
        """What is known of it, with pixels that hold nothing; None where it couldn't be read."""
        return micrograph_from_record(self.metadata, self.path) if self.metadata else None


def record_pictures(archive: Archive, entries: Sequence[Entry]) -> list[int]:
    """Adds pictures, or brings those of the same path up to date; their numbers, which they keep forever.

    A file that has the bytes of a picture whose own file is gone was moved: it is that picture, at its new place.
    """
    with archive.writing() as connection:
        return [_record(connection, entry) for entry in entries]


def picture(archive: Archive, number: int) -> Picture:
    """The picture of a number. Raises ArchiveError."""
    row = archive.connection.execute(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise ArchiveError(f"{archive.path}: it has no picture number {number}; expected one that a search gave. Search again.")
    return _picture(row)


def picture_at(archive: Archive, path: Path) -> Picture | None:
    """The picture of a file, if the archive has it."""
    row = archive.connection.execute(f"{_SELECT} WHERE path = ?", (stored(absolute(path)),)).fetchone()
    return _picture(row) if row else None


def count_pictures(archive: Archive) -> int:
    """How many there are, readable or not."""
    (count,) = archive.connection.execute("SELECT count(*) FROM picture").fetchone()
    return int(count)


def describe(archive: Archive, number: int, *, sample: str | None = None, notes: str | None = None) -> None:
    """Sets what a person says of a picture; None leaves it. Raises ArchiveError for a number that there isn't."""
    picture(archive, number)
    with archive.writing() as connection:
        connection.execute(
            "UPDATE picture SET sample = coalesce(?, sample), notes = coalesce(?, notes), "
            "revision = (SELECT revision FROM archive) WHERE id = ?",
            (sample, notes, number),
        )


_COLUMNS = [one.name for one in dataclasses.fields(Picture)]
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM picture"  # noqa: S608


def _picture(row: tuple[Any, ...]) -> Picture:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["path"] = from_stored(values["path"])
    values["sheet"], values["metadata"] = json.loads(values["sheet"]), json.loads(values["metadata"])
    return Picture(**values)


def _record(connection: sqlite3.Connection, entry: Entry) -> int:
    values = _file_values(entry.file) | {"error": entry.error, "state": "error" if entry.error else "ok"}
    values |= _said(entry.micrograph) | {"version": __version__, "sheet": json.dumps(dict(entry.sheet), sort_keys=True)}
    values |= {name: text for name, text in (("sample", entry.sample), ("notes", entry.notes)) if text is not None}
    (values["revision"],) = connection.execute("SELECT revision FROM archive").fetchone()
    number = _number_of(connection, entry.file)
    if number is None:
        values["added_at"] = now()
        marks = ", ".join("?" * len(values))
        cursor = connection.execute(f"INSERT INTO picture ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608
        number = int(cursor.lastrowid or 0)
    else:
        _forget_features(connection, number, entry.file)
        changes = ", ".join(f"{name} = ?" for name in values)
        connection.execute(f"UPDATE picture SET {changes} WHERE id = ?", [*values.values(), number])  # noqa: S608
    if entry.thumbnail is not None:
        connection.execute("INSERT OR REPLACE INTO thumbnail VALUES (?, ?)", (number, entry.thumbnail))
    return number


def _number_of(connection: sqlite3.Connection, file: FileState) -> int | None:
    """The picture of that path, or the one of the same bytes whose own file is gone."""
    known = connection.execute("SELECT id FROM picture WHERE path = ?", (stored(file.path),)).fetchone()
    if known:
        return int(known[0])
    if not file.hash:
        return None
    same = connection.execute("SELECT id, path FROM picture WHERE hash = ?", (file.hash,)).fetchall()
    return next((int(number) for number, path in same if not from_stored(path).exists()), None)


def _forget_features(connection: sqlite3.Connection, number: int, file: FileState) -> None:
    """What models saw in other bytes says nothing of these; answers stay, since they say which bytes they are about."""
    for table in ("embedding", "place", "thumbnail"):
        connection.execute(
            f"DELETE FROM {table} WHERE picture = ? AND (SELECT hash FROM picture WHERE id = ?) <> ?",  # noqa: S608
            (number, number, file.hash),
        )


def _file_values(file: FileState) -> dict[str, Any]:
    return {
        "path": stored(file.path),
        "name": shown(file.path.name),
        "folder": shown(str(file.path.parent)),
        "hash": file.hash,
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "checked_at": file.checked_at,
    }


def _said(micrograph: Micrograph | None) -> dict[str, Any]:
    """The columns that a file's own words fill; all of them, so that nothing of an earlier file stays."""
    values: dict[str, Any] = dict.fromkeys(("height", "width", "dtype", "reader", "pixel_size_nm", "pixel_size_origin", "maker"))
    values |= dict.fromkeys(SETTINGS) | {"metadata": "{}"}
    if micrograph is None:
        return values
    size = micrograph.pixel_size
    values["height"], values["width"] = micrograph.pixels.shape
    values["dtype"], values["reader"] = micrograph.pixels.dtype.name, micrograph.reader
    values["maker"] = micrograph.reader.partition("(")[2].rstrip(")") or None
    if size:
        values["pixel_size_nm"], values["pixel_size_origin"] = size.mean_nm, size.origin
    values |= {name: micrograph.acquisition.value(name) for name in SETTINGS}
    values["metadata"] = json.dumps(micrograph_to_record(micrograph), ensure_ascii=True)
    return values
