"""The maker's strip, found in the pixels: drawn ones, real ones, and pictures without."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from morphoscope.calibration import find_information_bar
from morphoscope.io import read

HEIGHT, WIDTH = 700, 1024
TEXT = "10 µm   EHT = 10.00 kV   WD = 9.2 mm   Signal A = SE2   Mag = 40.00 K X   Date: 3 Feb 2016   Stage at T = 0.0   "


def specimen(seed: int = 0) -> np.ndarray:
    """Smooth grey grains (Y, X), non-square."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH), dtype="uint8")
    grains = np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(9)), dtype=float)
    spread = (grains - grains.mean()) / grains.std()
    return np.clip(120 + 35 * spread + np.random.default_rng(seed).normal(0, 8, grains.shape), 0, 255).astype("uint8")


def strip(height: int, paper: int, ink: int, text: str = TEXT) -> np.ndarray:
    image = Image.new("L", (WIDTH, height), paper)
    drawing = ImageDraw.Draw(image)
    for line in range(max(1, height // 24)):
        drawing.text((10, 4 + 22 * line), text * 2, fill=ink)
    drawing.rectangle((20, height - 6, 180, height - 4), fill=ink)
    return np.asarray(image)


@pytest.mark.parametrize(("paper", "ink"), [(0, 255), (255, 0), (60, 220), (230, 40)])
@pytest.mark.parametrize("height", [26, 64, 150])
def test_below_the_picture(paper: int, ink: int, height: int) -> None:
    bar = find_information_bar(np.vstack([specimen(), strip(height, paper, ink)]))
    assert bar is not None and bar.side == "bottom"
    assert abs(bar.top - HEIGHT) <= 1 and bar.top + bar.height == HEIGHT + height


def test_inside_and_above_the_picture() -> None:
    pixels = specimen()
    pixels[560:622] = strip(62, 255, 0)
    bar = find_information_bar(pixels)
    assert bar is not None and bar.side == "inside"
    assert abs(bar.top - 560) <= 1 and abs(bar.top + bar.height - 622) <= 1
    bar = find_information_bar(np.vstack([strip(40, 0, 255), specimen()]))
    assert bar is not None and (bar.top, bar.side) == (0, "top") and abs(bar.height - 40) <= 1


def test_sixteen_bits_and_noise_of_a_jpeg(tmp_path: Path) -> None:
    pixels = np.vstack([specimen(), strip(64, 0, 255)])
    bar = find_information_bar(pixels.astype("uint16") * 200 + 500)
    assert bar is not None and abs(bar.top - HEIGHT) <= 1
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=60)
    bar = find_information_bar(read(tmp_path / "a.jpg").pixels)
    assert bar is not None and abs(bar.top - HEIGHT) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_a_specimen_has_none(seed: int) -> None:
    assert find_information_bar(specimen(seed)) is None


def test_what_looks_like_a_strip_but_is_none() -> None:
    flat, empty, boxed, gradual, layered = (specimen() for _ in range(5))
    flat[600:] = 128
    empty[640:] = 0  # a black margin without text
    boxed[620:690, :300] = strip(70, 255, 0)[:, :300]  # a box narrower than the picture
    gradual[500:] = (gradual[500:] * np.linspace(1, 0, 200)[:, None]).astype("uint8")
    layered[300:420] = np.clip(np.random.default_rng(0).normal(200, 3, (120, WIDTH)), 0, 255)  # a film in cross-section
    for name, pixels in {"flat": flat, "empty": empty, "boxed": boxed, "gradual": gradual, "layered": layered}.items():
        assert find_information_bar(pixels) is None, name
    overlay = Image.fromarray(specimen())
    ImageDraw.Draw(overlay).text((5, 670), TEXT * 2, fill=255)  # text straight on the specimen
    assert find_information_bar(np.asarray(overlay)) is None


def test_odd_pictures_are_no_trouble() -> None:
    assert find_information_bar(np.zeros((1, 1), "uint8")) is None
    assert find_information_bar(np.zeros((300, 20), "uint8")) is None
    assert find_information_bar(np.full((300, 400), np.nan)) is None
    assert find_information_bar(np.full((300, 400), 7, "uint16")) is None


def test_real_strips_of_the_makers(shared_data: Path) -> None:
    with (shared_data / "databar" / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    hits = 0
    for row in rows:
        bar = find_information_bar(read(shared_data / "databar" / row["file"]).pixels)
        if row["layout"] != "bottom-strip":
            assert bar is None, row["file"]
        elif bar is not None:
            top = float(row["bar_top_y"])
            assert abs(bar.top - top) <= 6 and abs(bar.top + bar.height - top - float(row["bar_height_px"])) <= 6, row["file"]
            hits += 1
    assert hits == 24


def test_strips_with_picture_below(shared_data: Path) -> None:
    with (shared_data / "nffa_layout" / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        bar = find_information_bar(read(shared_data / "nffa_layout" / row["file"]).pixels)
        assert (bar is not None) == (row["has_info_bar"] == "1"), row["file"]
        if bar is not None:
            assert bar.side == "inside" and 600 <= bar.top <= 680 and 55 <= bar.height <= 80, row["file"]


def test_published_figures_rarely_have_one(shared_data: Path) -> None:
    """Every strip found there was checked by eye; a rise of the count is a false crop."""
    pictures = sorted((shared_data / "emps" / "images").glob("*.png"))
    found = [find_information_bar(read(path).pixels) for path in pictures]
    assert sum(bar is not None for bar in found) <= 33
