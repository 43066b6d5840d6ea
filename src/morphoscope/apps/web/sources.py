"""Where the pictures lie that the page can open, by key: `u…` an upload, `a…` a picture of the archive."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.uploads import UploadStore
from morphoscope.archive import Archive, Picture, picture, picture_at, scale_history
from morphoscope.archive.scales import PIXEL_SIZE, with_scale
from morphoscope.errors import ArchiveError

KEPT_FILES = 50_000
"""Keys of files that a job told of."""


@dataclass(frozen=True)
class Source:
    """A picture's file. name, shown_path: what people know it by. version: changes with its content. stored: the archive's word.
    user: what people said of it there, a row of a metadata sheet."""

    key: str
    path: Path
    name: str
    shown_path: str
    version: str
    stored: Picture | None = None
    user: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """A word of letters and digits for this content under this key."""
        return hashlib.sha256(f"{self.key} {self.version}".encode()).hexdigest()[:32]


class Sources:
    """Uploads and the archive behind one door."""

    def __init__(self, uploads: UploadStore, archive: Archive | None) -> None:
        self._uploads, self._archive = uploads, archive
        self._files: OrderedDict[str, Path] = OrderedDict()

    def source(self, key: str) -> Source:
        """Where a picture lies. Raises RefusalError (404)."""
        if key.startswith("u") and (upload := self._uploads.get(key)):
            return Source(key, upload.path, upload.name, upload.name, "1")
        if path := self._files.get(key):
            return Source(key, path, path.name, str(path), _file_version(path))
        if key.startswith("a") and self._archive is not None:
            return self._of_archive(key, self._archive)
        raise _unknown(key)

    def key_of(self, named: Path, real: Path) -> str:
        """A key for a file of this machine that may be shown: the archive's where it has it, else one that looks like an upload's.

        named: as the archive may know it; real: with links followed.
        """
        for path in (named, real):
            if self._archive is not None and (found := picture_at(self._archive, path)):
                return f"a{found.id}"
        key = f"u{hashlib.sha256(str(real).encode(errors='backslashreplace')).hexdigest()[:24]}"
        self._files[key] = real
        while len(self._files) > KEPT_FILES:
            self._files.popitem(last=False)
        return key

    def _of_archive(self, key: str, archive: Archive) -> Source:
        try:
            found = picture(archive, int(key[1:]))
        except (ArchiveError, ValueError, OverflowError):
            raise _unknown(key) from None
        version = f"{_file_version(found.path)} {found.hash}"
        name = found.name.encode(errors="backslashreplace").decode()
        shown = str(found.path).encode(errors="backslashreplace").decode()
        word = next(iter(scale_history(archive, found.id)[-1:]), None)
        size = word.pixel_size_nm if word else None
        user = with_scale(found.sheet, {} if size is None else {PIXEL_SIZE: repr(size)})
        return Source(key, found.path, name, shown, version, found, user)


def _file_version(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _unknown(key: str) -> RefusalError:
    return RefusalError(
        404, f"There is no picture '{key[:40]}'; expected a key of an upload or of the archive. Send it, or search, again."
    )
