"""Instance maps as files: a picture of object numbers, or what other programs write in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import label

from morphoscope.errors import OutputError, ReadError
from morphoscope.io.detect import detect
from morphoscope.io.formats.decoder_log import diverted_log
from morphoscope.io.read import MAX_PIXELS, read
from morphoscope.measure.outline_file import OUTLINE_SUFFIXES, read_outlines
from morphoscope.micrograph import PixelSize

_WHAT = "expected an instance map: one grey channel of whole numbers, 0 for background and one number an object"
_HOW = "Save it as 16-bit grey PNG or TIFF."
_MOST_IN_16_BITS = 65_535
_GREY_PNG, _GREY_TIFF = (0, 4), 1  # colour types and photometric interpretation


def read_instance_map(path: Path, max_pixels: int = MAX_PIXELS, shape: tuple[int, int] | None = None) -> np.ndarray:
    """(Y, X) unsigned integers, 0 = background, of a PNG, TIFF or plain .npy, or of the outlines in an ImageJ .roi or .zip.

    Whole numbers stored as float or signed are taken too. shape: of the picture, which outlines do not tell. Raises ReadError
    for what is unreadable, coloured, inverted, in several pages, fractional or negative, and for .npy files with pickles.
    """
    suffix = path.suffix.lower()
    if suffix in OUTLINE_SUFFIXES:
        return read_outlines(path, shape)
    if suffix == ".npy":
        return _whole_numbers(path, _read_npy(path, max_pixels))
    micrograph = read(path, max_pixels=max_pixels)
    numbers = micrograph.pixels
    if micrograph.n_frames > 1:
        raise ReadError(f"{path}: found {micrograph.n_frames} pages; {_WHAT}. Save one page.")
    if not _is_grey(path):
        raise ReadError(f"{path}: found colours, a palette or inverted grey levels; {_WHAT}. {_HOW}")
    return _whole_numbers(path, numbers)


def _whole_numbers(path: Path, numbers: np.ndarray) -> np.ndarray:
    if numbers.dtype.kind == "u":
        return numbers
    lowest, highest = numbers.min(), numbers.max()
    if not (lowest >= 0 and highest < 2**32 and (numbers == np.rint(numbers)).all()):
        raise ReadError(f"{path}: found {numbers.dtype} values from {lowest:g} to {highest:g}; {_WHAT}. {_HOW}")
    return numbers.astype(np.uint32)


def _read_npy(path: Path, max_pixels: int) -> np.ndarray:
    try:
        numbers = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        if "Python objects" in str(error) or "allow_pickle" in str(error):
            raise ReadError(
                f"{path}: found pickled Python objects, as Cellpose's _seg.npy holds, which could run any program and are not "
                f"opened; {_WHAT}. In Cellpose save the masks as PNG or TIFF (File menu, or --save_png, --save_tif)."
            ) from error
        raise ReadError(f"{path}: the array can't be read ({error}); {_WHAT}. {_HOW}") from error
    if numbers.ndim != 2 or numbers.dtype.kind not in "uif" or not 0 < numbers.size <= max_pixels:
        raise ReadError(f"{path}: found an array of {numbers.shape} {numbers.dtype}; {_WHAT}. {_HOW}")
    return np.asarray(numbers)


def n_pieces(instance_map: np.ndarray) -> int:
    """How many separate parts, corners joining, are not background."""
    return int(label(instance_map != 0, np.ones((3, 3)))[1])


def write_instance_map(path: Path, instance_map: np.ndarray, pixel_size: PixelSize | None = None) -> None:
    """Writes a map (Y, X) so that ImageJ, napari and Cellpose open it as labels: 16 bits, 32 above 65,535 objects.

    A `.tif` carries the pixel size, where known. Raises OutputError where it can't be written.
    """
    numbers = instance_map.astype(np.uint16 if instance_map.max(initial=0) <= _MOST_IN_16_BITS else np.uint32)
    try:
        if path.suffix.lower() == ".png":
            if numbers.dtype != np.uint16:
                raise OutputError(
                    f"{path}: {len(np.unique(numbers)) - 1} objects; a PNG holds at most {_MOST_IN_16_BITS}. Write a .tif."
                )
            Image.fromarray(numbers).save(path)
            return
        import tifffile

        scale: dict[str, Any] = {}
        if pixel_size is not None:
            scale = {"resolution": (1 / pixel_size.x_nm, 1 / pixel_size.y_nm), "metadata": {"unit": "nm"}}
        # ImageJ's own TIFF knows no 32-bit whole numbers.
        is_imagej = numbers.dtype == np.uint16
        tifffile.imwrite(path, numbers, imagej=is_imagej, photometric="minisblack", compression="zlib", **scale)
    except OSError as error:
        raise OutputError(
            f"{path}: the instance map can't be written ({error.strerror}); expected a writable place with room. Choose another --out."
        ) from error


def _is_grey(path: Path) -> bool:
    """Whether the file stores plain grey levels. Expects that `read` took it."""
    kind = detect(path).name
    if kind == "png":
        with path.open("rb") as file:
            return file.read(26)[25] in _GREY_PNG
    if kind == "tiff":
        import tifffile

        with diverted_log(), tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            return page.photometric == _GREY_TIFF and page.samplesperpixel == 1
    return False
