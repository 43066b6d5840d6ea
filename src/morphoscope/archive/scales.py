"""What people say of a picture's scale: kept about the bytes of its file, so that indexing again, a moved file and a copy have it too.

Words are only ever added. The last one about the bytes holds; one without a size takes those before it back.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from morphoscope.archive.pictures import picture
from morphoscope.archive.store import Archive, now
from morphoscope.micrograph import PixelSize

PIXEL_SIZE = "pixel_size_nm"
"""The column of a metadata sheet that says it."""


@dataclass(frozen=True)
class ScaleWord:
    """A person's word. pixel_size_nm: side of a square pixel; None: what the file says holds again. annotator: blank if unknown."""

    pixel_size_nm: float | None
    annotator: str
    made_at: str


def set_scale(archive: Archive, number: int, pixel_size_nm: float | None, annotator: str, holds: PixelSize | None) -> None:
    """Records a person's word on a picture and every other of the same bytes, and forgets what was measured in nm by another.

    holds: the pixel size that the picture has now, with its evidence. Raises ArchiveError for a number that there isn't.
    """
    file_hash = picture(archive, number).hash
    with archive.writing() as connection:
        connection.execute(
            "INSERT INTO scale (made_at, annotator, hash, pixel_size_nm) VALUES (?, ?, ?, ?)",
            (now(), annotator.strip(), file_hash, pixel_size_nm),
        )
        size = dataclasses.asdict(holds) if holds else None
        connection.execute(
            "UPDATE picture SET pixel_size_nm = ?, pixel_size_origin = ?, metadata = json_set(metadata, '$.pixel_size', json(?)), "
            "revision = (SELECT revision FROM archive) WHERE hash = ?",
            (holds.mean_nm if holds else None, holds.origin if holds else None, json.dumps(size), file_hash),
        )
        connection.execute("DELETE FROM measurement WHERE picture IN (SELECT id FROM picture WHERE hash = ?)", (file_hash,))


def scale_history(archive: Archive, number: int) -> list[ScaleWord]:
    """Every word on a picture's bytes, the first first."""
    rows = archive.connection.execute(
        "SELECT s.pixel_size_nm, s.annotator, s.made_at FROM scale s JOIN picture p ON p.hash = s.hash WHERE p.id = ? ORDER BY s.id",
        (number,),
    )
    return [ScaleWord(*row) for row in rows]


def scale_cells(archive: Archive) -> dict[str, dict[str, str]]:
    """The words that hold as cells of a metadata sheet, by the hash of the file's bytes."""
    # SQLite takes the bare columns of a group from the row that has its maximum.
    rows = archive.connection.execute("SELECT hash, pixel_size_nm, max(id) FROM scale GROUP BY hash").fetchall()
    return {file_hash: {PIXEL_SIZE: repr(size)} for file_hash, size, _ in rows if size is not None}


def with_scale(row: Mapping[str, str], word: Mapping[str, str]) -> dict[str, str]:
    """A row of a metadata sheet in which a person's word on the scale, where there is one, stands over the sheet's."""
    others = {name: cell for name, cell in row.items() if not (word and name.strip().lower().startswith("pixel_size"))}
    return others | dict(word)
