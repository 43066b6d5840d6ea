"""What was measured in pictures: the row of summary.csv, and the diameter of every object that counts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from morphoscope import __version__
from morphoscope.archive.store import Archive, now


@dataclass(frozen=True, eq=False)
class StoredMeasurement:
    """One picture's. summary: the filled cells of summary.csv; diameters_nm: (n,) float32; segmenter: what found the objects."""

    segmenter: str
    summary: dict[str, str]
    diameters_nm: np.ndarray
    version: str
    made_at: str
    is_current: bool


def record_measurement(
    archive: Archive, picture: int, summary: Mapping[str, str], diameters_nm: np.ndarray, segmenter: str
) -> None:
    """Keeps what was measured in a picture, in place of what was measured before. diameters_nm: empty without a scale."""
    cells = {name: cell for name, cell in summary.items() if cell != "" and name != "path"}
    values: list[Any] = [
        segmenter,
        cells.get("kind", ""),
        int(cells.get("n_objects", "0")),
        _number(cells, "d50_nm"),
        _number(cells, "wire_length_d50_nm"),
        _number(cells, "wire_width_d50_nm"),
        _number(cells, "area_fraction"),
        json.dumps(cells),
        diameters_nm.astype("<f4").tobytes(),
        __version__,
        now(),
    ]
    with archive.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO measurement (picture, hash, segmenter, kind, n_objects, diameter_nm, length_nm, "
            "wire_width_nm, area_fraction, summary, diameters_nm, version, made_at) "
            "SELECT id, hash, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM picture WHERE id = ?",
            [*values, picture],
        )
        connection.execute("UPDATE picture SET revision = (SELECT revision FROM archive) WHERE id = ?", (picture,))


def measurement_of(archive: Archive, picture: int) -> StoredMeasurement | None:
    """What was measured in one picture, if anything was."""
    row = archive.connection.execute(
        "SELECT m.segmenter, m.summary, m.diameters_nm, m.version, m.made_at, m.hash = picture.hash "
        "FROM measurement m JOIN picture ON picture.id = m.picture WHERE m.picture = ?",
        (picture,),
    ).fetchone()
    if row is None:
        return None
    return StoredMeasurement(row[0], json.loads(row[1]), np.frombuffer(row[2], "<f4"), row[3], row[4], bool(row[5]))


def _number(cells: Mapping[str, str], name: str) -> float | None:
    value = float(cells[name]) if cells.get(name) else math.nan
    return value if math.isfinite(value) else None
