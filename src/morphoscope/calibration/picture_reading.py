"""What a picture says of itself: scale bar, printed text and information bar, from the pixels alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from morphoscope.calibration.bars import find_bars
from morphoscope.calibration.data_bar_text import acquisition_from, field_width_nm
from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.calibration.labels import Label, find_labels, read_again
from morphoscope.calibration.pairing import Pair, bars_of
from morphoscope.calibration.picture_text import parts_of, read_part
from morphoscope.calibration.text_reader import TextLine
from morphoscope.io.display import to_display
from morphoscope.micrograph import Acquisition, InformationBar, ScaleBar
from morphoscope.units import NM_PER_UNIT, format_length

_LEAST_SIDE = 48
_ENOUGH = 0.43  # confidence below which the reader abstains
_LOOK_ON = 0.5  # and below which it looks at the next part of the picture too
_MOST_LABELS = 5
_AGREE = 0.05  # of two scales
_RIVAL, _DOUBT = 0.3, 0.2  # share of the best score, and score, that a second scale needs to raise a doubt
_DISPLAY_MM = 20.0, 1500.0  # widths of a picture on a display, for makers and crops of every kind
_HINT_WIDTH = (
    1024  # px at which a bar without a label is looked for: a camera's noise at 4096 px holds runs of ink by the ten thousand
)
_HINT = "Give the pixel size in the metadata sheet."


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


@dataclass(frozen=True)
class _Scale:
    """A label with its bar."""

    label: Label
    pair: Pair

    @property
    def score(self) -> float:
        return self.label.trust * self.pair.fit

    @property
    def pixel_nm(self) -> float:
        return self.label.value_nm / self.pair.bar.length


def read_picture(pixels: np.ndarray) -> PictureReading:
    """Scale, settings and information bar read from a grey picture (Y, X) at its stored depth, never from files or tags.

    Time: up to a second on one core. Bias: it would rather abstain than be wrong.
    """
    strip = find_information_bar(pixels)
    if min(pixels.shape) < _LEAST_SIDE:
        return PictureReading(information_bar=strip, problem=f"The picture is too small to read: {_HINT}")
    grey = to_display(pixels, 0.0, 100.0)
    lines: list[TextLine] = []
    labels: list[Label] = []
    scales: list[_Scale] = []
    for top, bottom, zoom in parts_of(pixels.shape, strip):
        read = read_part(grey, top, bottom, zoom)
        lines += read
        labels_here = find_labels(grey, read)[:_MOST_LABELS]
        labels += labels_here
        scales += [scale for label in labels_here if (scale := _with_bar(grey, label, strip, read)) is not None]
        if scales and max(scale.score for scale in scales) >= _LOOK_ON:
            break
    reading = PictureReading(
        acquisition=acquisition_from(lines), information_bar=strip, text="\n".join(line.text for line in _in_order(lines))
    )
    if not scales:
        return replace(reading, problem=_why_none(grey, labels))
    return _decided(grey, reading, sorted(scales, key=lambda scale: -scale.score), labels, lines)


def _with_bar(grey: np.ndarray, label: Label, strip: InformationBar | None, lines: list[TextLine]) -> _Scale | None:
    """The label with the bar that fits best."""
    line = label.line
    top, bottom = 0, len(grey)
    if strip is not None and strip.top <= (line.y0 + line.y1) / 2 < strip.top + strip.height:
        top, bottom = strip.top, strip.top + strip.height
    pairs = bars_of(grey, line, top, bottom, [other for other in lines if other is not line])
    return _Scale(label, pairs[0]) if pairs else None


def _decided(
    grey: np.ndarray, reading: PictureReading, scales: list[_Scale], labels: list[Label], lines: list[TextLine]
) -> PictureReading:
    """The reading with the best of the scales, or with the reason to abstain."""
    best = scales[0]
    same = [other for other in labels if other is not best.label and not _is_apart(other.line, best.label.line)]
    label = read_again(grey, best.label, best.pair.bar, same)
    best = replace(best, label=label)
    name = f"The bar labelled '{format_length(label.value_nm)}'"
    confidence = min(1.0, best.score * _agreement(best.pixel_nm * grey.shape[1], reading.acquisition, lines))
    rival = next((other for other in scales[1:] if _is_rival(other, best)), None)
    reading = replace(reading, confidence=confidence)
    if best.pair.is_cut:
        return replace(reading, problem=f"{name} reaches the picture's edge and may be cut. {_HINT}")
    if rival is not None:
        return replace(
            reading,
            problem=f"{name} makes a pixel {best.pixel_nm:.4g} nm, the one labelled '{format_length(rival.label.value_nm)}' "
            f"{rival.pixel_nm:.4g} nm; expected one scale. {_HINT}",
        )
    if confidence < _ENOUGH:
        return replace(reading, problem=f"{name} could not be read surely enough (confidence {confidence:.2f}). {_HINT}")
    bar = best.pair.bar
    scale_bar = ScaleBar(label.value_nm, bar.x0, bar.x1, bar.y)
    return replace(reading, scale_bar=scale_bar, pixel_size_nm=best.pixel_nm)


def _agreement(width_nm: float, acquisition: Acquisition, lines: list[TextLine]) -> float:
    """How far a width of the picture agrees with what else is printed: above 1 for it, below 1 against it.

    A stated width of the field must be the picture's; a magnification must make a picture of a plausible size on a display.
    """
    stated = field_width_nm(lines)
    if stated is not None:
        return 2.0 if abs(width_nm / stated - 1) < _AGREE else 0.5
    magnification = acquisition.value("magnification")
    if magnification is None:
        return 1.0
    display_mm = width_nm * magnification / NM_PER_UNIT["mm"]
    return 1.0 if _DISPLAY_MM[0] <= display_mm <= _DISPLAY_MM[1] else 0.4


def _is_rival(other: _Scale, best: _Scale) -> bool:
    """Whether another label, at another place, states another scale about as surely."""
    is_other = _is_apart(other.label.line, best.label.line) and abs(other.pixel_nm / best.pixel_nm - 1) > _AGREE
    return is_other and other.score > max(_DOUBT, _RIVAL * best.score)


def _is_apart(a: TextLine, b: TextLine) -> bool:
    return a.x1 < b.x0 or b.x1 < a.x0 or a.y1 < b.y0 or b.y1 < a.y0


def _why_none(grey: np.ndarray, labels: list[Label]) -> str:
    if labels:
        return f"The label '{labels[0].line.text}' stands without a scale bar; expected one beside it. {_HINT}"
    band = grey[round(0.7 * len(grey)) :]
    shrunk = min(1.0, _HINT_WIDTH / band.shape[1])
    if shrunk < 1:
        band = cv2.resize(band, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
    bars = find_bars(band, max(4, round(shrunk * len(grey)) // 25))
    if any(bar.contrast > 80 and bar.flatness > 0.85 and bar.stability > 0.6 for bar in bars):
        return f"A bar stands there without a label that could be read; expected one such as '200 nm'. {_HINT}"
    return "No scale bar was found in the picture."


def _in_order(lines: list[TextLine]) -> list[TextLine]:
    return sorted(lines, key=lambda line: (round(line.y0 / max(line.height, 1)), line.x0))
