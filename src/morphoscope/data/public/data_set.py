"""A public data set as this program knows it: where its files are, what is in them, and how they become a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from morphoscope.data.public.web import Web

IMAGES, MASKS, SOURCE = "images", "instance_maps", "source"
"""Folders of a fetched data set: pictures, instance maps, and the authors' own tables."""

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

Place = Callable[[PurePosixPath], PurePosixPath | None]
"""From a member's path in the archive to its path in the fetched data set; None leaves it out."""

Told = Literal["program", "repository", "nobody"]
"""Who knows the checksum: this program, the repository that serves the file, or nobody."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch. name: its name in downloads/, unique. size: bytes, None where unknown. checksum: `md5:…`, `sha1:…` or
    `sha256:…`, empty where unknown. place: where its members go. part: what `--part` calls it."""

    name: str
    url: str
    place: Place
    size: int | None = None
    checksum: str = ""
    told_by: Told = "nobody"
    part: str = ""

    @property
    def is_archive(self) -> bool:
        return self.name.lower().endswith(ARCHIVES)


@dataclass(frozen=True)
class Row:
    """A picture of the catalogue. filename: posix path below images/. classes: task to class, empty for unlabelled pictures.
    group: what must never straddle a split. metadata: columns that `train` knows, such as pixel_size_nm.
    published: the side of the authors' own split, where there is one."""

    filename: str
    group: str
    classes: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    published: Literal["", "train", "test"] = ""


@dataclass(frozen=True)
class Fetched:
    """A data set's folder while its catalogue is made. progress: hears how many pictures were looked at, of how many."""

    folder: Path
    progress: Callable[[int, int], None] = lambda done, total: None

    @property
    def images(self) -> Path:
        return self.folder / IMAGES

    @property
    def masks(self) -> Path:
        return self.folder / MASKS

    @property
    def source(self) -> Path:
        return self.folder / SOURCE

    def pictures(self) -> list[str]:
        """Posix paths below images/, sorted."""
        found = (path for path in self.images.rglob("*") if path.suffix.lower() in PICTURES)
        return sorted(path.relative_to(self.images).as_posix() for path in found)


@dataclass(frozen=True)
class DataSet:
    """files: what there is to fetch; may ask the repository. catalogue: rows from the unpacked folder. size: bytes of the
    whole download, None where unknown. counts: images a class of the task `task`, as published; empty where not known.
    by_hand: why and how a person must fetch it, for data sets that no program can. ask_licence: what the record says today, for
    data sets whose licence is not known here; empty where it says nothing."""

    name: str
    title: str
    licence: str
    citation: str
    page: str
    n_images: int | None
    files: Callable[[Web], Sequence[RemoteFile]]
    catalogue: Callable[[Fetched], Sequence[Row]]
    size: int | None = None
    task: str = "class"
    counts: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    is_labelled: bool = True
    by_hand: str = ""
    ask_licence: Callable[[Web], str] | None = None


def picture_below(*folders: str) -> Place:
    """Places every picture at folders/NAME and leaves the rest out."""

    def place(member: PurePosixPath) -> PurePosixPath | None:
        return PurePosixPath(*folders, member.name) if member.suffix.lower() in PICTURES else None

    return place
