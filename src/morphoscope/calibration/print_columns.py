"""Columns of a maker's strip: `WD` in one row names the `9.7 mm` in the row below."""

from __future__ import annotations

import re

from morphoscope.calibration.text_reader import TextLine

_NAMES = re.compile(r"^\W*(WD|[HV]?FW|View|Field|Width|spot|Depth|Aperture|tilt|dwell|HV|pressure)", re.IGNORECASE)
_ABOVE = (0.5, 1.8)  # heights of a line between the tops of a value and of its name
_OVERLAP = 0.4


def name_above(line: TextLine, lines: list[TextLine], start: float = 0.0, end: float = 1.0) -> str:
    """The words straight above a part of a line (start and end in 0..1 of it), or an empty text."""
    x0, x1 = line.x0 + start * (line.x1 - line.x0), line.x0 + end * (line.x1 - line.x0)
    for other in lines:
        is_above = _ABOVE[0] * line.height < line.y0 - other.y0 < _ABOVE[1] * line.height
        shared = min(x1, other.x1) - max(x0, other.x0)
        is_name = not any(character.isdigit() for character in other.text)
        if is_above and is_name and shared > _OVERLAP * min(x1 - x0, other.x1 - other.x0):
            return other.text.strip()
    return ""


def is_named(line: TextLine, lines: list[TextLine]) -> bool:
    """Whether the words above a line say that it is no scale bar's label: a working distance, the width of the field."""
    return _NAMES.match(name_above(line, lines)) is not None
