"""A network stream as a source. Where it breaks off it is opened again, after pauses that grow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import cv2

from morphoscope.apps.watching.frames import as_micrograph, opened
from morphoscope.apps.watching.source import Arrival
from morphoscope.errors import ReadError

SCHEMES = ("rtsp://", "rtsps://")
TIMEOUT_MS = 10_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
_PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls"


class RtspSource:
    """Frames of an RTSP address."""

    is_live = True

    def __init__(self, address: str, pixel_size_nm: float | None = None) -> None:
        """Raises ReadError where nothing answers."""
        self._address, self.pixel_size_nm = address, pixel_size_nm
        self._capture = self._opened()
        if not self._capture.isOpened():
            raise ReadError(
                f"{self.name}: no stream answers within {TIMEOUT_MS // 1000} seconds; expected an RTSP address such as "
                "rtsp://192.168.1.20:554/stream1. Check address, name and password, and the network."
            )

    @property
    def name(self) -> str:
        return without_password(self._address)

    def arrivals(self, stop: Event) -> Iterator[Arrival]:
        frame, path, began, pause = 0, Path(self.name), time.monotonic(), FIRST_PAUSE_S
        try:
            while not stop.is_set():
                is_decoded, pixels = self._capture.read()
                taken = time.monotonic()
                if is_decoded:
                    frame, pause = frame + 1, FIRST_PAUSE_S
                    yield Arrival(path, frame, taken, taken - began, as_micrograph(pixels, path, frame, self.pixel_size_nm))
                    continue
                if pause == FIRST_PAUSE_S:
                    yield Arrival(
                        path, frame + 1, taken, taken - began, f"{self.name}: the stream broke off; it is opened again."
                    )
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                self._capture.release()
                self._capture = self._opened()
        finally:
            self._capture.release()

    def _opened(self) -> cv2.VideoCapture:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]
        return opened(self._address, cv2.CAP_FFMPEG, _PROTOCOLS, limits)


def without_password(address: str) -> str:
    """The address for tables and messages: neither name nor password, which it may hold, nor a query, which may be a key."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
