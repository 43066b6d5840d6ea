"""How the server and its workers talk: JSON and raw arrays over a pipe, nothing that could carry code."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

_HEAD = struct.Struct("<Q")
LARGEST_DOCUMENT = 64 * 2**20


@dataclass(frozen=True, eq=False)
class Message:
    """A JSON document with named arrays of plain numbers."""

    document: dict[str, Any]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def send(pipe: BinaryIO, message: Message) -> None:
    """Writes and flushes. Raises OSError where the other side is gone."""
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    shapes = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    head = json.dumps({"document": message.document, "arrays": shapes}).encode()
    pipe.write(_HEAD.pack(len(head)) + head)
    for array in arrays.values():
        pipe.write(array.tobytes())
    pipe.flush()


def receive(pipe: BinaryIO, largest: int = 2**31) -> Message:
    """Raises EOFError where the other side is gone, ValueError for what is no message or larger than `largest` bytes."""
    (length,) = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if length > LARGEST_DOCUMENT:
        raise ValueError(f"a message of {length} bytes")
    head = json.loads(_exactly(pipe, length))
    arrays = {}
    for name, kind, shape in head["arrays"]:
        dtype = np.dtype(kind)
        size = dtype.itemsize * int(np.prod(shape, dtype=object))
        if dtype.kind not in "uif" or not 0 <= size <= largest:
            raise ValueError(f"an array of {kind} {shape}")
        arrays[name] = np.frombuffer(_exactly(pipe, size), dtype).reshape(shape)
    return Message(head["document"], arrays)


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    data = pipe.read(count)
    if data is None or len(data) < count:
        raise EOFError("the pipe was closed")
    return data
