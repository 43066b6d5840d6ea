"""One file from a server to this disk: resumed after a broken connection, measured before it is written, checked before it is used.

What arrives is kept in NAME.part beside a note of which version of the file it is; only a complete and verified file gets its name.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import requests

from morphoscope.data.public.checksum import digests, split_checksum
from morphoscope.data.public.data_set import RemoteFile
from morphoscope.data.public.web import DownloadInterruptedError, Web, reason
from morphoscope.errors import DownloadError, OutputError

PACKET = 2**16
"""Bytes written at once: what a broken connection loses at most."""
SPARE_BYTES = 64 * 2**20
"""Left free on the disk."""
PAGE_STARTS = (b"<!doctype html", b"<html", b"<head")

Progress = Callable[[int, int | None], None]
"""Hears how many bytes are there, and of how many."""


@dataclass(frozen=True)
class Received:
    """A complete file. sha256: of what was received, whatever its checksum was compared with."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class _Version:
    """Which version of a file a part belongs to."""

    url: str
    etag: str = ""
    last_modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What If-Range takes: a strong ETag, else the date."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class _Part:
    """The bytes that arrived so far."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.part"
        self._note = folder / f"{name}.part.json"

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self) -> _Version | None:
        try:
            return _Version(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def begin(self, version: _Version) -> None:
        self._note.write_text(json.dumps(asdict(version)), encoding="utf-8")

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        self.path.replace(target)
        self._note.unlink(missing_ok=True)


def download(
    web: Web, file: RemoteFile, folder: Path, progress: Progress = lambda done, total: None, known_sha256: str = ""
) -> Received:
    """The file in `folder`, complete and verified; a file of its name there is verified and not fetched again.

    known_sha256: of an earlier receipt, for a file whose checksum nobody tells. A connection that breaks is taken up where it
    broke, again and again as long as bytes arrive. Raises DownloadError, with what arrived kept where it can be used, and
    OutputError where the disk has no room.
    """
    target = folder / file.name
    part = _Part(folder, file.name)
    if not target.is_file():
        _receive_persistently(web, file, part, progress)
    whole = target if target.is_file() else part.path
    found = _verified(file, whole, known_sha256, is_ours=whole is not target, forget=part.forget)
    if whole is not target:
        part.finish(target)
    return Received(target, target.stat().st_size, found)


def _receive_persistently(web: Web, file: RemoteFile, part: _Part, progress: Progress) -> None:
    furthest, fruitless = part.size, 0
    while True:
        try:
            _receive(web, file, part, progress)
            return
        except DownloadInterruptedError as interruption:
            # Where a server can't resume, each try begins anew: only going further than ever counts.
            fruitless = 0 if part.size > furthest else fruitless + 1
            furthest = max(furthest, part.size)
            if fruitless >= web.tries:
                raise DownloadError(_given_up(web, file, part, interruption, fruitless)) from interruption
            if fruitless:
                web.wait(fruitless)


def _given_up(web: Web, file: RemoteFile, part: _Part, why: Exception, tries: int) -> str:
    total = (part.version() or _Version("")).total or file.size
    remedy = "What arrived is kept: run the same command again." if part.size else "Check the connection, or name a --mirror."
    return (
        f"{file.name}: {why} after {_bytes(part.size, total)}, {tries} times without getting further; expected the whole file from "
        f"{web.address(file.url)}. {remedy}"
    )


def _receive(web: Web, file: RemoteFile, part: _Part, progress: Progress) -> None:
    """One connection, from where the last one ended."""
    offset, headers = _resumption(file, part)
    with web.get(file.url, headers) as response:
        total = _total(response)
        if response.status_code == 416:
            if total == offset:
                return
            part.forget()
            raise DownloadInterruptedError("the server's file is another one than begun")
        offset = offset if _continues(response, offset) else 0
        _refuse_page(web, file, response)
        _refuse_other_size(web, file, total)
        _require_room(part.path, (total or file.size or offset) - offset)
        part.begin(
            _Version(file.url, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""), total or file.size)
        )
        _write(web, file, response, part, offset, total or file.size, progress)
    if total is not None and part.size != total:
        raise DownloadInterruptedError("the connection broke")


def _resumption(file: RemoteFile, part: _Part) -> tuple[int, dict[str, str]]:
    """The byte to go on at and the headers that ask for it; 0 where the part can't be trusted to be of this version."""
    version = part.version()
    if not part.size or version is None or version.url != file.url:
        return 0, {}
    if not version.validator and not file.checksum:
        return 0, {}
    return part.size, {"Range": f"bytes={part.size}-"} | ({"If-Range": version.validator} if version.validator else {})


def _continues(response: requests.Response, offset: int) -> bool:
    """Whether the answer goes on at offset; a server that can't, or whose file changed, sends all of it."""
    if response.status_code != 206:
        return False
    begin = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if not begin or int(begin[1]) != offset:
        raise DownloadInterruptedError("the server sent another part than asked for")
    return True


def _total(response: requests.Response) -> int | None:
    """Bytes of the whole file, where the server says so."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    whole = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    if whole:
        return int(whole[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and response.status_code == 200 else None


def _refuse_page(web: Web, file: RemoteFile, response: requests.Response, start: bytes = b"") -> None:
    is_page = response.headers.get("Content-Type", "").lower().startswith("text/html")
    if is_page or start.lstrip().lower().startswith(PAGE_STARTS):
        raise DownloadError(
            f"{file.name}: {web.address(file.url)} sent a web page; expected the file. The repository may ask for a log-in or be "
            "out of order: open the address in a browser; a file downloaded there can be put into the downloads folder of --to."
        )


def _refuse_other_size(web: Web, file: RemoteFile, total: int | None) -> None:
    if file.size is not None and total is not None and total != file.size:
        raise DownloadError(
            f"{file.name}: {web.address(file.url)} has {total:,} bytes; expected {file.size:,}. The record has changed since this "
            "version of morphoscope: see whether there is a newer one, or name a --mirror that keeps the old record."
        )


def _require_room(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed + SPARE_BYTES > free:
        raise OutputError(
            f"{path.parent}: {free:,} bytes are free; expected {needed + SPARE_BYTES:,} for the rest of {path.stem}. "
            "Make room, or choose another --to."
        )


def _write(
    web: Web, file: RemoteFile, response: requests.Response, part: _Part, offset: int, total: int | None, progress: Progress
) -> None:
    """Appends what arrives. Raises DownloadInterruptedError where the connection breaks, after what arrived is on disk."""
    with part.path.open("ab" if offset else "wb") as stream:
        done = offset
        try:
            for chunk in response.iter_content(PACKET):
                if not done:
                    _refuse_page(web, file, response, chunk[:64])
                stream.write(chunk)
                done += len(chunk)
                progress(done, total)
        except requests.exceptions.RequestException as error:
            raise DownloadInterruptedError(reason(error)) from error


def _verified(file: RemoteFile, path: Path, known_sha256: str, *, is_ours: bool, forget: Callable[[], None]) -> str:
    """The SHA-256, after size and checksum proved right. A wrong part is deleted, a file that a person put there is not."""
    checksum = file.checksum or (f"sha256:{known_sha256}" if known_sha256 else "")
    algorithm, expected = split_checksum(checksum)
    found = digests(path, ["sha256", *([algorithm] if expected else [])])
    size = path.stat().st_size
    is_sized = file.size is None or size == file.size
    if is_sized and (not expected or found[algorithm] == expected):
        return found["sha256"]
    what = f"{algorithm.upper()} {found[algorithm]}" if is_sized else f"{size:,} bytes"
    due = expected if is_sized else f"{file.size:,}"
    since = "" if file.checksum or not is_sized else " as received before"
    if is_ours:
        forget()
        remedy = (
            "It was deleted: run the same command again. If that doesn't help, the record has changed or the mirror is at fault."
        )
    else:
        remedy = f"Delete {path} to download it again."
    raise DownloadError(f"{file.name}: it has {what}; expected {due}{since}. {remedy}")


def _bytes(done: int, total: int | None) -> str:
    return f"{done:,} of {total:,} bytes ({done / total:.0%})" if total else f"{done:,} bytes"
