"""What every source gives: pictures with the time they came, or the sentence that says why one can't be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

import numpy as np

from morphoscope.micrograph import Micrograph


@dataclass(frozen=True)
class Version:
    """Which content a file had: its size in bytes and when it was last written, UTC to the nanosecond (ISO 8601)."""

    size: int
    modified: str

    @classmethod
    def of(cls, status: os.stat_result) -> Version:
        """That of a file by its status."""
        return cls(status.st_size, str(np.datetime64(status.st_mtime_ns, "ns")))


@dataclass(frozen=True, eq=False)
class Arrival:
    """One picture that came.

    path: its file, or the name of the stream. frame: its number in the source, from 1. taken: on time.monotonic(), when it was
    complete. seconds: on the source's own clock (a video's play time). content: the picture with its scale settled, or why it
    can't be read. version: that of a file; None for a frame of a stream.
    """

    path: Path
    frame: int
    taken: float
    seconds: float
    content: Micrograph | str
    version: Version | None = None

    @property
    def is_file(self) -> bool:
        return self.version is not None

    @property
    def name(self) -> str:
        """For people: a file's name, or the stream's with the frame's number."""
        return self.path.name if self.is_file else f"{self.path.name} frame {self.frame}"


class Source(Protocol):
    """Where pictures come from. is_live: whether an older picture is worth nothing once a newer one is there."""

    @property
    def name(self) -> str:
        """For people; without a password."""

    @property
    def is_live(self) -> bool: ...

    def arrivals(self, stop: Event) -> Iterator[Arrival]:
        """Pictures as they come, until the source ends or soon after `stop` is set. Raises MorphoscopeError where it can't go on."""
