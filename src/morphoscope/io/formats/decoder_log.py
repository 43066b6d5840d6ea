"""Decoders tell of odd files through `logging`, which would print on the terminal: here it becomes warnings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_messages: ContextVar[list[str] | None] = ContextVar("decoder_messages", default=None)


class _Divert(logging.Filter):
    """Takes a record out of the log while this thread reads a picture."""

    def filter(self, record: logging.LogRecord) -> bool:
        messages = _messages.get()
        if messages is None:
            return True
        messages.append(record.getMessage())
        return False


_divert = _Divert()


def divert(source: logging.Filterer) -> None:
    """Lets the block below take the messages of a logger or a handler; a second time changes nothing."""
    source.addFilter(_divert)


for _library in ("tifffile", "imagecodecs"):
    divert(logging.getLogger(_library))


@contextmanager
def diverted_log() -> Iterator[list[str]]:
    """The messages that the decoders log inside the block; other threads' messages are not touched."""
    messages: list[str] = []
    token = _messages.set(messages)
    try:
        yield messages
    finally:
        _messages.reset(token)
