"""Arrays in a file that is mapped into memory: read as they are needed, and once for all processes that have it open.

The layout is that of safetensors (a length, a JSON head, the arrays), which other programs read too. A file is written beside
its place, and takes it whole; it is never changed afterwards.
"""

from __future__ import annotations

import glob
import json
import os
import struct
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_ALIGNMENT = 64
_LENGTH = struct.Struct("<Q")
_MAX_HEAD = 2**20
_NAMES = {"<f2": "F16", "<f4": "F32", "<i8": "I64", "|u1": "U8"}
_TYPES = {name: np.dtype(code) for code, name in _NAMES.items()}
_ABANDONED_S = 3600.0
_METADATA = "__metadata__"

Shapes = Mapping[str, tuple[tuple[int, ...], str]]
"""Shape and dtype (`<f2`, …) of each array, in the order in which they are written."""


class MappedWriter:
    """Takes the arrays' bytes in the order of their shapes, in pieces of any size."""

    def __init__(self, path: Path, shapes: Shapes, metadata: Mapping[str, str]) -> None:
        """Raises OSError."""
        self._path = path
        _remove_abandoned(path)
        self._part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        self._file = self._part.open("wb")
        self._file.write(_head(shapes, metadata))

    def write(self, piece: np.ndarray) -> None:
        """The next rows. Raises OSError."""
        self._file.write(np.ascontiguousarray(piece).data)

    def finish(self) -> None:
        """Gives the file its place once it is safe on disk. Raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Leaves nothing of a file that was not finished."""
        self._file.close()
        self._part.unlink(missing_ok=True)


@contextmanager
def mapped_writer(path: Path, shapes: Shapes, metadata: Mapping[str, str]) -> Iterator[MappedWriter]:
    """Writes a file whole or not at all. Raises OSError for a full disk or a folder that can't be written."""
    writer = MappedWriter(path, shapes, metadata)
    try:
        yield writer
        writer.finish()
    finally:
        writer.discard()


def mapped_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]] | None:
    """The arrays of a file, to be read only, and its metadata; None where there is none, or only a piece of one."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            if length > _MAX_HEAD:
                return None
            head = json.loads(file.read(length))
            metadata = head.pop(_METADATA)
            begin = _LENGTH.size + length
            if begin + max(one["data_offsets"][1] for one in head.values()) != size:
                return None
            return {name: _mapped(file.name, begin, one) for name, one in head.items()}, metadata
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None


def _mapped(path: str, begin: int, one: dict[str, list[int]]) -> np.ndarray:
    kind, shape = _TYPES[str(one["dtype"])], tuple(one["shape"])
    start, end = one["data_offsets"]
    if end - start != kind.itemsize * int(np.prod(shape)):
        raise ValueError
    if start == end:
        return np.empty(shape, kind)
    return np.asarray(np.memmap(path, kind, "r", begin + start, shape))


def _head(shapes: Shapes, metadata: Mapping[str, str]) -> bytes:
    """Length and JSON, padded so that the arrays begin where the processor likes them to."""
    described: dict[str, object] = {_METADATA: dict(metadata)}
    end = 0
    for name, (shape, code) in shapes.items():
        start, end = end, end + np.dtype(code).itemsize * int(np.prod(shape))
        described[name] = {"dtype": _NAMES[code], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(described).encode()
    text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
    return _LENGTH.pack(len(text)) + text


def _remove_abandoned(path: Path) -> None:
    """What killed programs left half written."""
    for part in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        try:
            if part.stat().st_mtime < time.time() - _ABANDONED_S:
                part.unlink()
        except OSError:
            continue  # another program was faster
