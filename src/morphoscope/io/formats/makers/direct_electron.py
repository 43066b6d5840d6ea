"""Direct Electron cameras: a sidecar `…_info.txt` of `key = value` lines that all files of one acquisition share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from morphoscope.io.formats.makers.values import Shape, pixel_size, positive, sourced
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition

_LINE = re.compile(r"^(.+?)\s*=\s*(.*?)\s*$", re.MULTILINE)
_STEM = "1"


def sidecar_names(stem: str) -> Iterator[str]:
    """`20241021_00405_info.txt` for `20241021_00405_movie` and `20241021_00405_0_Virt 0_sum`."""
    parts = stem.split("_")
    return (f"{'_'.join(parts[:length])}_info.txt" for length in range(len(parts) - 1, 1, -1))


def is_sidecar(text: str) -> bool:
    """Whether a text beside a picture is Direct Electron's."""
    return "Camera Model" in text and "Instrument Project Magnification" in text


def from_sidecar(text: str, shape: Shape, path: Path) -> Record:
    """What the sidecar says of a file. -1 is unknown; the movie of a scan or with a camera length is one of diffraction."""
    values = dict(_LINE.findall(text))
    is_movie = "_movie" in path.stem.lower()
    is_scanned = values.get("Instrument Project TEMorSTEM Mode") == _STEM or values.get("Scan - Enable") == "Enable"
    camera_length = positive(values.get("Instrument Project Camera Length (centimeters)"))
    is_diffraction = is_movie and (is_scanned or camera_length is not None)
    y_nm, x_nm = (positive(values.get(f"Specimen Pixel Size {axis} (nanometers)")) for axis in "YX")
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("Instrument Project Magnification")), "sidecar"),
        detector=sourced(values.get("Camera Model"), "sidecar"),
    )
    size = None if is_diffraction else pixel_size(y_nm, x_nm, "sidecar", "Direct Electron Specimen Pixel Size X")
    return Record("Direct Electron", size, acquisition, is_diffraction=is_diffraction)
