"""ImageJ's regions of interest, which StarDist and others write too: outlines of objects become an instance map."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from skimage.draw import polygon

from morphoscope.errors import ReadError

OUTLINE_SUFFIXES = (".zip", ".roi")

_MOST_BYTES = 2**28
"""Of all outlines unpacked: a zip of a few bytes must not fill the memory."""
_WHAT = "expected ImageJ outlines (.roi, or a .zip of them): areas such as polygons, freehand selections, ovals or rectangles"


def read_outlines(path: Path, shape: tuple[int, int] | None) -> np.ndarray:
    """(Y, X) uint32 map of the areas in an ImageJ .roi or .zip file, numbered in their order, on a picture of that shape.

    A pixel belongs to an area where its middle lies inside; where areas overlap, to the later one. Lines and points are no
    areas and are left out. Raises ReadError for what is no such file or holds no area.
    """
    if shape is None:
        raise ReadError(
            f"{path}: outlines do not say how large their picture is; expected the picture too. Measure them together."
        )
    numbers = np.zeros(shape, np.uint32)
    found = 0
    for found, rings in enumerate(_areas(path), start=1):
        # ImageJ counts from the corner of the first pixel, arrays from its middle.
        inside = [polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, shape) for ring in rings]
        if len(inside) > 1:  # rings within rings are holes
            mask = np.zeros(shape, bool)
            for rows, columns in inside:
                mask[rows, columns] ^= True
            inside = [np.nonzero(mask)]
        numbers[inside[0]] = found
    if not found:
        raise ReadError(f"{path}: found no area; {_WHAT}. Save the selections of the ROI manager again.")
    return numbers


def _areas(path: Path) -> list[list[np.ndarray]]:
    """The rings (K, 2) as (x, y) of every area."""
    import roifile

    lines = (roifile.ROI_TYPE.LINE, roifile.ROI_TYPE.FREELINE, roifile.ROI_TYPE.POLYLINE, roifile.ROI_TYPE.ANGLE)
    no_area = (*lines, roifile.ROI_TYPE.POINT, roifile.ROI_TYPE.NOROI)
    try:
        _check_size(path)
        read = roifile.roiread(path, maxsize=_MOST_BYTES)
        rois = read if isinstance(read, list) else [read]
        rings = [roi.coordinates(multi=True) for roi in rois if roi.roitype not in no_area]
    except ReadError:
        raise
    except Exception as error:  # the library raises what its parsing runs into
        raise ReadError(f"{path}: the outlines can't be read ({error}); {_WHAT}. Save them from ImageJ again.") from error
    areas = [[np.asarray(ring, float) for ring in each if len(ring) >= 3] for each in rings]
    return [area for area in areas if area]


def _check_size(path: Path) -> None:
    if path.suffix.lower() != ".zip":
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > _MOST_BYTES:
        raise ReadError(
            f"{path}: its outlines unpack to {size / 2**20:.0f} MB; expected at most {_MOST_BYTES / 2**20:.0f}. {_WHAT}."
        )
