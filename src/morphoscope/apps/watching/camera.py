"""A camera of this machine as a source, by its number."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import cv2

from morphoscope.apps.watching.frames import as_micrograph, opened
from morphoscope.apps.watching.source import Arrival
from morphoscope.errors import ReadError


class CameraSource:
    """Frames of a camera or frame grabber."""

    is_live = True

    def __init__(self, number: int, pixel_size_nm: float | None = None) -> None:
        """Raises ReadError where there is no such camera."""
        self.number, self.pixel_size_nm = number, pixel_size_nm
        self._capture = opened(number, cv2.CAP_ANY, "file")
        if not self._capture.isOpened():
            raise ReadError(
                f"{self.name}: it can't be opened; expected the number of a connected camera, the first one is 0. "
                "Check the cable, the rights of this user, and that no other program holds it."
            )

    @property
    def name(self) -> str:
        return f"camera {self.number}"

    def arrivals(self, stop: Event) -> Iterator[Arrival]:
        frame, path, began = 0, Path(self.name), time.monotonic()
        try:
            while not stop.is_set():
                is_decoded, pixels = self._capture.read()
                if not is_decoded:
                    raise ReadError(f"{self.name}: it gives no more frames; expected one. Check the cable, and start again.")
                frame, taken = frame + 1, time.monotonic()
                yield Arrival(path, frame, taken, taken - began, as_micrograph(pixels, path, frame, self.pixel_size_nm))
        finally:
            self._capture.release()
