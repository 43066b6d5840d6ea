"""One file to one Micrograph: pixels as stored, and its scale and settings from header, sidecar and file name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.detect import detect
from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.filename import magnification_from_name
from morphoscope.io.record import Record, merged
from morphoscope.io.sidecar import read_sidecar
from morphoscope.micrograph import Acquisition, Micrograph, Sourced

MAX_PIXELS = 500_000_000
DIFFRACTION = "A diffraction pattern: its scale is reciprocal, so it has no pixel size, and it is no picture of the specimen."


def read(path: str | os.PathLike[str], *, frame: int = 0, max_pixels: int = MAX_PIXELS, name: str | None = None) -> Micrograph:
    """One frame of a picture file as a Micrograph.

        morphoscope.read("a01.tif").pixel_size  # PixelSize in nm with its origin, or None

    frame: page or slice, from 0. Pixels are one grey channel (Y, X) at the stored depth: equal colour channels give that channel,
    other colours their luminance; alpha is ignored. The pixel size comes from the header, else a sidecar; settings that neither
    knows from the file name (the magnification only). Unknown is None. max_pixels: the most values (pixels × channels) to
    decode. name: the file's own name, where it is kept under another. The scale bar drawn into the pixels is not looked for
    here: `morphoscope.calibration.resolve` settles the scale with it, and finds the information bar.
    Raises ReadError for whatever is no readable picture.
    """
    path = Path(path)
    file_format = detect(path)
    picture = _decoded(path, file_format, frame, max_pixels)
    notes = _check_values(path, picture.pixels)
    sidecar, unread = read_sidecar(path, picture.pixels.shape, frame)
    records = [*picture.records, *([sidecar] if sidecar else [])]
    size, acquisition, bar = merged([*records, _from_name(name or path.name)])
    is_diffraction = any(record.is_diffraction for record in records)
    if is_diffraction:
        notes = (DIFFRACTION, *notes)
    makers = ", ".join(dict.fromkeys(record.maker for record in records))
    return Micrograph(
        path=path,
        pixels=picture.pixels,
        reader=f"{file_format.name} ({makers})" if makers else file_format.name,
        pixel_size=size,
        acquisition=acquisition,
        information_bar=bar,
        is_diffraction=is_diffraction,
        reciprocal_per_nm=next((record.reciprocal_per_nm for record in records if record.reciprocal_per_nm), None),
        frame=frame,
        n_frames=picture.n_frames,
        warnings=(*notes, *picture.warnings, *unread),
    )


def _decoded(path: Path, file_format: FileFormat, frame: int, max_pixels: int) -> Picture:
    try:
        with np.errstate(all="ignore"):  # damaged numbers must not warn on the terminal
            return file_format.read(path, frame, max_pixels)
    except ReadError:
        raise
    except MemoryError:
        raise ReadError(
            f"{path}: there is not enough memory for the picture; expected room for its pixels. "
            "Close other programs or read a smaller file."
        ) from None
    except Exception as error:  # decoders raise anything on damaged input
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReadError(
            f"{path}: the {file_format.name.upper()} data can't be decoded ({reason}); expected a complete picture. "
            "It may be damaged or truncated: copy or export it again."
        ) from error


def _from_name(name: str) -> Record:
    magnification = magnification_from_name(name)
    sourced = None if magnification is None else Sourced(magnification, "filename")
    return Record("file name", acquisition=Acquisition(magnification=sourced), is_rounded=True)


def _check_values(path: Path, pixels: np.ndarray) -> tuple[str, ...]:
    """Warnings about values that are odd but usable. Raises ReadError for those that are not."""
    if pixels.dtype.kind not in "uif":
        raise ReadError(
            f"{path}: the pixels are {pixels.dtype} numbers; expected real grey levels. Export the modulus, phase or real part."
        )
    if pixels.dtype.kind == "f" and not _is_finite(pixels):
        finite = np.isfinite(pixels)
        if not finite.any():
            raise ReadError(f"{path}: no pixel is a finite number; expected grey levels. Export the picture again.")
        return (f"{finite.size - np.count_nonzero(finite):,} of {finite.size:,} pixels are NaN or infinite.",)
    if _is_constant(pixels):
        return (f"All pixels are {pixels.flat[0]}: the picture is empty.",)
    return ()


def _is_finite(pixels: np.ndarray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(pixels.sum(dtype=np.float64)):  # a finite sum spares a mask as large as the picture
            return True
    return bool(np.isfinite(pixels).all())


def _is_constant(pixels: np.ndarray) -> bool:
    first = pixels.flat[0]
    return bool((pixels[::61, ::61] == first).all() and (pixels == first).all())
