"""Small plots as inline SVG, coloured by the page's style sheet so that they follow light, dark and print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from morphoscope.scores.calibration import ReliabilityBin
from morphoscope.scores.intervals import Interval

SHARE = (0.0, 1.0)
"""The range of an axis that is labelled in percent."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 10, 8, 30
"""Room around the plotting area in px: tick labels left and below."""


@dataclass(frozen=True, eq=False)
class Line:
    """A curve: (K,) x and y, nan where there is no value, and the style-sheet class of its stroke."""

    x: np.ndarray
    y: np.ndarray
    style: str = "accent"
    label: str = ""


def whisker(value: float | None, interval: Interval | None, majority: float | None = None, is_bad: bool = False) -> Markup:
    """A share as a dot with its 95 % interval on an axis from 0 to 100 %, and a tick at the majority class.

    As wide as its cell: positions are percentages, so that neither dot nor stroke is stretched.
    """
    marks = [f'<line class="grid" x1="{x}%" x2="{x}%" y1="0" y2="100%"/>' for x in (0, 25, 50, 75, 100)]
    sentence = "no picture"
    if majority is not None:
        marks.append(f'<line class="majority" x1="{_percent(majority)}" x2="{_percent(majority)}" y1="15%" y2="85%"/>')
    if value is not None:
        sentence = f"{100 * value:.1f} %"
        if interval is not None:
            low, high = map(_percent, interval)
            marks.append(f'<line class="whisker" x1="{low}" x2="{high}" y1="50%" y2="50%"/>')
            sentence += f", 95 % interval {100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"
        marks.append(f'<circle cx="{_percent(value)}" cy="50%" r="5"/>')
    if majority is not None:
        sentence += f"; majority class {100 * majority:.1f} %"
    return _svg(f"plot-whisker{' bad' if is_bad else ''}", sentence, marks)


def line_plot(
    lines: Sequence[Line],
    title: str,
    x_label: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    size: tuple[int, int] = (300, 170),
) -> Markup:
    """Curves over a common x axis; without a range x spans the values, and y the values from zero."""
    drawn = [line for line in lines if np.isfinite(line.y).any()]
    if not drawn:
        return Markup()
    x_range = x_range or _span([line.x for line in drawn])
    y_range = y_range or (0.0, _span([line.y for line in drawn])[1])
    axes = _Axes(x_range, y_range, *size)
    marks = axes.frame(x_label)
    for line in drawn:
        name = f"<title>{escape(line.label)}</title>" if line.label else ""
        marks.append(f'<path class="curve {line.style}" d="{axes.path(line.x, line.y)}">{name}</path>')
    return _svg("plot-lines", title, marks, size)


def reliability_diagram(bins: Sequence[ReliabilityBin], size: tuple[int, int] = (210, 210)) -> Markup:
    """Accuracy over confidence: on the diagonal a model means what it says; a dot's area is its number of answers."""
    axes = _Axes(SHARE, SHARE, *size)
    total = sum(b.n for b in bins)
    marks = [*axes.frame("confidence"), f'<path class="diagonal" d="{axes.path(np.array([0, 1]), np.array([0, 1]))}"/>']
    for b in bins:
        x, y = axes.point(b.confidence, b.accuracy)
        radius = 2.5 + 11 * math.sqrt(b.n / total)
        sentence = f"{b.n} answers at a mean confidence of {100 * b.confidence:.0f} %: {100 * b.accuracy:.0f} % right"
        marks.append(f'<circle class="bubble" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{sentence}</title></circle>')
    return _svg("plot-square", "Reliability diagram: accuracy over confidence", marks, size)


class _Axes:
    """A plotting area of a fixed size in px, and where data lie in it."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], width: int, height: int) -> None:
        self.x, self.y = x, y
        self.left, self.right, self.top, self.bottom = _LEFT, width - _RIGHT, _TOP, height - _BOTTOM

    def point(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)

    def path(self, x: np.ndarray, y: np.ndarray) -> str:
        """SVG path data; a gap breaks the line, and a lone value becomes a dot by its round cap."""
        commands, is_pen_up = [], True
        for x_value, y_value in zip(x, y, strict=True):
            if not np.isfinite(y_value):
                is_pen_up = True
                continue
            across, down = self.point(float(x_value), float(y_value))
            commands.append(f"{'M' if is_pen_up else 'L'}{across:.1f} {down:.1f}" + ("h0" if is_pen_up else ""))
            is_pen_up = False
        return "".join(commands)

    def frame(self, x_label: str) -> list[str]:
        """Horizontal grid lines with their values, x values, and the x axis's name."""
        marks = []
        for value in _ticks(*self.y):
            _, down = self.point(self.x[0], value)
            marks.append(f'<line class="grid" x1="{self.left}" x2="{self.right}" y1="{down:.1f}" y2="{down:.1f}"/>')
            label = _tick_label(value, self.y)
            marks.append(f'<text x="{self.left - 6}" y="{down + 3.5:.1f}" text-anchor="end">{label}</text>')
        for value in _ticks(*self.x):
            across, _ = self.point(value, self.y[0])
            label = _tick_label(value, self.x)
            marks.append(f'<text x="{across:.1f}" y="{self.bottom + 14}" text-anchor="middle">{label}</text>')
        middle = (self.left + self.right) / 2
        marks.append(f'<text class="axis-name" x="{middle}" y="{self.bottom + 27}" text-anchor="middle">{escape(x_label)}</text>')
        return marks


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values in the range."""
    if high <= low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = next(m * power for m in (1, 2, 5, 10) if (high - low) / (m * power) <= 5)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _tick_label(value: float, axis: tuple[float, float]) -> str:
    """A share in percent, anything else as it is."""
    return f"{100 * value:.0f}" if axis == SHARE else f"{value:g}"


def _span(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    values = np.concatenate([np.asarray(a, dtype=float) for a in arrays])
    values = values[np.isfinite(values)]
    return float(values.min()), float(values.max())


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _svg(style: str, title: str, marks: Sequence[str], size: tuple[int, int] | None = None) -> Markup:
    box = "" if size is None else f' viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}"'
    label = escape(title)
    # Every mark is built above from numbers, fixed text and escaped names.
    return Markup(f'<svg class="{style}" role="img" aria-label="{label}"{box}><title>{label}</title>{"".join(marks)}</svg>')  # noqa: S704
