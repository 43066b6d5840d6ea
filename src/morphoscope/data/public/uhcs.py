"""UHCS (Hecht et al. 2017): SEM of ultrahigh-carbon steel, its main microconstituent, scale bar and heat treatment in a database.

The repository is gone; the Internet Archive keeps copies. The specimen is the group; the pictures without one are held together,
since nobody knows which of them show the same steel.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from morphoscope.data.public.data_set import PICTURES, SOURCE, DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.record import internet_archive, matching
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError
from morphoscope.units import NM_PER_UNIT, length_unit

RECORD = "materialsdata.nist.gov/bitstream/handle/11256/940"
DATABASE, ARCHIVE = "microstructures.sqlite", "micrographs.zip"
UNKNOWN_SPECIMEN = "specimen not recorded"
_QUERY = """
    SELECT m.micrograph_id, m.path, m.primary_microconstituent, m.micron_bar, m.micron_bar_units, m.micron_bar_px, s.label
    FROM micrograph m LEFT JOIN sample s ON m.sample_key = s.sample_id ORDER BY m.micrograph_id
"""


def _place(member: PurePosixPath) -> PurePosixPath | None:
    if member.name == DATABASE:
        return PurePosixPath(SOURCE, DATABASE)
    return PurePosixPath("images", member.name) if member.suffix.lower() in PICTURES else None


def _files(web: Web) -> list[RemoteFile]:
    listed = internet_archive(web, RECORD)
    wanted = [*matching(listed, rf"^{DATABASE}$"), *matching(listed, rf"^{ARCHIVE}$")]
    return [one.to_fetch(_place) for one in wanted]


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    names = {PurePosixPath(name).stem.casefold(): name for name in fetched.pictures()}
    rows = []
    for number, path, constituent, value, unit, length_px, specimen in _records(fetched.source / DATABASE):
        name = names.get(f"micrograph{number}") or names.get(PurePosixPath(str(path)).stem.casefold())
        if name is None or not constituent:
            continue
        scale = _pixel_size_nm(value, unit, length_px)
        rows.append(Row(name, specimen or UNKNOWN_SPECIMEN, {"class": constituent}, {"pixel_size_nm": scale} if scale else {}))
    return rows


def _records(database: Path) -> list[tuple]:
    try:
        with closing(sqlite3.connect(f"file:{database.as_posix()}?mode=ro", uri=True)) as connection:
            return connection.execute(_QUERY).fetchall()
    except sqlite3.Error as error:
        raise DownloadError(
            f"{database}: the table of micrographs can't be read ({error}); expected the authors' database. The record has changed: "
            "see whether there is a newer version of morphoscope."
        ) from error


def _pixel_size_nm(value: float | None, unit: str | None, length_px: int | None) -> str:
    """Of the scale bar that the database tells, or empty."""
    factor = NM_PER_UNIT.get(length_unit(unit or "") or "")
    return f"{value * factor / length_px:.6g}" if value and factor and length_px else ""


UHCS = DataSet(
    name="uhcs",
    title="UHCS, ultrahigh-carbon steel",
    licence="CC BY 3.0 US",
    citation="DeCost, Hecht, Francis, Webler, Picard & Holm, Integr. Mater. Manuf. Innov. 6, 197 (2017), https://doi.org/10.1007/s40192-017-0097-0",
    page="https://hdl.handle.net/11256/940",
    n_images=961,
    files=_files,
    catalogue=_catalogue,
)
