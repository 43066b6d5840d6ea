"""The scale read from pixels alone: drawn truths in every maker's style, bad cases, and real micrographs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.ndimage import gaussian_filter

from morphoscope.calibration import PictureReading, read_picture
from morphoscope.io import read
from morphoscope.synthesis import markings
from morphoscope.synthesis.instruments import SEMS, Instrument, sem_settings

DRAWINGS: tuple[markings.Drawing, ...] = ("solid", "ticked", "outlined", "ruler")


def specimen(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Soft grains with shot noise (Y, X) in 0..1."""
    rng = np.random.default_rng(seed)
    grains = gaussian_filter(rng.random(shape, np.float32), 9)
    grains = (grains - grains.mean()) / grains.std()
    return np.clip(0.45 + 0.14 * grains + rng.normal(0, 0.03, shape), 0, 1).astype(np.float32)


def overlay(
    text: str = "200 nm", bar: tuple[int, int, int, int] | None = (40, 350, 160, 357), at: tuple[int, int] = (60, 315)
) -> np.ndarray:
    """A picture (400, 520) with a white bar (x0, y0, x1, y1) and a label."""
    image = Image.fromarray(np.uint8(255 * specimen((400, 520), 3)))
    draw = ImageDraw.Draw(image)
    if bar is not None:
        draw.rectangle(bar, fill=255)
    draw.text(at, text, fill=255, font=ImageFont.load_default(size=26))
    return np.asarray(image)


def off(reading: PictureReading, pixel_nm: float) -> float:
    """By how much the pixel size is wrong; an abstention is infinitely wrong."""
    return np.inf if reading.pixel_size_nm is None else abs(reading.pixel_size_nm / pixel_nm - 1)


def strip_of(instrument: Instrument, shape: tuple[int, int], seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads a maker's strip and compares everything that it prints."""
    monkeypatch.setattr("morphoscope.synthesis.instruments.SEMS", (instrument,))
    rng = np.random.default_rng(seed)
    width_nm = 10 ** rng.uniform(3, 5.5)
    settings = sem_settings(width_nm, rng, rng)
    marked, bar = markings.information_bar(specimen(shape, seed), width_nm / shape[1], settings, rng)
    reading = read_picture(np.uint8(255 * marked))
    assert off(reading, width_nm / shape[1]) <= 0.03
    found = reading.information_bar
    assert found is not None and abs(found.top - bar.top) <= 2 and abs(found.height - bar.height) <= 2
    for name in ("magnification", "hv_kv", "wd_mm"):
        assert reading.acquisition.value(name) in (None, pytest.approx(getattr(settings, name), rel=0.01)), name
    assert reading.acquisition.value("magnification") is not None


@pytest.mark.parametrize("instrument", SEMS[::2] + SEMS[-1:], ids=lambda i: i.model)
def test_strips_in_each_makers_style(instrument: Instrument, monkeypatch: pytest.MonkeyPatch) -> None:
    strip_of(instrument, (768, 1024), 5, monkeypatch)


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_bars_as_authors_draw_them(drawing: markings.Drawing) -> None:
    errors = []
    for seed in range(5):
        shape, pixel_nm = ((512, 640), (700, 500))[seed % 2], 10 ** np.random.default_rng(seed).uniform(-0.5, 2.5)
        marked = markings.scale_bar(specimen(shape, seed), pixel_nm, np.random.default_rng(seed), drawing)
        errors.append(off(read_picture(np.uint8(255 * marked)), pixel_nm))
    answered = [error for error in errors if np.isfinite(error)]
    assert len(answered) >= 3 and max(answered) <= (0.04 if drawing == "outlined" else 0.03)


@pytest.mark.slow
def test_many_drawn_truths(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        for instrument in SEMS:
            strip_of(instrument, ((768, 1024), (600, 800), (960, 1280))[seed % 3], seed, monkeypatch)
    errors = []
    for seed in range(60):
        shape, pixel_nm = ((512, 640), (700, 500))[seed % 2], 10 ** np.random.default_rng(seed).uniform(-0.5, 2.5)
        for drawing in DRAWINGS:
            marked = markings.scale_bar(specimen(shape, seed), pixel_nm, np.random.default_rng(seed), drawing)
            errors.append(off(read_picture(np.uint8(255 * marked)), pixel_nm))
    assert np.mean(np.array(errors) <= 0.03) >= 0.85
    assert np.mean([np.isfinite(error) and error > 0.1 for error in errors]) <= 0.02


def test_a_plain_overlay() -> None:
    reading = read_picture(overlay())
    assert reading.problem == "" and reading.confidence > 0.6 and "200 nm" in reading.text
    assert off(reading, 200 / 121) <= 0.02
    bar = reading.scale_bar
    assert bar is not None and bar.value_nm == 200 and abs(bar.x0 - 40) <= 1 and abs(bar.x1 - 161) <= 1 and abs(bar.y - 354) <= 1


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int16"])
def test_any_depth(dtype: str) -> None:
    assert off(read_picture(overlay().astype(dtype) * 100), 200 / 121) <= 0.02


def test_a_cut_bar() -> None:
    reading = read_picture(overlay(bar=(0, 350, 120, 357)))
    assert reading.pixel_size_nm is None and "may be cut" in reading.problem


def test_two_bars_that_disagree() -> None:
    image = Image.fromarray(overlay())
    draw = ImageDraw.Draw(image)
    draw.rectangle((340, 350, 460, 357), fill=255)
    draw.text((360, 315), "500 nm", fill=255, font=ImageFont.load_default(size=26))
    reading = read_picture(np.asarray(image))
    assert reading.pixel_size_nm is None and "expected one scale" in reading.problem


def test_a_label_without_a_bar() -> None:
    reading = read_picture(overlay(bar=None))
    assert reading.pixel_size_nm is None and reading.scale_bar is None
    assert "stands without a scale bar" in reading.problem or "surely enough" in reading.problem


def test_a_bar_without_a_label() -> None:
    reading = read_picture(overlay(text=""))
    assert reading.pixel_size_nm is None and "without a label" in reading.problem


def test_a_bar_without_a_label_in_a_large_noisy_picture() -> None:
    large = np.kron(overlay(text=""), np.ones((5, 5), np.uint8)).astype(float)
    noisy = (large + np.random.default_rng(0).normal(0, 20, large.shape)).clip(0, 255).astype(np.uint8)
    reading = read_picture(noisy)
    assert reading.pixel_size_nm is None and "without a label" in reading.problem


def test_odd_pictures_are_no_trouble() -> None:
    for pixels in (
        np.zeros((1, 1), "uint8"),
        np.full((300, 400), 7, "uint16"),
        np.full((200, 300), np.nan),
        np.zeros((20, 900), "uint8"),
    ):
        reading = read_picture(pixels)
        assert reading.pixel_size_nm is None and reading.problem


def test_specimen_alone_has_no_scale() -> None:
    for seed in range(2):
        soft = Image.fromarray(np.uint8(255 * specimen((400, 520), seed))).filter(ImageFilter.GaussianBlur(1))
        assert read_picture(np.asarray(soft)).pixel_size_nm is None


@pytest.fixture(scope="module")
def emps(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "emps" / "scale.csv").open(encoding="utf-8-sig", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["filename"])


def count_emps(folder: Path, rows: list[dict[str, str]]) -> tuple[float, float]:
    """Share of scales within 3 % (or a bar within 2 px), and share that is more than 10 % off."""
    right = wrong = 0
    for row in rows:
        reading = read_picture(read(folder / "emps" / "images" / row["filename"]).pixels)
        error = off(reading, float(row["pixel_size_nm"]))
        bar = reading.scale_bar
        length = float(row["bar_x1"]) - float(row["bar_x0"])
        is_near = bar is not None and abs(bar.x1 - bar.x0 - length) <= 2 and bar.value_nm == float(row["scale_bar_nm"])
        right += error <= 0.03 or is_near
        wrong += bool(np.isfinite(error) and error > 0.1)
    return right / len(rows), wrong / len(rows)


def test_published_figures(shared_data: Path, emps: list[dict[str, str]]) -> None:
    right, wrong = count_emps(shared_data, emps[::24])
    assert right >= 0.85 and wrong <= 0.05


@pytest.mark.slow
def test_all_published_figures(shared_data: Path, emps: list[dict[str, str]]) -> None:
    right, wrong = count_emps(shared_data, emps)
    assert right >= 0.88 and wrong <= 0.02


def test_pictures_without_a_scale(shared_data: Path, emps: list[dict[str, str]]) -> None:
    readable = {row["filename"] for row in emps}
    others = sorted(path for path in (shared_data / "emps" / "images").glob("*.png") if path.name not in readable)
    assert [path.name for path in others[::16] if read_picture(read(path).pixels).pixel_size_nm is not None] == []


def test_strips_of_the_makers(shared_data: Path) -> None:
    with (shared_data / "databar" / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))[::5]
    right = printed = agree = 0
    for row in rows:
        reading = read_picture(read(shared_data / "databar" / row["file"]).pixels)
        error = off(reading, float(row["pixel_size_nm"] or row["pixel_size_nm_from_bar"]))
        assert error <= 0.1 or np.isinf(error), row["file"]
        right += error <= 0.03
        for name in ("magnification", "hv_kv", "wd_mm"):
            if row[name]:
                printed += 1
                agree += reading.acquisition.value(name) == pytest.approx(float(row[name]), rel=0.01)
    assert right >= 0.85 * len(rows) and agree >= 0.9 * printed
