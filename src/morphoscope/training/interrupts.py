"""Ctrl-C as a wish that a loop hears at the end of its step, so that no weights are left half updated."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Self


class StopAfterStep:
    """In a `with` around a loop: was_asked becomes True on Ctrl-C; a second Ctrl-C raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.was_asked = False

    def __enter__(self) -> Self:
        self._is_caught = threading.current_thread() is threading.main_thread()
        if self._is_caught:
            self._usual = signal.signal(signal.SIGINT, self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_caught:
            signal.signal(signal.SIGINT, self._usual)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.was_asked = True
        signal.signal(signal.SIGINT, self._usual)
        print("Stopping at the end of this step, to keep the weights. Ctrl-C again stops at once.", file=sys.stderr, flush=True)
