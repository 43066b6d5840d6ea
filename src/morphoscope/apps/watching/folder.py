"""A folder as a source: a file is read when it has stopped growing, and again when it comes back changed."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from morphoscope.apps.watching.settling import Settling
from morphoscope.apps.watching.source import Arrival, Version
from morphoscope.calibration.resolve import Scale
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError, ReadError
from morphoscope.io.find import pictures_in
from morphoscope.io.read import MAX_PIXELS
from morphoscope.micrograph import Micrograph


@dataclass(frozen=True)
class FolderSettings:
    """poll_s: between two looks. settle: looks in a row that must find a file unchanged. existing: whether files that lie there
    at the start are wanted. known: files by absolute path whose content was answered before. known_until: seconds since the
    epoch; files that lie there at the start and came later are wanted too. idle_s: end when nothing came for so long."""

    poll_s: float = 0.5
    settle: int = 2
    recursive: bool = True
    existing: bool = False
    known: Mapping[Path, Version] = field(default_factory=dict)
    known_until: float | None = None
    scale: Scale = "auto"
    max_pixels: int = MAX_PIXELS
    idle_s: float | None = None


class FolderSource:
    """Pictures that come into a folder."""

    is_live = False

    def __init__(self, folder: Path, settings: FolderSettings) -> None:
        """Raises ReadError where the folder can't be listed."""
        self.folder, self.settings = folder, settings
        self._settling = Settling(settings.settle)
        self._settling.skip(self._unwanted(self._versions()))

    @property
    def name(self) -> str:
        return str(self.folder)

    def arrivals(self, stop: Event) -> Iterator[Arrival]:
        count, last = 0, time.monotonic()
        while not stop.is_set():
            for path, version, since in self._settling.look(self._versions_if_listed(), time.monotonic()):
                content = self._content(path)
                if isinstance(content, str) and self._settling.may_wait(path):
                    continue
                count, last = count + 1, time.monotonic()
                yield Arrival(path, count, since, since, content, version)
                if stop.is_set():
                    return
            now = time.monotonic()
            last = now if self._settling.waiting() else last
            if self.settings.idle_s is not None and now - last > self.settings.idle_s:
                return
            stop.wait(self.settings.poll_s)

    def _content(self, path: Path) -> Micrograph | str:
        try:
            _refuse_locked(path)
            return read_calibrated(path, {}, scale=self.settings.scale, max_pixels=self.settings.max_pixels)
        except MorphoscopeError as error:
            return str(error)

    def _unwanted(self, there: Mapping[Path, Version]) -> dict[Path, Version]:
        """Of what lies there at the start."""
        settings = self.settings
        unwanted = {path: version for path, version in there.items() if settings.known.get(path.absolute()) == version}
        if not settings.existing:
            until = settings.known_until
            unwanted |= {path: version for path, version in there.items() if until is None or _came(path) <= until}
        return unwanted

    def _versions(self) -> dict[Path, Version]:
        found = {}
        for path in pictures_in(self.folder, self.settings.recursive):
            try:
                found[path] = Version.of(path.stat())
            except OSError:  # gone, or renamed, since it was listed
                continue
        return found

    def _versions_if_listed(self) -> dict[Path, Version]:
        """Nothing while a share is away: it may come back."""
        try:
            return self._versions()
        except ReadError as error:
            logging.getLogger(__name__).warning("%s", error)
            return {}


def _came(path: Path) -> float:
    """When a file came to its place, in seconds since the epoch; a copy may keep the time of writing of its original."""
    try:
        status = path.stat()
    except OSError:
        return 0.0
    return max(status.st_mtime, status.st_ctime)


def _refuse_locked(path: Path) -> None:
    """Raises ReadError where another program holds the file locked; on Windows opening it fails by itself."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ReadError(
            f"{path}: another program holds the file locked; expected a finished picture. Close it there, or save it once more."
        ) from None
    except OSError:  # no locks on this file system, or no right to open it, which reading will say
        return
