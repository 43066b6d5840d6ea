"""Frames of a video stream by OpenCV, as micrographs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from morphoscope.calibration.resolve import resolve
from morphoscope.io.grey import one_channel
from morphoscope.micrograph import Evidence, Micrograph, PixelSize

_OPTIONS, _LOG_LEVEL, _SILENT = "OPENCV_FFMPEG_CAPTURE_OPTIONS", "OPENCV_FFMPEG_LOGLEVEL", "-8"
_opening = Lock()


def opened(address: str | int, api: int, protocols: str, settings: Sequence[int] = ()) -> cv2.VideoCapture:
    """A capture, open or not. protocols: those that FFmpeg may follow; a file can name others, such as a playlist of addresses."""
    with _opening, _environment(_OPTIONS, f"protocol_whitelist;{protocols}"), _environment(_LOG_LEVEL, _SILENT), _without_log():
        return cv2.VideoCapture(address, api, list(settings))


@contextmanager
def _without_log() -> Iterator[None]:
    """What goes wrong is told by the source, once and in words."""
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def as_micrograph(pixels: np.ndarray, path: Path, frame: int, pixel_size_nm: float | None, n_frames: int = 1) -> Micrograph:
    """A frame (Y, X) or (Y, X, 3) as OpenCV gives it, with its information bar. pixel_size_nm: what the user says of the stream.

    Scale bars are not read: one picture takes longer than many frames may.
    """
    grey = pixels if pixels.ndim == 2 else one_channel(pixels[..., ::-1])  # OpenCV's channels are blue, green, red
    size = None
    if pixel_size_nm is not None:
        size = PixelSize(pixel_size_nm, pixel_size_nm, "user", (Evidence("user: --pixel-size", pixel_size_nm),))
    return resolve(Micrograph(path, grey, "video", size, frame=frame - 1, n_frames=n_frames))
