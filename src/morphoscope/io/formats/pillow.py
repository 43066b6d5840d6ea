"""JPEG, BMP, WebP and GIF through Pillow: eight bits, one grey channel."""

from __future__ import annotations

import importlib
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morphoscope.io.file_format import FileFormat, Picture, check_frame, check_size

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


# EXIF orientation: quarter turns against the clock, then a mirror left to right.
_ORIENTATIONS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}


def _read(path: Path, frame: int, max_pixels: int, *, pillow_name: str, plugin: str) -> Picture:
    with path.open("rb") as file:
        image = _opened(file, pillow_name, plugin)
        check_size(path, image.height, image.width, len(image.getbands()), max_pixels)
        # A JPEG's further pictures are a camera's previews, no frames.
        n_frames = 1 if pillow_name == "JPEG" else getattr(image, "n_frames", 1)
        check_frame(path, frame, n_frames)
        if n_frames > 1:
            image.seek(frame)
        image.draft("L", image.size)  # a JPEG's luminance needs no colour decoded
        grey = image.convert("L")
        pixels, notes = _upright(np.array(grey), image)
    return Picture(pixels, n_frames=n_frames, warnings=notes)


def _opened(file: object, pillow_name: str, plugin: str) -> ImageFile:
    """The image by its plugin and not by Image.open, whose own size limit is fixed for the whole process."""
    from PIL import Image

    # One rule for good and not `catch_warnings`, which threads would undo for each other.
    warnings.filterwarnings("ignore", message="Corrupt EXIF data", module="PIL")
    importlib.import_module(f"PIL.{plugin}")
    factory, _ = Image.OPEN[pillow_name]
    return factory(file, "")  # type: ignore[arg-type]


def _upright(pixels: np.ndarray, image: ImageFile) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels as the EXIF orientation wants them shown."""
    if "exif" not in image.info:
        return pixels, ()
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception as error:  # EXIF is written by anything; the picture doesn't depend on it
        return pixels, (f"The EXIF data can't be read ({error!r}); the picture is taken as upright.",)
    quarter_turns, is_mirrored = _ORIENTATIONS.get(orientation, (0, False))
    turned = np.rot90(pixels, quarter_turns)
    return np.ascontiguousarray(np.fliplr(turned) if is_mirrored else turned), ()


JPEG = FileFormat(
    "jpeg", (".jpg", ".jpeg", ".jpe"), rb"\xff\xd8\xff", partial(_read, pillow_name="JPEG", plugin="JpegImagePlugin")
)
BMP = FileFormat("bmp", (".bmp", ".dib"), rb"BM.{12}", partial(_read, pillow_name="BMP", plugin="BmpImagePlugin"))
WEBP = FileFormat("webp", (".webp",), rb"RIFF.{4}WEBP", partial(_read, pillow_name="WEBP", plugin="WebPImagePlugin"))
GIF = FileFormat("gif", (".gif",), rb"GIF8[79]a", partial(_read, pillow_name="GIF", plugin="GifImagePlugin"))
