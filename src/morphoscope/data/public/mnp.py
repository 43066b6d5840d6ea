"""TEM of metal nanoparticles (the AutoDetect-mNP pictures, sorted by Lu et al. 2022): how the particles lie, in three classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from morphoscope.data.public.data_set import PICTURES, DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.grouping import view_groups
from morphoscope.data.public.record import ZENODO, invenio, pinned
from morphoscope.data.public.web import Web

RECORD = "7025602"
ARCHIVE, SIZE = "2022-AutoDetect-mNP-morphology.zip", 1_571_757_800


def _place(member: PurePosixPath) -> PurePosixPath | None:
    """Pictures into a folder a class, the folder that holds them in the archive."""
    if member.suffix.lower() not in PICTURES or not member.parent.name:
        return None
    return PurePosixPath("images", member.parent.name, member.name)


def _files(web: Web) -> list[RemoteFile]:
    return [one.to_fetch(_place) for one in pinned(invenio(web, ZENODO, RECORD), {ARCHIVE: SIZE})]


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    names = fetched.pictures()
    groups = view_groups(fetched.images, names, fetched.progress)
    return [Row(name, group, {"class": name.split("/")[0]}) for name, group in zip(names, groups, strict=True)]


MNP = DataSet(
    name="mnp",
    title="TEM metal nanoparticles (AutoDetect-mNP)",
    licence="CC BY 4.0",
    citation="Wang et al., JACS Au 1, 316 (2021), https://doi.org/10.1021/jacsau.0c00030, sorted by Lu et al. 2022",
    page=f"https://doi.org/10.5281/zenodo.{RECORD}",
    n_images=300,
    size=SIZE,
    files=_files,
    catalogue=_catalogue,
)
