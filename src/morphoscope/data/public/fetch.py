"""A data set from its repository into a folder: download, verify, unpack, count, catalogue.

Archives arrive in downloads/. Their members wait in .unfinished/ until every one of them is there, counted and catalogued; only
then do images/ and catalogue.csv appear. So whatever is interrupted, nothing half-written can be taken for the data set.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from morphoscope.data.public.data_set import DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.download import SPARE_BYTES, Progress, download
from morphoscope.data.public.manifest import (
    CONTENTS,
    Manifest,
    contents_of,
    write_manifest,
    write_whole,
)
from morphoscope.data.public.sheets import GROUP, count_classes, differences, refuse_other_counts, sheets
from morphoscope.data.public.unpack import unpack
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError, OutputError, did_you_mean

DOWNLOADS, UNFINISHED = "downloads", ".unfinished"

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
ByteBar = Callable[[str, int | None], AbstractContextManager[Progress]]
"""Show progress: what is done, of how many."""


@dataclass(frozen=True)
class Job:
    """What to fetch and where to. say: hears a line. bar, byte_bar: show progress. keeps_archives: after unpacking."""

    data_set: DataSet
    folder: Path
    manifest: Manifest
    say: Callable[[str], None]
    bar: Bar
    byte_bar: ByteBar
    keeps_archives: bool = False
    accepts_changes: bool = False

    @property
    def downloads(self) -> Path:
        return self.folder / DOWNLOADS

    @property
    def unfinished(self) -> Path:
        return self.folder / UNFINISHED


def chosen_files(data_set: DataSet, web: Web, parts: Sequence[str]) -> list[RemoteFile]:
    """The files of the parts, all where none is named. Raises DownloadError for a part that there isn't."""
    unknown = [name for name in parts if name not in data_set.parts]
    if unknown:
        there = f"one of {', '.join(data_set.parts)}" if data_set.parts else "none: this data set comes as a whole"
        raise DownloadError(
            f"--part: {data_set.name} has no part '{unknown[0]}'; expected {there}.{did_you_mean(unknown[0], data_set.parts)}"
        )
    return [file for file in data_set.files(web) if not parts or file.part in parts]


def fetch_files(job: Job, web: Web, files: Sequence[RemoteFile]) -> None:
    """Downloads and unpacks what is not there yet; the manifest is kept up after every file."""
    waiting = [file for file in files if file.name not in job.manifest.unpacked]
    job.downloads.mkdir(exist_ok=True)
    _require_room(job, waiting)
    for number, file in enumerate(waiting, start=1):
        with job.byte_bar(f"{number}/{len(waiting)} {file.name}", file.size) as progress:
            received = download(web, file, job.downloads, progress, job.manifest.known_sha256(file.name))
        job.manifest.note_received(file, received)
        write_manifest(job.folder, job.manifest)
        job.say(f"{file.name}: {received.size:,} bytes, {job.manifest.files[file.name]['verified']}.")
        _unpack_one(job, file, received.path)


def _require_room(job: Job, files: Sequence[RemoteFile]) -> None:
    """Raises OutputError where the disk can't hold what is to come: contents, and archives beside them."""
    sizes = [file.size or 0 for file in files]
    beside = sum(sizes) if job.keeps_archives else max(sizes, default=0)
    there = sum(path.stat().st_size for path in job.downloads.iterdir() if path.is_file())
    needed = sum(sizes) + beside - there + SPARE_BYTES
    free = shutil.disk_usage(job.folder).free
    if sum(sizes) and needed > free:
        raise OutputError(
            f"{job.folder}: {free:,} bytes are free; expected {needed:,} for {job.data_set.title} and its archives. "
            "Make room, choose another --to, or fetch only a --part."
        )


def _unpack_one(job: Job, file: RemoteFile, archive: Path) -> None:
    """The file's members into .unfinished/members, by way of a folder of its own that is thrown away where it fails."""
    staging, members = job.unfinished / "unpacking", job.unfinished / "members"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        if file.is_archive:
            with job.bar(f"Unpacking {file.name}", None) as progress:
                names = unpack(archive, staging, file.place, progress)
        else:
            names = _copied(file, archive, staging)
        if not names:
            raise DownloadError(
                f"{archive}: nothing in it is laid out as published; expected pictures or tables. The record has changed: see whether "
                "there is a newer version of morphoscope."
            )
        _move(staging, members, names)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    job.manifest.unpacked[file.name] = file.part
    write_manifest(job.folder, job.manifest)
    if not job.keeps_archives:
        archive.unlink(missing_ok=True)


def _copied(file: RemoteFile, archive: Path, staging: Path) -> list[str]:
    place = file.place(PurePosixPath(*file.name.split("__")))
    if place is None:
        return []
    (staging / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(archive, staging / place)
    return [place.as_posix()]


def _move(origin: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).replace(target / name)


def finish(job: Job) -> list[Row]:
    """Counts and catalogues what was unpacked, then lets it appear. Raises DownloadError where the counts are not as published."""
    members = job.unfinished / "members"
    _take_back(job, members)
    with job.bar("Cataloguing", job.data_set.n_images) as progress:
        rows = list(job.data_set.catalogue(Fetched(members, lambda done, total: progress(done))))
    parts = [part for part in job.manifest.unpacked.values() if part]
    other = differences(job.data_set, rows, parts)
    if not job.accepts_changes:
        refuse_other_counts(job.data_set, other, members)
    names = [path.relative_to(members).as_posix() for path in members.rglob("*") if path.is_file()]
    job.manifest.catalogue = _described(job, rows, other)
    job.manifest.parts = parts
    job.manifest.is_whole = not job.data_set.parts or set(parts) == set(job.data_set.parts)
    texts = sheets(rows) | {CONTENTS: contents_of(members, names)}
    for folder in sorted(members.iterdir()):
        folder.replace(job.folder / folder.name)
    for name, text in texts.items():
        write_whole(job.folder / name, text)
    write_manifest(job.folder, job.manifest)
    shutil.rmtree(job.unfinished, ignore_errors=True)
    if job.downloads.is_dir() and not any(job.downloads.iterdir()):
        job.downloads.rmdir()
    return rows


def _take_back(job: Job, members: Path) -> None:
    """Puts what an earlier fetch of other parts let appear back to the members, to be counted and catalogued together."""
    names = [folder for folder in ("images", "instance_maps", "source") if (job.folder / folder).is_dir()]
    for folder in names:
        here = job.folder / folder
        _move(here, members / folder, [path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()])
        shutil.rmtree(here)


def _described(job: Job, rows: Sequence[Row], other: Sequence[str]) -> dict[str, object]:
    described: dict[str, object] = {
        "images": len(rows),
        "groups": len({row.group for row in rows}),
        "group_column": GROUP,
        "counts": count_classes(rows, job.data_set.task),
    }
    return described | ({"differs": list(other)} if other else {})
