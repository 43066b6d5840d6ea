"""Bars, rulers and end ticks of known ends, drawn on grainy pictures that are not square."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from morphoscope.calibration.bars import find_bars
from morphoscope.calibration.end_ticks import measured_between_ticks
from morphoscope.calibration.rulers import find_rulers

HEIGHT, WIDTH = 120, 400


def grains(seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH), dtype="uint8")
    soft = np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(7)), float)
    return Image.fromarray(np.clip(120 + 30 * (soft - soft.mean()) / soft.std(), 0, 255).astype("uint8"))


@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("thick", [2, 5, 14])
@pytest.mark.parametrize("blur", [0.0, 0.8])
def test_ends_to_a_pixel(ink: int, thick: int, blur: float) -> None:
    image = grains()
    ImageDraw.Draw(image).rectangle((37, 60, 151, 60 + thick - 1), fill=ink)
    bar = find_bars(np.asarray(image.filter(ImageFilter.GaussianBlur(blur))), 24)[0]
    assert bar.x0 == pytest.approx(37, abs=1) and bar.x1 == pytest.approx(152, abs=1)
    assert bar.y == pytest.approx(60 + thick / 2, abs=1) and bar.is_bright == (ink == 255)


def test_a_bar_askew() -> None:
    image = grains()
    ImageDraw.Draw(image).polygon([(40, 60), (240, 65), (240, 70), (40, 65)], fill=255)
    bar = find_bars(np.asarray(image), 24)[0]
    assert bar.x0 == pytest.approx(40, abs=2) and bar.x1 == pytest.approx(241, abs=2)
    assert bar.slope == pytest.approx(0.025, abs=0.005)


def test_end_ticks_and_frames() -> None:
    image = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(image)
    draw.line((50, 60, 150, 60), fill=255)
    for x in (50, 150):
        draw.line((x, 54, x, 66), fill=255)
    pixels = np.asarray(image)
    bar = measured_between_ticks(pixels, find_bars(pixels, 20)[0], 20)
    assert bar is not None and bar.has_ticks and bar.length == pytest.approx(100, abs=0.5)
    assert measured_between_ticks(pixels, find_bars(pixels, 20)[0], 8) is None, "taller than ticks: a frame"


@pytest.mark.parametrize("step", [8, 21, 33])
def test_a_ruler_is_ten_steps(step: int) -> None:
    image = grains()
    draw = ImageDraw.Draw(image)
    for i in range(11):
        draw.rectangle((30 + i * step, 50, 31 + i * step, 57 if i % 5 else 61), fill=255)
    ruler = find_rulers(np.asarray(image), 24)[0]
    assert ruler.length == pytest.approx(10 * step, abs=1) and ruler.x0 == pytest.approx(31, abs=1) and not ruler.is_open


def test_a_ruler_without_its_last_tick_says_so() -> None:
    image = grains()
    draw = ImageDraw.Draw(image)
    for i in range(10):
        draw.rectangle((30 + i * 20, 50, 31 + i * 20, 57), fill=255)
    ruler = find_rulers(np.asarray(image), 24)[0]
    assert ruler.length == pytest.approx(200, abs=1) and ruler.is_open


def test_nothing_in_nothing() -> None:
    for pixels in (np.zeros((40, 200), "uint8"), np.asarray(grains())):
        assert not [bar for bar in find_bars(pixels, 20) if bar.contrast > 80 and bar.flatness > 0.8]
        assert not find_rulers(pixels, 20)
