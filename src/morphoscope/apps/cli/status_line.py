"""A line that is written over itself on a terminal, below messages that stay; nothing of it where there is no terminal."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN = 0.2


class StatusLine:
    """Messages and one changing line on stderr."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown_at = 0.0
        self._is_shown = False

    def say(self, line: str) -> None:
        """A message that stays."""
        self._clear()
        print(line, file=sys.stderr, flush=True)

    def ring(self, line: str) -> None:
        """A message that a person is to hear, where there is a terminal to ring."""
        self.say(f"\a{line}" if self._is_terminal else line)

    def show(self, line: str) -> None:
        """The changing line, a few times a second at most."""
        now = time.monotonic()
        if not self._is_terminal or now - self._shown_at < SECONDS_BETWEEN:
            return
        self._clear()
        columns = _terminal_columns()
        print(line[: columns - 1], end="", file=sys.stderr, flush=True)
        self._shown_at, self._is_shown = now, True

    def _clear(self) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_shown = False


def _terminal_columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
