"""The one door from stored pixels to the network's picture, on drawn micrographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.data.preprocessing import Preprocessing, common_canvas
from morphoscope.micrograph import InformationBar, Micrograph, PixelSize


def micrograph(pixels: np.ndarray, **known: object) -> Micrograph:
    return Micrograph(Path("a.tif"), pixels, "drawn", **known)  # type: ignore[arg-type]


def ramp(height: int, width: int, dtype: str, top: float) -> np.ndarray:
    return (np.linspace(0, 1, width)[None].repeat(height, 0) * top).astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("int16", 3000), ("float32", 1e-3), ("uint32", 4e9)]
)
def test_every_depth_gives_the_same_picture(dtype: str, top: float) -> None:
    preprocessing = Preprocessing(96, 128, working_side=256)
    expected = preprocessing.working_copy(micrograph(ramp(300, 400, "float64", 1.0)))
    found = preprocessing.working_copy(micrograph(ramp(300, 400, dtype, top)))
    assert found.shape == (192, 256)
    assert np.abs(found.astype(int) - expected).max() <= 2


def test_the_bar_is_not_specimen() -> None:
    pixels = ramp(300, 400, "uint8", 100)
    pixels[260:] = 255
    working = Preprocessing(96, 128).working_copy(micrograph(pixels, information_bar=InformationBar(260, 40)))
    assert working.shape == (260, 400)
    assert np.median(working) == pytest.approx(128, abs=3)


def test_unequal_pixels_become_square() -> None:
    working = Preprocessing(64, 64).working_copy(
        micrograph(ramp(100, 100, "uint8", 255), pixel_size=PixelSize(2.0, 1.0, "header"))
    )
    assert working.shape == (200, 100)


def test_a_canvas_keeps_proportions_on_a_ground_of_the_mean() -> None:
    working = np.repeat(np.uint8([[0], [200]]), 50, axis=0).repeat(100, axis=1)
    canvas = Preprocessing(64, 128).canvas(working)
    assert canvas.shape == (64, 128)
    assert (canvas[:, :32] == canvas[0, 0]).all()
    assert canvas[0, 0] == pytest.approx(100, abs=1)


def test_nan_infinity_and_constants_are_no_obstacle() -> None:
    holes = ramp(80, 60, "float32", 1.0)
    holes[:10], holes[20, 5] = np.nan, np.inf
    assert Preprocessing(64, 64).working_copy(micrograph(holes)).max() == 255
    assert (Preprocessing(64, 64).working_copy(micrograph(np.full((40, 30), 7, np.uint16))) == 128).all()


def test_the_common_canvas_has_the_median_aspect_and_the_area_asked_for() -> None:
    height, width = common_canvas(np.array([0.75, 0.75, 3.0]), 160)
    assert (height, width) == (128, 192)
    assert common_canvas(np.array([1.0]), 160) == (160, 160)
