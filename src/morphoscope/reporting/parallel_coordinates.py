"""Parallel coordinates as SVG: an axis a setting and one for the score, a line a trial, the better the stronger."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

HEIGHT = 330
_TOP, _BOTTOM, _SIDE = 44, 22, 70
_WIDTH, _LEAST_APART = 1000, 132
"""px that the axes share, and from axis to axis at least."""


@dataclass(frozen=True)
class Axis:
    """An axis from low to high, or with named places. name: of the setting. is_share: labelled in percent."""

    name: str
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    places: tuple[str, ...] = ()
    is_share: bool = False

    def place(self, value: Any) -> float:
        """Where a value stands: 0 at the bottom, 1 at the top."""
        if self.places:
            return self.places.index(str(value)) / max(1, len(self.places) - 1) if len(self.places) > 1 else 0.5
        low, high, at = self.low, self.high, float(value)
        if self.is_log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.5

    def marks(self) -> list[tuple[float, str]]:
        """Places and labels of a few values."""
        if self.places:
            return [(self.place(name), name) for name in self.places]
        if self.is_log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            inner = [10.0**power for power in range(first, last + 1)]
            values = sorted({self.low, self.high, *inner})
        else:
            values = [self.low + part * (self.high - self.low) / 4 for part in range(5)]
        return [(self.place(value), f"{100 * value:.1f} %" if self.is_share else f"{value:.3g}") for value in values]


@dataclass(frozen=True)
class Trace:
    """A trial's line. values: by axis name; where one is missing the line ends. strength: 0 to 1, None for a trial that was ended
    early."""

    label: str
    values: Mapping[str, Any]
    strength: float | None


def parallel_coordinates(axes: Sequence[Axis], traces: Sequence[Trace], title: str) -> Markup:
    """The plot; weak lines lie below strong ones."""
    apart = max(_LEAST_APART, (_WIDTH - 2 * _SIDE) // max(1, len(axes) - 1))
    width = 2 * _SIDE + apart * (len(axes) - 1)
    ordered = sorted(traces, key=lambda trace: -1.0 if trace.strength is None else trace.strength)
    marks = [_line(axes, apart, trace) for trace in ordered]
    marks += [_axis(axis, _SIDE + apart * number) for number, axis in enumerate(axes)]
    label = escape(title)
    return Markup(  # noqa: S704  # built from numbers, fixed text and escaped names
        f'<svg class="plot-parallel" role="img" aria-label="{label}" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}"><title>{label}</title>{"".join(marks)}</svg>'
    )


def _y(place: float) -> float:
    return HEIGHT - _BOTTOM - place * (HEIGHT - _TOP - _BOTTOM)


def _line(axes: Sequence[Axis], apart: int, trace: Trace) -> str:
    known = [(number, axis) for number, axis in enumerate(axes) if axis.name in trace.values]
    points = " ".join(f"{_SIDE + apart * number},{_y(axis.place(trace.values[axis.name])):.1f}" for number, axis in known)
    if trace.strength is None:
        style = 'class="early"'
    else:
        style = f'class="trial" style="opacity:{0.12 + 0.88 * trace.strength**2:.2f};stroke-width:{1 + 1.6 * trace.strength:.1f}"'
    return f'<polyline points="{points}" {style}><title>{escape(trace.label)}</title></polyline>'


def _axis(axis: Axis, x: float) -> str:
    marks = [f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" stroke="currentColor"/>']
    section, _, last = axis.name.rpartition(".")
    marks.append(f'<text x="{x}" y="14" text-anchor="middle" class="axis-name">{escape(section)}</text>')
    marks.append(f'<text x="{x}" y="28" text-anchor="middle" class="axis-name"><tspan>{escape(last)}</tspan></text>')
    for place, label in axis.marks():
        y = _y(place)
        shown = label if len(label) <= 18 else label[:17] + "…"
        marks.append(f'<path d="M{x - 3} {y:.1f}h6" stroke="currentColor"/>')
        marks.append(f'<text x="{x + 6}" y="{y + 4:.1f}" class="on-line">{escape(shown)}</text>')
    return "".join(marks)
