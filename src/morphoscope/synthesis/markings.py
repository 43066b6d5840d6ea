"""What is burnt into a picture: a maker's information bar, a scale bar as authors add one, a panel's letter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from morphoscope.micrograph import InformationBar
from morphoscope.synthesis.instruments import Settings
from morphoscope.units import format_length

DRAWN_WIDTH_PX = 1024
"""Bars of narrower pictures are drawn at this width and shrunk, as happens to a micrograph that is made smaller."""


@lru_cache(maxsize=64)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size_px)


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size_px: int, ink: int, anchor: str = "la") -> None:
    """Text in Pillow's own font, which lacks the micro sign: it becomes a u with a tail."""
    font, plain = _font(size_px), text.replace("µ", "u")
    draw.text(at, plain, fill=ink, font=font, anchor=anchor)
    if "µ" in text and isinstance(font, ImageFont.FreeTypeFont):
        left = at[0] - {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * font.getlength(plain)
        ascent, descent = font.getmetrics()
        baseline = at[1] + (ascent if anchor[1] == "a" else ascent - (ascent + descent) / 2)
        x = left + font.getlength(plain[: text.index("µ")]) + 0.07 * size_px
        draw.rectangle((x, baseline - 0.3 * size_px, x + max(0.07 * size_px, 1), baseline + 0.2 * size_px), fill=ink)


@dataclass(frozen=True)
class Strip:
    """A bar (h, w) in 0..1, drawn at `zoom` times the picture's width."""

    draw: ImageDraw.ImageDraw
    width: int
    height: int
    ink: int

    def text(self, x: float, y: float, text: str, size: float, anchor: str = "lm") -> None:
        write(self.draw, (x * self.width, y * self.height), text, max(8, int(size * self.height)), self.ink, anchor)

    def line(self, x0: float, x1: float, y: float, thickness: float) -> None:
        half = max(1, round(thickness * self.height / 2))
        middle = round(y * self.height)
        self.draw.rectangle((round(x0), middle - half, round(x1) - 1, middle + half - 1), fill=self.ink)

    def tick(self, x: float, y: float, tall: float) -> None:
        self.draw.rectangle((round(x) - 1, (y - tall / 2) * self.height, round(x), (y + tall / 2) * self.height), fill=self.ink)


def round_length(nm: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(nm))
    return max(m for m in (1, 2, 5) if m * power <= nm * 1.0001) * power


def information_bar(
    pixels: np.ndarray, pixel_x_nm: float, settings: Settings, rng: np.random.Generator
) -> tuple[np.ndarray, InformationBar]:
    """The picture (Y, X) in 0..1 with the maker's strip over its lower part, and where that is."""
    style = STYLES[settings.instrument.maker]
    zoom = max(1.0, DRAWN_WIDTH_PX / pixels.shape[1])
    height = max(4, round(style.share * min(pixels.shape[1], 1.4 * pixels.shape[0])))
    image = Image.new("L", (round(pixels.shape[1] * zoom), round(height * zoom)), 255 if style.is_white else 0)
    strip = Strip(ImageDraw.Draw(image), image.width, image.height, 0 if style.is_white else 255)
    style.draw(strip, pixel_x_nm / zoom, settings, rng)
    drawn = np.asarray(image.resize((pixels.shape[1], height), Image.Resampling.BOX), np.float32) / 255
    top = pixels.shape[0] - height
    if style.is_inside and rng.random() < 0.6:
        top -= round(0.09 * pixels.shape[0])
    out = pixels.copy()
    out[top : top + height] = drawn
    return out, InformationBar(top, height, "inside" if top + height < pixels.shape[0] else "bottom")


def _zeiss(strip: Strip, nm: float, s: Settings, rng: np.random.Generator) -> None:
    length = round_length(0.17 * strip.width * nm)
    x0, x1 = 0.012 * strip.width, 0.012 * strip.width + length / nm
    strip.text(0.012, 0.3, format_length(length), 0.34)
    strip.line(x0, x1, 0.72, 0.03)
    strip.tick(x0, 0.72, 0.3)
    strip.tick(x1, 0.72, 0.3)
    columns = [
        (f"EHT = {s.hv_kv:5.2f} kV", f"WD = {s.wd_mm:4.1f} mm"),
        (f"Signal A = {s.detector}", f"Mag = {_zeiss_magnification(s.magnification)}"),
        ("Stage at T = 0.0 °", f"Aperture Size = {rng.choice(['20.00', '30.00', '60.00'])} µm"),
        (f"Date :{s.date}", f"Time :{rng.integers(8, 20)}:{rng.integers(60):02d}:{rng.integers(60):02d}"),
    ]
    for x, (upper, lower) in zip((0.24, 0.42, 0.63, 0.84), columns, strict=True):
        strip.text(x, 0.3, upper, 0.27)
        strip.text(x, 0.7, lower, 0.27)


def _zeiss_magnification(magnification: float) -> str:
    return f"{magnification / 1e3:6.2f} K X".strip() if magnification >= 1000 else f"{magnification:.0f} X"


def _fei(strip: Strip, nm: float, s: Settings, rng: np.random.Generator) -> None:
    length = round_length(0.28 * strip.width * nm)
    fields = [
        ("HV", f"{s.hv_kv:.2f} kV"),
        ("spot", f"{rng.integers(2, 6)}.0"),
        ("det", s.detector),
        ("WD", f"{s.wd_mm:.1f} mm"),
        ("mag", f"{s.magnification:,.0f} x".replace(",", " ")),
        ("HFW", format_length(strip.width * nm)),
    ]
    for i, (name, value) in enumerate(fields):
        x = 0.03 + 0.105 * i
        strip.text(x + 0.045, 0.3, name, 0.3, "mm")
        strip.text(x + 0.045, 0.7, value, 0.3, "mm")
        strip.tick(x * strip.width - 4, 0.5, 0.9)
    middle = 0.83 * strip.width
    half = length / nm / 2
    strip.line(middle - half, middle + half, 0.3, 0.03)
    strip.tick(middle - half, 0.3, 0.4)
    strip.tick(middle + half, 0.3, 0.4)
    label = format_length(length)
    strip.draw.rectangle(((middle - 44), 0.1 * strip.height, middle + 44, 0.5 * strip.height), fill=0)
    strip.text(0.83, 0.3, label, 0.32, "mm")
    strip.text(0.83, 0.76, s.instrument.model, 0.28, "mm")


def _jeol(strip: Strip, nm: float, s: Settings, rng: np.random.Generator) -> None:
    length = round_length(0.14 * strip.width * nm)
    texts = (
        (0.03, "EMC"),
        (0.22, s.detector),
        (0.36, f"{s.hv_kv:.1f}kV"),
        (0.5, f"X{s.magnification:,.0f}"),
        (0.82, f"WD {s.wd_mm:.1f}mm"),
    )
    for x, text in texts:
        strip.text(x, 0.68, text, 0.44)
    x0 = 0.64 * strip.width
    strip.line(x0, x0 + length / nm, 0.3, 0.14)
    strip.text(0.66, 0.74, format_length(length).replace(" ", ""), 0.4)


def _hitachi(strip: Strip, nm: float, s: Settings, rng: np.random.Generator) -> None:
    length = round_length(0.3 * strip.width * nm)
    text = (
        f"{s.instrument.model} {s.hv_kv:.1f}kV {s.wd_mm:.1f}mm x{_hitachi_magnification(s.magnification)} {s.detector} {s.date}"
    )
    strip.text(0.01, 0.5, text, 0.55)
    x1 = 0.985 * strip.width
    for i in range(11):
        strip.tick(x1 - i * length / nm / 10, 0.22, 0.24 if i % 5 else 0.36)
    strip.text(0.985, 0.7, format_length(length).replace(" ", ""), 0.45, "rm")


def _hitachi_magnification(magnification: float) -> str:
    return f"{magnification / 1e3:.4g}k" if magnification >= 1000 else f"{magnification:.0f}"


def _tescan(strip: Strip, nm: float, s: Settings, rng: np.random.Generator) -> None:
    length = round_length(0.2 * strip.width * nm)
    columns = [
        (f"SEM HV: {s.hv_kv:.1f} kV", f"View field: {format_length(strip.width * nm)}"),
        (f"WD: {s.wd_mm:.2f} mm", f"SEM MAG: {_hitachi_magnification(s.magnification)}x"),
        (f"Det: {s.detector}", f"Date: {s.date}"),
    ]
    for x, (upper, lower) in zip((0.01, 0.22, 0.4), columns, strict=True):
        strip.text(x, 0.28, upper, 0.3)
        strip.text(x, 0.72, lower, 0.3)
    x0 = 0.58 * strip.width
    strip.line(x0, x0 + length / nm, 0.3, 0.05)
    for i in range(11):
        strip.tick(x0 + i * length / nm / 10, 0.3, 0.26)
    strip.text(0.58 + length / nm / 2 / strip.width, 0.74, format_length(length), 0.3, "mm")
    strip.text(0.99, 0.3, f"{s.instrument.model} TESCAN", 0.32, "rm")


@dataclass(frozen=True)
class Style:
    """A maker's strip: its height as a part of the picture's width, black or white, at the bottom or with picture below it."""

    draw: Callable[[Strip, float, Settings, np.random.Generator], None]
    share: float
    is_white: bool = False
    is_inside: bool = False


STYLES: dict[str, Style] = {
    "ZEISS": Style(_zeiss, 0.061, is_white=True, is_inside=True),
    "FEI": Style(_fei, 0.05),
    "JEOL": Style(_jeol, 0.045),
    "Hitachi": Style(_hitachi, 0.05),
    "TESCAN": Style(_tescan, 0.06),
}


Drawing = Literal["solid", "ticked", "outlined", "ruler"]
"""How authors and makers draw a bar: a block, `|---|`, an outline, or a row of eleven ticks."""


def scale_bar(pixels: np.ndarray, pixel_x_nm: float, rng: np.random.Generator, drawing: Drawing = "solid") -> np.ndarray:
    """The picture (Y, X) in 0..1 with a scale bar as authors burn one in: white, black or boxed, its value above or below."""
    height, width = pixels.shape
    length_nm = round_length(rng.uniform(0.14, 0.34) * width * pixel_x_nm)
    length, thick = length_nm / pixel_x_nm, max(1, round(rng.uniform(0.006, 0.02) * height))
    size = max(8, round(rng.uniform(0.035, 0.075) * height))
    image = Image.fromarray(np.uint8(np.clip(pixels, 0, 1) * 255))
    draw = ImageDraw.Draw(image)
    text = format_length(length_nm)
    box = draw.textbbox((0, 0), text.replace("µ", "u"), font=_font(size))
    wide, tall = max(length, box[2] - box[0]), box[3] - box[1] + 2 * thick + 2
    x = rng.uniform(0.02, 0.08) * width if rng.random() < 0.5 else width - wide - rng.uniform(0.02, 0.08) * width
    y = height - tall - rng.uniform(0.03, 0.08) * height
    under = pixels[max(int(y), 0) : int(y + tall) + 1, max(int(x), 0) : int(x + wide) + 1]
    is_dark_ink = under.size > 0 and float(under.mean()) > 0.55
    boxed = rng.random() < 0.2
    ink, paper = (0, 255) if boxed or is_dark_ink else (255, 0)
    if boxed:
        draw.rectangle((x - 4, y - 3, x + wide + 4, y + tall + 3), fill=paper)
    text_first = rng.random() < 0.6
    bar_y = y + tall - thick if text_first else y
    bar_x = round(x + (wide - length) / 2)
    _draw_bar(draw, drawing, (bar_x, round(bar_y)), round(length), thick, (ink, paper))
    write(draw, (x + wide / 2, y - box[1] if text_first else y + 2 * thick + 2 - box[1]), text, size, ink, "ma")
    return np.asarray(image, np.float32) / 255


def _draw_bar(
    draw: ImageDraw.ImageDraw, drawing: Drawing, at: tuple[int, int], length: int, thick: int, shades: tuple[int, int]
) -> None:
    """A bar whose upper left corner is `at`, `length` pixels long; shades: its ink and its paper."""
    (x, y), (ink, paper) = at, shades
    x1, y1 = x + length - 1, y + thick - 1
    if drawing == "solid":
        draw.rectangle((x, y, x1, y1), fill=ink)
    elif drawing == "outlined":
        draw.rectangle((x, y, x1, max(y1, y + 3)), fill=ink, outline=paper)
    elif drawing == "ticked":
        draw.line((x, y, x1, y), fill=ink)
        for end in (x, x1):
            draw.line((end, y - 3, end, y + 3), fill=ink)
    else:
        for i in range(11):
            column = x + round(i * (length - 1) / 10)
            draw.rectangle((column, y - 2, column, y + (3 if i % 5 else 4)), fill=ink)


def panel_letter(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture (Y, X) in 0..1 with a figure's panel letter in its upper corner."""
    height, width = pixels.shape
    letter = str(rng.choice(list("abcdefgABCDEF")))
    text = f"({letter})" if rng.random() < 0.4 else letter
    font = _font(max(8, round(rng.uniform(0.07, 0.13) * height)))
    image = Image.fromarray(np.uint8(np.clip(pixels, 0, 1) * 255))
    draw = ImageDraw.Draw(image)
    _, _, right, bottom = draw.textbbox((0.015 * width, 0.01 * height), text, font=font)
    corner = pixels[: int(bottom) + 1, : int(right) + 1]
    fill = 0 if float(corner.mean()) > 0.5 else 255
    if rng.random() < 0.25:
        draw.rectangle((0, 0, right + 4, bottom + 4), fill=255)
        fill = 0
    draw.text((0.015 * width, 0.01 * height), text, fill=fill, font=font)
    return np.asarray(image, np.float32) / 255
