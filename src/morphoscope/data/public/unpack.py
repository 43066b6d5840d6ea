"""Archives unpacked as if they came from an enemy: no path leaves the folder, no links, no bombs, nothing written twice."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from morphoscope.data.public.data_set import Place
from morphoscope.errors import DownloadError, OutputError

MAX_EXPANSION = 100
"""Bytes of contents a byte of archive. Pictures barely shrink in an archive, empty masks by some 50 times."""
MIN_ALLOWED_BYTES = 2**30
MAX_MEMBERS = 3_000_000
CHUNK = 2**20
_JUNK_FOLDER, _JUNK_PREFIX = "__MACOSX", "._"


@dataclass(frozen=True)
class _Member:
    """A regular file in an archive. size: as the archive claims."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, into: Path, place: Place, progress: Callable[[int], None] = lambda files: None) -> list[str]:
    """Writes the members that `place` has a path for below `into`; returns these posix paths. Others are left out.

    Raises DownloadError for a damaged or hostile archive, OutputError where the disk has no room. `into` may then hold some of
    the members: whoever calls throws it away.
    """
    written: list[str] = []
    allowed = max(MIN_ALLOWED_BYTES, MAX_EXPANSION * archive.stat().st_size)
    with _reading(archive) as members:
        for number, member in enumerate(members):
            if number >= MAX_MEMBERS:
                raise DownloadError(f"{archive}: more than {MAX_MEMBERS:,} members; expected a data set. It was not unpacked.")
            target = _target(archive, member.name, place)
            if target is None:
                continue
            allowed -= _write_member(archive, member, into / target, allowed)
            written.append(target.as_posix())
            progress(len(written))
    return written


def _target(archive: Path, name: str, place: Place) -> PurePosixPath | None:
    """Where a member goes. Raises DownloadError for a name that points out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    is_out = path.is_absolute() or ".." in path.parts or any(":" in part or "\0" in part for part in path.parts)
    if is_out:
        raise DownloadError(
            f"{archive}: it holds a member called '{name}'; expected names inside the folder. It was not unpacked: the archive is "
            "not what the data set's authors published."
        )
    if not path.parts or path.name.startswith(_JUNK_PREFIX) or _JUNK_FOLDER in path.parts:
        return None
    return place(path)


def _write_member(archive: Path, member: _Member, target: Path, allowed: int) -> int:
    """Bytes written; counted as they come, since the archive's own figures may lie."""
    if member.size > allowed:
        raise _bomb(archive)
    if member.size > _free(target):
        raise _no_room(target, member.size)
    target.parent.mkdir(parents=True, exist_ok=True)
    total = 0
    try:
        with member.open() as source, target.open("xb") as stream:
            while chunk := source.read(CHUNK):
                total += len(chunk)
                if total > allowed:
                    raise _bomb(archive)
                stream.write(chunk)
    except FileExistsError as error:
        raise DownloadError(
            f"{archive}: two members would both become {target.name}; expected one. The archive is laid out in another way than "
            "published: see whether there is a newer version of morphoscope."
        ) from error
    return total


def _free(target: Path) -> int:
    there = next(folder for folder in target.parents if folder.exists())
    return shutil.disk_usage(there).free


def _no_room(target: Path, needed: int) -> OutputError:
    return OutputError(f"{target}: the disk has no room for {needed:,} bytes; expected it to. Make room, or choose another --to.")


def _bomb(archive: Path) -> DownloadError:
    return DownloadError(
        f"{archive}: its contents are more than {MAX_EXPANSION} times its size; expected pictures, which barely shrink. It was not "
        "unpacked: the archive is not what the data set's authors published."
    )


@contextmanager
def _reading(archive: Path) -> Iterator[Iterator[_Member]]:
    """The members of a zip or tar archive, known by content."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                yield _zip_members(archive, opened)
        else:
            with tarfile.open(archive) as tar:
                yield _tar_members(archive, tar)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError) as error:
        found = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        raise DownloadError(
            f"{archive}: it can't be unpacked ({found}); expected a whole zip or tar archive. Delete it and run the same command again."
        ) from error


def _zip_members(archive: Path, opened: zipfile.ZipFile) -> Iterator[_Member]:
    for info in opened.infolist():
        if info.is_dir():
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _special(archive, info.filename)
        if info.flag_bits & 1:
            raise DownloadError(f"{archive}: '{info.filename}' is encrypted; expected open data. It was not unpacked.")
        yield _Member(info.filename, info.file_size, lambda info=info: opened.open(info))  # type: ignore[misc]


def _tar_members(archive: Path, opened: tarfile.TarFile) -> Iterator[_Member]:
    for info in opened:
        if info.isdir():
            continue
        if not info.isreg():
            raise _special(archive, info.name)

        def contents(info: tarfile.TarInfo = info) -> IO[bytes]:
            stream = opened.extractfile(info)
            if stream is None:
                raise _special(archive, info.name)
            return stream

        yield _Member(info.name, info.size, contents)


def _special(archive: Path, name: str) -> DownloadError:
    return DownloadError(
        f"{archive}: '{name}' is a link or device; expected plain files. It was not unpacked: the archive is not what the data "
        "set's authors published."
    )
