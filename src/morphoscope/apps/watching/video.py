"""A video file as a source: every so many frames, or at its own pace as a camera would give them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import cv2

from morphoscope.apps.watching.frames import as_micrograph, opened
from morphoscope.apps.watching.source import Arrival
from morphoscope.errors import ReadError

EXTENSIONS = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})
_USUAL_FPS = 25.0


@dataclass(frozen=True)
class VideoSettings:
    """every: take each so manieth frame. after: frames up to this one are left out. at_its_pace: play as a camera would, and
    drop what nobody takes in time. pixel_size_nm: of all frames."""

    every: int = 1
    after: int = 0
    at_its_pace: bool = False
    pixel_size_nm: float | None = None


class VideoSource:
    """Frames of a video file."""

    def __init__(self, path: Path, settings: VideoSettings) -> None:
        """Raises ReadError for what is no video."""
        self.path, self.settings = path, settings
        found = "no video that FFmpeg can decode" if path.is_file() else "no such file"
        self._capture = opened(str(path), cv2.CAP_FFMPEG, "file")
        if not self._capture.isOpened():
            raise ReadError(
                f"{path}: found {found}; expected one such as AVI (MJPG), MP4 (H.264) or MKV. Check the name, or export it again."
            )
        self._fps = self._capture.get(cv2.CAP_PROP_FPS) or _USUAL_FPS

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def is_live(self) -> bool:
        return self.settings.at_its_pace

    def arrivals(self, stop: Event) -> Iterator[Arrival]:
        capture, settings = self._capture, self.settings
        n_frames = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        frame, began = 0, time.monotonic()
        try:
            while not stop.is_set() and capture.grab():
                frame += 1
                seconds = (frame - 1) / self._fps
                if settings.at_its_pace and stop.wait(max(0.0, began + seconds - time.monotonic())):
                    return
                if frame <= settings.after or (frame - 1) % settings.every:
                    continue
                is_decoded, pixels = capture.retrieve()
                taken = time.monotonic()
                if is_decoded:
                    micrograph = as_micrograph(pixels, self.path, frame, settings.pixel_size_nm, n_frames)
                    yield Arrival(self.path, frame, taken, seconds, micrograph)
                else:
                    yield Arrival(
                        self.path, frame, taken, seconds, f"{self.path} frame {frame}: can't be decoded; it is left out."
                    )
        finally:
            capture.release()
