"""Which files of a folder have stopped growing: those that were the same at several looks in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from morphoscope.apps.watching.source import Version

PATIENCE = 5
"""Times as many looks a file that can't be read gets: its writer may only have paused."""


@dataclass
class _Waiting:
    version: Version
    since: float
    looks: int
    wanted: int


class Settling:
    """Files between their first sight and their reading. A file that was read comes again only with another content."""

    def __init__(self, looks: int) -> None:
        """looks: how many in a row must find a file unchanged after it was seen."""
        self._looks = max(1, looks)
        self._waiting: dict[Path, _Waiting] = {}
        self._done: dict[Path, Version] = {}

    def skip(self, files: Mapping[Path, Version]) -> None:
        """These contents are not wanted."""
        self._done |= files

    def look(self, files: Mapping[Path, Version], now: float) -> list[tuple[Path, Version, float]]:
        """Of what a folder holds now, the files that are ready, in the order given, each with the time it was first seen so.
        They are not given again."""
        for path in [path for path in self._waiting if path not in files]:
            del self._waiting[path]
        ready = []
        for path, version in files.items():
            waiting = self._waiting.get(path)
            if self._done.get(path) == version:
                if waiting is not None and waiting.version != version:  # it changed and changed back
                    del self._waiting[path]
                continue
            if waiting is None or waiting.version != version:
                self._waiting[path] = _Waiting(version, now, 0, self._looks)
                continue
            waiting.looks += 1
            if waiting.looks >= waiting.wanted and version.size > 0:
                ready.append((path, version, waiting.since))
        for path, version, _ in ready:
            self._done[path] = version
        return ready

    def may_wait(self, path: Path) -> bool:
        """Whether a file that was ready, but could not be read, is to be waited for; then it comes again, unchanged, later."""
        waiting = self._waiting[path]
        if waiting.wanted > self._looks:
            return False
        waiting.wanted = self._looks * (1 + PATIENCE)
        del self._done[path]
        return True

    def waiting(self) -> Iterable[Path]:
        """Files that were seen and are not yet ready."""
        return [path for path in self._waiting if path not in self._done]
