"""Grouped bars as SVG: a group a task, a bar a recipe with its 95 % interval, and the level of the majority class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from morphoscope.reporting.curve_plot import COLOURS
from morphoscope.scores.intervals import Interval

HEIGHT = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 16, 40
_GAP = 30
"""px between groups."""
_LINE = 15
"""Letters of a group's name in a line."""


@dataclass(frozen=True)
class Bar:
    """A share with its interval."""

    name: str
    value: float
    interval: Interval | None


@dataclass(frozen=True)
class BarGroup:
    """Bars that are compared, and the level that each has to beat."""

    name: str
    bars: Sequence[Bar]
    level: float | None


def bar_colour(number: int) -> str:
    """The colour of the bar with that number, the same in every group and in the legend."""
    return COLOURS[number % len(COLOURS)]


def bar_opacity(number: int) -> float:
    """Where the colours come round again, the bars are paler."""
    return 0.85 if number < len(COLOURS) else 0.45


def grouped_bars(groups: Sequence[BarGroup], title: str, *, alone: bool = False) -> Markup:
    """The chart, as wide as its bars need; shares stand on an axis from 0 to 100 %. alone: a file of its own."""
    most = max((len(group.bars) for group in groups), default=1)
    bar = 34 if most <= 4 else 24 if most <= 8 else 14
    room = max(most * bar, 92)
    width = _LEFT + _RIGHT + len(groups) * (room + _GAP)
    marks = [_grid(width)]
    for number, group in enumerate(groups):
        left = _LEFT + _GAP / 2 + number * (room + _GAP)
        marks.append(_group(group, left, room, bar))
    label = escape(title)
    namespace = ' xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="11"' if alone else ""
    return Markup(  # noqa: S704  # built from numbers, fixed text and escaped names
        f'<svg{namespace} class="plot-bars" role="img" aria-label="{label}" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}"><title>{label}</title>{"".join(marks)}</svg>'
    )


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _grid(width: int) -> str:
    marks = []
    for percent in range(0, 101, 20):
        y = _y(percent / 100)
        marks.append(f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8884"/>')
        marks.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="currentColor">{percent}</text>')
    return "".join(marks)


def _group(group: BarGroup, left: float, room: float, bar: int) -> str:
    first = left + (room - bar * len(group.bars)) / 2
    marks = [_bar(one, number, first + number * bar, bar) for number, one in enumerate(group.bars)]
    if group.level is not None:
        y = _y(group.level)
        marks.append(
            f'<line x1="{left - 4:.1f}" x2="{left + room + 4:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" '
            f'stroke-width="1.5" stroke-dasharray="5 3"><title>{escape(group.name)}: majority class {100 * group.level:.1f} %'
            "</title></line>"
        )
    for number, line in enumerate(_lines(group.name)):
        marks.append(
            f'<text x="{left + room / 2:.1f}" y="{HEIGHT - _BOTTOM + 15 + 13 * number}" text-anchor="middle" fill="currentColor">'
            f"{escape(line)}</text>"
        )
    return "".join(marks)


def _bar(one: Bar, number: int, left: float, width: int) -> str:
    top, bottom, middle = _y(one.value), _y(0.0), left + width / 2
    said = f", 95 % interval {100 * one.interval[0]:.1f} to {100 * one.interval[1]:.1f} %" if one.interval else ""
    marks = [
        f'<rect x="{left + 1.5:.1f}" y="{top:.1f}" width="{width - 3}" height="{bottom - top:.1f}" fill="{bar_colour(number)}" '
        f'opacity="{bar_opacity(number)}"><title>{escape(one.name)}: {100 * one.value:.1f} %{said}</title></rect>'
    ]
    above = top
    if one.interval:
        low, above = _y(one.interval[0]), _y(one.interval[1])
        marks.append(f'<path d="M{middle:.1f} {low:.1f}V{above:.1f}" stroke="currentColor" stroke-width="1.3" fill="none"/>')
        marks += [
            f'<path d="M{middle - 3:.1f} {y:.1f}h6" stroke="currentColor" stroke-width="1.3" fill="none"/>' for y in (low, above)
        ]
    if width >= 24:
        marks.append(
            f'<text x="{middle:.1f}" y="{above - 4:.1f}" text-anchor="middle" fill="currentColor">{100 * one.value:.0f}</text>'
        )
    return "".join(marks)


def _lines(name: str) -> list[str]:
    """A name in at most two lines."""
    if len(name) <= _LINE:
        return [name]
    words, first = name.split(" "), ""
    while words and len(f"{first} {words[0]}".strip()) <= _LINE:
        first = f"{first} {words.pop(0)}".strip()
    rest = " ".join(words)
    if not first:
        first, rest = rest[:_LINE], rest[_LINE:]
    return [first, rest if len(rest) <= _LINE else rest[: _LINE - 1] + "…"]
