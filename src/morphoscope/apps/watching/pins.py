"""Frames worth keeping: the picture at its stored depth as PNG with its story in it, and a map of where the target lies."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin

from morphoscope.apps.watching.watcher import Watched
from morphoscope.errors import OutputError
from morphoscope.io.display import to_display
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.tile_picture import tile_picture

_TOLD = ("path", "time", "frame", "seconds", "pixel_size_nm", "pixel_size_origin", "found", "found_p")


class PinFolder:
    """A folder of pinned frames; nothing in it is replaced."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputError where it can't be made."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"--pins {folder}: it can't be made ({error.strerror}); expected a folder, or a place for one. Choose another --pins."
            ) from error

    def save(self, watched: Watched) -> Path:
        """Writes the frame, and `NAME.map.png` beside it where there is a map. Returns the frame's path. Raises OutputError."""
        target = self._free(pin_name(watched))
        try:
            with target.open("xb") as file:
                micrograph = png_with_story(watched, file)
            if watched.tiles:
                tile_picture(to_display(micrograph.specimen()), watched.tiles).save(target.with_suffix(".map.png"))
        except OSError as error:
            raise OutputError(
                f"--pins {self._folder}: {target.name} can't be written ({error.strerror or error}); expected room in a writable "
                "folder. Make room, or choose another --pins."
            ) from error
        return target

    def _free(self, stem: str) -> Path:
        names = (f"{stem}.png" if count == 1 else f"{stem}_{count}.png" for count in range(1, 1_000_000))
        return next(path for name in names if not (path := self._folder / name).exists())


def png_with_story(watched: Watched, file: BinaryIO) -> Micrograph:
    """Writes the frame as PNG: 8 and 16 bits as they are, whatever PNG can't hold stretched to 8 bits. Returns the picture.
    Raises OutputError where there is none."""
    micrograph = watched.arrival.content
    if not isinstance(micrograph, Micrograph):
        raise OutputError(f"{micrograph} There is nothing to pin; expected a picture. Pin another frame.")
    pixels = micrograph.pixels
    shown = pixels if pixels.dtype in (np.uint8, np.uint16) else to_display(pixels)
    Image.fromarray(shown).save(file, "PNG", pnginfo=_story(watched))
    return micrograph


def pin_name(watched: Watched) -> str:
    """The stem of a pinned frame's file."""
    arrival = watched.arrival
    stem = "".join(character if character.isalnum() or character in "-_. " else "_" for character in arrival.path.stem)
    return stem if arrival.is_file else f"{stem}_frame{arrival.frame:07d}"


def _story(watched: Watched) -> PngImagePlugin.PngInfo:
    story = PngImagePlugin.PngInfo()
    for name, cell in watched.row.items():
        if cell and (name in _TOLD or name.endswith((".best", ".confidence"))):
            story.add_itxt(f"Morphoscope {name}", cell)
    return story
