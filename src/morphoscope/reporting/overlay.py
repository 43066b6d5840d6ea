"""A labelled copy of a picture: what the model says on a margin below it, so that nothing covers the specimen."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from morphoscope.micrograph import PixelSize
from morphoscope.prediction import ClassPrediction
from morphoscope.units import format_length

_PAPER, _INK, _FAINT = 18, 240, 165
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf", "segoeui.ttf")
_NOT_SURE = "not sure"


def label_lines(predictions: Sequence[ClassPrediction], row: int) -> list[str]:
    """One line a task for one of the pictures: `Morphology · Rod 93 %`, or `Morphology · not sure: Rod or Sphere`."""
    return [f"{prediction.task.name} · {_answer(prediction, row)}" for prediction in predictions]


def labelled_copy(display: np.ndarray, lines: Sequence[str], pixel_size: PixelSize | None = None) -> Image.Image:
    """The picture (Y, X) uint8 with the lines and, where the scale is known, a scale bar on a margin added below it.

    pixel_size: of `display` itself, so scaled along where the picture was. The text grows with the picture's width and wraps.
    """
    height, width = display.shape
    size = max(9, round(width / 38))
    font, pad, leading = _font(size), round(0.8 * size), round(1.4 * size)
    text_width = width - 2 * pad
    wrapped = [(part, _FAINT if _NOT_SURE in line else _INK) for line in lines for part in _wrap(line, font, text_width)]
    bar_height = 0 if pixel_size is None else round(2.6 * size)
    margin = 2 * pad + bar_height + leading * len(wrapped)
    copy = Image.new("L", (width, height + margin), _PAPER)
    copy.paste(Image.fromarray(display), (0, 0))
    draw = ImageDraw.Draw(copy)
    top = height + pad
    if pixel_size is not None:
        _draw_scale_bar(draw, (pad, top), width, pixel_size, font)
    for index, (line, ink) in enumerate(wrapped):
        draw.text((pad, top + bar_height + index * leading), line, fill=ink, font=font)
    return copy


def bar_length_nm(width_px: int, pixel_nm: float) -> float:
    """The longest of 1, 2, 5 × 10ⁿ nm that takes no more than a quarter of the picture's width."""
    room = width_px * pixel_nm / 4
    power = 10.0 ** math.floor(math.log10(room))
    return next(step * power for step in (5, 2, 1) if step * power <= room * (1 + 1e-9))


def _draw_scale_bar(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], width_px: int, pixel_size: PixelSize, font: ImageFont.FreeTypeFont
) -> None:
    left, top = corner
    length_nm = bar_length_nm(width_px, pixel_size.x_nm)
    length_px = max(1, round(length_nm / pixel_size.x_nm))
    thickness = max(2, round(font.size / 4))
    middle = top + round(0.75 * font.size)
    draw.rectangle((left, middle - thickness // 2, left + length_px - 1, middle - thickness // 2 + thickness - 1), fill=255)
    label = _drawable(format_length(length_nm), font)
    draw.text((left + length_px + round(0.6 * font.size), middle), label, fill=_INK, font=font, anchor="lm")


def _answer(prediction: ClassPrediction, row: int) -> str:
    classes, probabilities = prediction.task.classes, prediction.probabilities[row]
    if prediction.is_sure[row]:
        chosen = np.flatnonzero(prediction.chosen()[row])
        return f"{' + '.join(classes[c] for c in chosen)} {100 * prediction.confidence[row]:.0f} %"
    order = np.argsort(-probabilities)
    in_set = [c for c in order if prediction.in_set[row, c]]
    *first, last = [classes[c] for c in (in_set[:3] if len(in_set) > 1 else order[:2])]
    return f"{_NOT_SURE}: {', '.join(first)} or {last}" if first else f"{_NOT_SURE}: {last}"


def _font(size: int) -> ImageFont.FreeTypeFont:
    """A system font that knows µ and accents, else Pillow's own, which knows little beyond ASCII."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """The text as the font can draw it: Pillow's own shows a box for anything but ASCII."""
    if font.getname()[0] != "Aileron":
        return text
    plain = unicodedata.normalize("NFKD", text).replace("\N{GREEK SMALL LETTER MU}", "u").replace("·", "-").replace("–", "-")
    return "".join(c for c in plain if not unicodedata.combining(c)).encode("ascii", "replace").decode()


def _wrap(line: str, font: ImageFont.FreeTypeFont, width_px: int) -> list[str]:
    """The line broken between words, or within a word longer than the width."""
    lines, current = [], ""
    for word in _drawable(line, font).split():
        candidate = f"{current} {word}".strip()
        if current and font.getlength(candidate) > width_px:
            lines.append(current)
            candidate = word
        while font.getlength(candidate) > width_px and len(candidate) > 1:
            fitting = next(n for n in range(len(candidate) - 1, 0, -1) if n == 1 or font.getlength(candidate[:n]) <= width_px)
            lines.append(candidate[:fitting])
            candidate = candidate[fitting:]
        current = candidate
    return [*lines, current] if current else lines
