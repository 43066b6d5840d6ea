"""Label-efficiency curves as SVG: a line an encoder, its 95 % band, and the level of guessing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup, escape

from morphoscope.scores.intervals import Interval

WIDTH, HEIGHT = 640, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 150, 12, 40
COLOURS = ("#0b6e99", "#c2571a", "#6b6b6b", "#2f8f4e", "#8a4fa3", "#b3871b", "#c0392b", "#3d5a80")
"""Told apart by eyes that see red and green alike, with the dashes below."""
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True, eq=False)
class CurveLine:
    """An encoder's curve: means (K,) and bands at K numbers of labels a class. n_train: labels in all."""

    name: str
    per_class: list[int]
    means: np.ndarray
    bands: list[Interval | None]
    n_train: list[int]


def curve_plot(
    lines: Sequence[CurveLine], title: str, chance: float, *, axis: str = "labels a class", alone: bool = False
) -> Markup:
    """The plot; numbers of labels stand at equal distances. chance: what no learning gives, dotted. alone: a file of its own rather
    than part of a page."""
    numbers = sorted({n for line in lines for n in line.per_class})
    lowest = min([chance, *(float(line.means.min()) for line in lines), *(b[0] for line in lines for b in line.bands if b)])
    floor = max(0.0, np.floor(10 * lowest) / 10)

    def x(number: int) -> float:
        place = numbers.index(number) / max(1, len(numbers) - 1)
        return _LEFT + place * (WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return HEIGHT - _BOTTOM - (share - floor) / (1 - floor) * (HEIGHT - _TOP - _BOTTOM)

    marks = [_frame(numbers, axis, floor, x, y), _chance(chance, y)]
    ends = _spread_out([y(float(line.means[-1])) for line in lines])
    for number, line in enumerate(lines):
        colour, dash = COLOURS[number % len(COLOURS)], _DASHES[number % len(_DASHES)]
        marks.append(_drawn(line, colour, dash, x, y))
        marks.append(
            f'<text x="{WIDTH - _RIGHT + 8}" y="{ends[number] + 4:.1f}" fill="{colour}">{escape(_short(line.name))}</text>'
        )
    label = escape(title)
    namespace = ' xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"' if alone else ""
    return Markup(  # noqa: S704  # built from numbers, fixed text and escaped names
        f'<svg{namespace} class="plot-curve" role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}"><title>{label}</title>{"".join(marks)}</svg>'
    )


def _frame(numbers: Sequence[int], axis: str, floor: float, x: Callable[[int], float], y: Callable[[float], float]) -> str:
    """Grid lines in percent, numbers of labels, and the name of the axis."""
    marks = []
    for share in np.arange(floor, 1.001, 0.1):
        marks.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#8884"/>')
        marks.append(
            f'<text x="{_LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end" fill="currentColor">{100 * share:.0f}</text>'
        )
    for number in numbers:
        marks.append(
            f'<text x="{x(number):.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle" fill="currentColor">{number}</text>'
        )
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    marks.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle" fill="currentColor">{escape(axis)}</text>')
    return "".join(marks)


def _chance(chance: float, y: Callable[[float], float]) -> str:
    at = f'y1="{y(chance):.1f}" y2="{y(chance):.1f}"'
    return f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" {at} stroke="currentColor" stroke-dasharray="1 4"/>'


def _drawn(line: CurveLine, colour: str, dash: str, x: Callable[[int], float], y: Callable[[float], float]) -> str:
    points = [(x(n), y(float(mean))) for n, mean in zip(line.per_class, line.means, strict=True)]
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
    known = [(x(n), y(b[0]), y(b[1])) for n, b in zip(line.per_class, line.bands, strict=True) if b]
    area = " ".join([f"{a:.1f},{low:.1f}" for a, low, _ in known] + [f"{a:.1f},{high:.1f}" for a, _, high in reversed(known)])
    marks = [f'<polygon points="{area}" fill="{colour}" opacity=".13"/>'] if len(known) > 1 else []
    marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
    for (across, down), mean, interval in zip(points, line.means, line.bands, strict=True):
        said = f", 95 % interval {100 * interval[0]:.1f} to {100 * interval[1]:.1f} %" if interval else ""
        tip = f"{escape(line.name)}: {100 * mean:.1f} %{said}"
        marks.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{colour}"><title>{tip}</title></circle>')
    return "".join(marks)


def _spread_out(places: Sequence[float], apart: float = 15.0) -> list[float]:
    """The same heights moved until no two labels overlap, in their order."""
    order = np.argsort(places)
    moved = np.array(places, dtype=float)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + apart)
    excess = max(0.0, float(moved.max()) - (HEIGHT - _BOTTOM)) if len(moved) else 0.0
    return [float(place - excess) for place in moved]


def _short(name: str, longest: int = 24) -> str:
    """The end of a path, which tells encoders apart, with the word before a colon whole."""
    word, colon, path = name.rpartition(":")
    room = longest - len(word + colon)
    return name if len(name) <= longest or room < 1 else f"{word}{colon}…{path[-room + 1 :]}"
