"""Small copies of pictures, kept in the archive so that a gallery opens no picture file."""

from __future__ import annotations

import cv2
import numpy as np

from morphoscope.archive.store import Archive
from morphoscope.data.preprocessing import resample

SIDE_PX = 256
QUALITY = 75


def thumbnail(working: np.ndarray, side: int = SIDE_PX) -> bytes:
    """A JPEG of a working copy (Y, X) uint8, at most `side` px on its longer side, never enlarged."""
    zoom = min(1.0, side / max(working.shape))
    shape = (max(1, round(working.shape[0] * zoom)), max(1, round(working.shape[1] * zoom)))
    _, encoded = cv2.imencode(".jpg", resample(working, shape), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()


def thumbnail_of(archive: Archive, picture: int) -> bytes | None:
    """The small copy of a picture, JPEG; None where it couldn't be read."""
    row = archive.connection.execute("SELECT image FROM thumbnail WHERE picture = ?", (picture,)).fetchone()
    return bytes(row[0]) if row else None
