"""TIFF and BigTIFF through tifffile: any depth, byte order, compression and layout; makers' tags."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.file_format import FileFormat, Picture, check_frame, check_size
from morphoscope.io.formats.decoder_log import diverted_log
from morphoscope.io.formats.tiff_pages import Frame, frames_of
from morphoscope.io.formats.tiff_tags import records_of
from morphoscope.io.grey import luminance, one_channel

if TYPE_CHECKING:
    import tifffile

_MINISWHITE, _RGB, _PALETTE, _YCBCR = 0, 2, 3, 6
_ALPHA = {1, 2}
_JPEG_COMPRESSIONS = {6, 7, 34892, 33007}


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    import tifffile

    with diverted_log() as messages, tifffile.TiffFile(path) as tiff:
        frames = frames_of(tiff)
        check_frame(path, frame, len(frames))
        chosen = frames[frame]
        page = chosen.page
        check_size(path, page.imagelength, page.imagewidth, page.imagedepth * page.samplesperpixel, max_pixels)
        _check_complete(path, tiff, chosen)
        stored = chosen.stored(tiff)
        notes: list[str] = []
        pixels = _grey(stored, page, notes)
        records, unread = records_of((page, tiff.pages.first), pixels.shape)
    return Picture(pixels, records, len(frames), (*notes, *unread, *messages))


def _check_complete(path: Path, tiff: tifffile.TiffFile, frame: Frame) -> None:
    """Raises ReadError where pixels lie beyond the end of the file; tifffile fills those with zeros without a word."""
    remaining = frame.page.nbytes
    for start, stated in frame.segments():
        needed = min(stated, remaining)  # some writers round the last strip's length up
        if start + needed > tiff.filehandle.size:
            raise ReadError(
                f"{path}: the file ends at byte {tiff.filehandle.size:,} inside the picture; expected pixels up to byte "
                f"{start + needed:,}. It is truncated: copy or export it again."
            )
        remaining = max(remaining - stated, 0) if frame.page.compression == 1 else remaining


def _grey(stored: np.ndarray, page: tifffile.TiffPage, notes: list[str]) -> np.ndarray:
    """(Y, X) in native byte order: one grey channel, black at 0."""
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if page.photometric == _PALETTE and page.colormap is not None:
        return _through_palette(stored.reshape(stored.shape[-2:]), page.colormap)
    pixels = _samples_last(stored, page)
    if pixels.ndim == 2:
        return _ascending(pixels, page)
    is_colour = page.photometric == _RGB or (page.photometric == _YCBCR and page.compression in _JPEG_COMPRESSIONS)
    if is_colour:
        return one_channel(pixels)
    channels = pixels.shape[-1] - sum(kind in _ALPHA for kind in page.extrasamples)
    if channels > 1 and page.photometric != _YCBCR:
        notes.append(f"The picture has {channels} channels that are no colours; the first one is read.")
    return _ascending(np.ascontiguousarray(pixels[..., 0]), page)


def _samples_last(stored: np.ndarray, page: tifffile.TiffPage) -> np.ndarray:
    """(Y, X) or (Y, X, S) from contiguous or planar samples; the first plane of a volume."""
    if page.samplesperpixel == 1:
        return stored.reshape(-1, page.imagelength, page.imagewidth)[0]
    if page.planarconfig == 2:
        return np.moveaxis(stored.reshape(page.samplesperpixel, -1, page.imagelength, page.imagewidth)[:, 0], 0, -1)
    return stored.reshape(-1, page.imagelength, page.imagewidth, page.samplesperpixel)[0]


def _through_palette(index: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Grey levels of a palette picture at the depth of its index. Palettes hold 16 bits; a few old writers put 8 there."""
    palette = palette.astype(np.uint16)
    grey = luminance(palette[0], palette[1], palette[2])
    if index.dtype.itemsize == 1:
        grey = (grey if palette.max() < 256 else grey >> 8).astype(np.uint8)
    return grey[index]


def _ascending(pixels: np.ndarray, page: tifffile.TiffPage) -> np.ndarray:
    """Grey levels that grow with brightness; one-bit pictures become 0 and 255."""
    if pixels.dtype == bool or page.bitspersample == 1:
        pixels = pixels.astype(bool) ^ (page.photometric == _MINISWHITE)
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    if page.photometric != _MINISWHITE:
        return pixels
    if pixels.dtype.kind == "u":
        return pixels.dtype.type(2**page.bitspersample - 1) - pixels
    return -1 - pixels if pixels.dtype.kind == "i" else -pixels


TIFF = FileFormat("tiff", (".tif", ".tiff", ".btf", ".tf8"), rb"II[*+]\0|MM\0[*+]", _read)
