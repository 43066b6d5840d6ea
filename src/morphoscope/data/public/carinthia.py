"""Carinthia: SEM of defects on semiconductor wafers in six classes of 4,008 to 4 pictures, a test of imbalance.

The authors number the classes. Nothing tells which pictures show one wafer, so near-duplicates are the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from morphoscope.data.public.data_set import PICTURES, SOURCE, DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.grouping import view_groups
from morphoscope.data.public.sheets import count_classes
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError
from morphoscope.io.label_sheet import read_sheet

RECORD = "10715190"
TABLE = "carinthia.csv"
CHECKSUM = "md5:457011cf9063e5a49751f33ea468309d"
SORTED_COUNTS = [4008, 289, 227, 55, 8, 4]
"""Images a class, largest first; which number has which is in the table."""


def _place(member: PurePosixPath) -> PurePosixPath | None:
    if member.name == TABLE:
        return PurePosixPath(SOURCE, TABLE)
    return PurePosixPath("images", member.name) if member.suffix.lower() in PICTURES else None


def _files(web: Web) -> list[RemoteFile]:
    url = f"https://zenodo.org/records/{RECORD}/files/data.zip?download=1"
    return [RemoteFile("data.zip", url, _place, checksum=CHECKSUM, told_by="program")]


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    labels = _labels(fetched)
    names = [name for name in fetched.pictures() if PurePosixPath(name).name in labels]
    groups = view_groups(fetched.images, names, fetched.progress)
    rows = [Row(name, group, {"class": labels[PurePosixPath(name).name]}) for name, group in zip(names, groups, strict=True)]
    counts = list(count_classes(rows, "class").values())
    if len(rows) == CARINTHIA.n_images and counts != SORTED_COUNTS:
        raise DownloadError(
            f"{fetched.source / TABLE}: the classes have {counts} pictures; expected {SORTED_COUNTS}. The record has changed: see "
            "whether there is a newer version of morphoscope."
        )
    return rows


def _labels(fetched: Fetched) -> dict[str, str]:
    """File name to class, from the authors' table of image_path;file_name;label."""
    sheet = read_sheet(fetched.source / TABLE)
    heading = next((name for name in sheet.columns if name.casefold() in ("label", "class")), None)
    if heading is None:
        raise DownloadError(
            f"{fetched.source / TABLE}: found the columns {', '.join(sheet.columns)}; expected one called label. The record has "
            "changed: see whether there is a newer version of morphoscope."
        )
    return {
        PurePosixPath(name.replace("\\", "/")).name: label for name, label in zip(sheet["filename"], sheet[heading], strict=True)
    }


CARINTHIA = DataSet(
    name="carinthia",
    title="Carinthia SEM wafer defects",
    licence="CC BY 4.0",
    citation="Carinthia SEM defect data set (2024), https://doi.org/10.5281/zenodo.10715190",
    page=f"https://doi.org/10.5281/zenodo.{RECORD}",
    n_images=sum(SORTED_COUNTS),
    files=_files,
    catalogue=_catalogue,
)
