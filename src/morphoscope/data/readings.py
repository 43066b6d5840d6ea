"""One file to a micrograph whose scale is settled; what was read from its pixels is kept by content, so it is read once."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from morphoscope.calibration.picture_reading import PictureReading, read_picture
from morphoscope.calibration.resolve import Scale, needs_reading, resolve
from morphoscope.data.cache import PictureCache, cache_folder, content_hash
from morphoscope.io.read import MAX_PIXELS, read
from morphoscope.micrograph import Acquisition, InformationBar, Micrograph, ScaleBar, Sourced

READING_VERSION = 2
"""Counts up when the reader of pictures changes, so that what an older one read is forgotten."""


def read_calibrated(
    path: Path,
    user: Mapping[str, str] | None = None,
    *,
    scale: Scale = "auto",
    max_pixels: int = MAX_PIXELS,
) -> Micrograph:
    """The picture with its scale from header, sidecar, user and, where these leave it open, the pixels.

    user: its row of a metadata sheet. Raises ReadError for a file that is no readable picture, MorphoscopeError for a bad cell.
    """
    micrograph = read(path, max_pixels=max_pixels)
    reading = cached_reading(micrograph) if needs_reading(micrograph, user, scale) else None
    return resolve(micrograph, user, reading=reading, scale=scale)


def cached_reading(micrograph: Micrograph) -> PictureReading:
    """What the pixels say, from the cache where this content was read before."""
    cache = PictureCache(cache_folder() / "readings")
    identity = f"{content_hash(micrograph.path)} frame {micrograph.frame} version {READING_VERSION}"
    key = hashlib.sha256(identity.encode()).hexdigest()
    if stored := cache.get(key):
        return _from_record(stored[1])
    reading = read_picture(micrograph.pixels)
    cache.put(key, {}, dataclasses.asdict(reading))
    return reading


def _from_record(record: dict[str, Any]) -> PictureReading:
    values = dict(record)
    settings = {name: Sourced(**sourced) for name, sourced in values["acquisition"].items() if sourced is not None}
    values["acquisition"] = Acquisition(**settings)
    values["scale_bar"] = ScaleBar(**bar) if (bar := values["scale_bar"]) else None
    values["information_bar"] = InformationBar(**bar) if (bar := values["information_bar"]) else None
    return PictureReading(**values)
