"""What a file format is, what reading one gives, and the checks that every format makes before it decodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.record import Record

MAGIC_BYTES = 4096


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame of a file: pixels (Y, X), one grey channel at the stored depth, and the words of its header."""

    pixels: np.ndarray
    records: tuple[Record, ...] = ()
    n_frames: int = 1
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileFormat:
    """A kind of file. `magic` is a regular expression on its first 4096 bytes; `read(path, frame, max_pixels)` decodes
    one frame and may raise anything on damaged input, which `morphoscope.io.read` turns into a ReadError. `is_part(path)`:
    whether the picture is read through another file of the folder, so that it must not be taken twice."""

    name: str
    extensions: tuple[str, ...]
    magic: bytes
    read: Callable[[Path, int, int], Picture]
    is_part: Callable[[Path], bool] = lambda path: False

    def matches(self, head: bytes) -> bool:
        """Whether a file that begins like this is of the format."""
        return re.match(self.magic, head, re.DOTALL) is not None


def check_frame(path: Path, frame: int, n_frames: int) -> None:
    """Raises ReadError for a frame that the file doesn't have."""
    if not 0 <= frame < n_frames:
        raise ReadError(
            f"{path}: frame {frame} was asked for, the file has {n_frames}; expected a number from 0 to {n_frames - 1}. "
            "Ask for one of these."
        )


def check_size(path: Path, height: int, width: int, samples: int, max_pixels: int) -> None:
    """Raises ReadError where the header promises nothing, or more than `max_pixels` values. Call it before decoding."""
    if height < 1 or width < 1:
        raise ReadError(
            f"{path}: the header says {height} × {width} pixels; expected at least one row and column. "
            "The file is damaged: copy or export it again."
        )
    if height * width * samples > max_pixels:
        channels = f" × {samples} channels" if samples > 1 else ""
        raise ReadError(
            f"{path}: the header says {height} × {width} pixels{channels}; expected at most {max_pixels:,} values. "
            "If the picture is really that large, raise max_pixels (--max-pixels); otherwise the file is damaged."
        )
