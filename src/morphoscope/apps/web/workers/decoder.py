"""The process that reads files: no network, no model, only pictures. `python -m morphoscope.apps.web.workers.decoder BYTES`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.apps.web.workers.loop import work_on
from morphoscope.apps.web.workers.messages import Message
from morphoscope.apps.web.workers.pyramid import write_pyramid
from morphoscope.calibration.resolve import Scale, needs_reading, resolve
from morphoscope.data.preprocessing import Preprocessing, resample
from morphoscope.data.readings import cached_reading
from morphoscope.data.record import micrograph_to_record
from morphoscope.data.tiles import TypicalView, tiles_of, working_copies
from morphoscope.errors import MorphoscopeError
from morphoscope.io.display import to_display
from morphoscope.io.read import read
from morphoscope.micrograph import Micrograph

PREVIEW_PX = 1024


def _read(job: dict[str, Any]) -> Micrograph:
    """The picture under the name that the person gave it."""
    path = Path(job["path"])
    try:
        return read(path, max_pixels=job["max_pixels"], name=job["name"])
    except MorphoscopeError as error:
        raise MorphoscopeError(str(error).replace(str(path), job["name"])) from error


def calibrated(job: dict[str, Any]) -> tuple[Micrograph, bool]:
    """The picture with its scale, and whether nothing was left out of finding it.

    job: path, name, max_pixels; user: the person's row of metadata; reading: whether the pixels are read for a scale bar, `never`,
    where it is `needed`, or `always`.
    """
    micrograph, user, reading = _read(job), job["user"], job["reading"]
    is_due = needs_reading(micrograph, user)
    is_read = not micrograph.is_diffraction if reading == "always" else is_due and reading == "needed"
    found = cached_reading(micrograph) if is_read else None
    scale: Scale = "header" if reading == "never" else "auto"
    return resolve(micrograph, user, reading=found, scale=scale), is_read or not is_due


def look(job: dict[str, Any]) -> Message:
    """What is known of a picture; `working`, the network's copy of it (with `preprocessing`), and `preview` for thumbnails."""
    micrograph, is_final = calibrated(job)
    arrays = {"preview": _preview(micrograph.pixels)}
    if job.get("preprocessing"):
        arrays["working"] = Preprocessing(**job["preprocessing"]).working_copy(micrograph)
    return Message({"record": micrograph_to_record(micrograph), "is_final": is_final}, arrays)


def pyramid(job: dict[str, Any]) -> Message:
    """Writes the picture at all sizes into `folder`."""
    return Message(write_pyramid(_read(job).pixels, Path(job["folder"])))


def parts(job: dict[str, Any]) -> Message:
    """The working copies (N, y, x) of tiles that cover the picture. side: of a tile in px; None for one that shows as much as
    `view` says. Scale as for `look`, without reading the pixels."""
    resolved = resolve(_read(job), job["user"], scale="header")
    preprocessing = Preprocessing(**job["preprocessing"])
    tiles = tiles_of(resolved, job["side"] or TypicalView(**job["view"]).tile_side(resolved))
    copies = np.stack(list(working_copies(preprocessing, resolved, tiles)))
    return Message({"record": micrograph_to_record(resolved), "side": tiles.width}, {"copies": copies})


def _preview(pixels: np.ndarray) -> np.ndarray:
    """(Y, X) uint8, at most PREVIEW_PX on a side, the whole picture with its bar."""
    zoom = min(1.0, PREVIEW_PX / max(pixels.shape))
    shape = (max(1, round(pixels.shape[0] * zoom)), max(1, round(pixels.shape[1] * zoom)))
    return to_display(resample(pixels, shape))


def main() -> None:
    import cv2

    cv2.setNumThreads(1)
    work_on({"look": look, "parts": parts, "pyramid": pyramid}, int(sys.argv[1]))


if __name__ == "__main__":
    main()
