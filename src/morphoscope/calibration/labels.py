"""Labels of scale bars among the lines of print: read several times over, so that a slip is outvoted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from morphoscope.calibration.bars import Bar
from morphoscope.calibration.label_text import cleaned, find_lengths, is_bare_unit, parse_label
from morphoscope.calibration.picture_text import read_box
from morphoscope.calibration.print_columns import is_named
from morphoscope.calibration.text_reader import TextLine

_AGAIN = ((0.0, 1.0), (0.15, 1.0), (0.0, 0.6), (0.1, 2.0))  # margin in heights, and zoom of each further reading
_AGAIN_IN_INK = ((0.1, 1.0), (0.3, 1.0))
_DOT_SHARE = 0.2
_WIDER = 2.5  # heights to the left of a unit where its number stands
_SAME = 0.01


@dataclass(frozen=True)
class Label:
    """A length that a scale bar may have, its place, and how sure the reading is (0..1)."""

    line: TextLine
    value_nm: float
    trust: float


def find_labels(grey: np.ndarray, lines: list[TextLine]) -> list[Label]:
    """Lengths printed in a picture, from its lines of text, those read most surely first."""
    found = []
    for line in _joined(lines):
        length = parse_label(line.text)
        if length is not None:
            if not is_named(line, lines):
                found.append(Label(line, length.value_nm, length.trust * line.score))
            continue
        if is_bare_unit(line.text):
            wide = read_box(grey, line, wider=_WIDER)
            length = parse_label(wide.text)
            if length is not None:
                found.append(Label(replace(wide, x1=line.x1), length.value_nm, length.trust * wide.score))
            continue
        span = line.x1 - line.x0
        for within in find_lengths(line.text):
            place = replace(line, x0=line.x0 + within.start * span, x1=line.x0 + within.end * span)
            found.append(Label(place, within.value_nm, 0.9 * within.trust * line.score))
    return sorted(found, key=lambda label: -label.trust)


def read_again(grey: np.ndarray, label: Label, bar: Bar, same: Sequence[Label] = ()) -> Label:
    """The label with the value that most of several readings give, and the share of their votes as trust.

    Some of them see the label in the ink of its bar alone, without the specimen behind it. same: earlier readings of it.
    """
    votes: dict[float, float] = defaultdict(float)
    for earlier in (label, *same):
        votes[_voted(votes, earlier.value_nm)] += earlier.trust
    cast = sum(max(earlier.trust, 0.5) for earlier in (label, *same))
    in_ink = ink_only(grey, bar)
    for picture, margin, zoom in [(grey, *again) for again in _AGAIN] + [(in_ink, *again) for again in _AGAIN_IN_INK]:
        line = read_box(picture, label.line, margin=margin, zoom=zoom)
        length = parse_label(line.text)
        if length is not None:
            votes[_voted(votes, length.value_nm)] += length.trust * line.score
            cast += line.score
        elif picture is grey:
            cast += 0.5
    value, won = max(_dotted(votes).items(), key=lambda item: item[1])
    return replace(label, value_nm=value, trust=min(1.0, won / cast))


def _voted(votes: dict[float, float], value: float) -> float:
    """The value itself, or the one among the votes that it equals but for rounding."""
    return next((known for known in votes if abs(known / value - 1) < _SAME), value)


def ink_only(grey: np.ndarray, bar: Bar) -> np.ndarray:
    """The picture (Y, X) as black print on white, where print is whatever is as bright, or as dark, as the bar."""
    y0, y1, x0, x1 = round(bar.y0), max(round(bar.y1), round(bar.y0) + 1), round(bar.x0), round(bar.x1)
    ink = float(np.median(grey[y0:y1, max(x0, 0) : x1]))
    half = min(bar.contrast, 128.0) / 2
    is_ink = grey >= ink - half if bar.is_bright else grey <= ink + half
    return np.where(is_ink, 0, 255).astype(np.uint8)


def _dotted(votes: dict[float, float]) -> dict[float, float]:
    """The votes with those for ten times a value given to it: a reader loses a decimal point, it doesn't invent one."""
    out = dict(votes)
    for value in sorted(votes):
        greater = next((v for v in out if abs(v / (10 * value) - 1) < _SAME), None)
        if greater is not None and votes[value] >= _DOT_SHARE * votes[greater]:
            out[value] += out.pop(greater)
    return out


def _joined(lines: list[TextLine]) -> list[TextLine]:
    """The lines, and each number with the unit that was found as a line of its own."""
    out = list(lines)
    for number in lines:
        if not cleaned(number.text).replace(".", "").isdigit():
            continue
        for unit in lines:
            gap = unit.x0 - number.x1
            is_level = abs(unit.y0 + unit.y1 - number.y0 - number.y1) < number.height
            if is_bare_unit(unit.text) and is_level and -0.5 * number.height < gap < 1.5 * number.height:
                text, score = f"{cleaned(number.text)} {unit.text}", min(number.score, unit.score)
                box = min(number.y0, unit.y0), unit.x1, max(number.y1, unit.y1)
                out.append(TextLine(text, score, number.x0, box[0], box[1], box[2]))
    return out
