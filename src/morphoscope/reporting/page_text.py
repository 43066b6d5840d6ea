"""How the report prints figures: percentages, intervals, durations and counts, and a dash for what is unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from morphoscope.scores.intervals import Interval
from morphoscope.units import format_length

UNKNOWN = "–"


def percent(share: float | None, digits: int = 1) -> str:
    """`94.6 %` of a share."""
    return UNKNOWN if share is None else f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def percent_interval(interval: Interval | None) -> str:
    """`67.1–86.0` in percent."""
    return UNKNOWN if interval is None else f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"


def figure(value: float | None, digits: int = 2) -> str:
    """A number with fixed digits and a true minus sign."""
    return UNKNOWN if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def count(number: float) -> str:
    """`21 169`: thousands set apart by a thin space."""
    return f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def breakable(name: str) -> Markup:
    """A name that may break after `_ / - .` rather than in the middle of a word."""
    return Markup("<wbr>").join(re.split(r"(?<=[_/.-])", name))


def counted(number: int, noun: str) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`48 ms`, `3.2 s`, `14 min`, `2 h 05 min`."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def megabytes(mb: float) -> str:
    """`812 MB`, `1.9 GB`."""
    return f"{mb:.0f} MB" if mb < 1000 else f"{mb / 1000:.1f} GB"


def length_text(nm: float) -> str:
    """`2.5 µm` of a length in nm."""
    return format_length(nm)


def settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A nested recipe as one list of `table.name` and value."""
    flat: dict[str, Any] = {}
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{name}": inner for name, inner in settings(value).items()}
        else:
            flat[key] = value
    return flat


def setting(value: Any) -> str:
    """A value of a recipe: `0.003`, `image + texture`, `true`."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return " + ".join(map(str, value)) or "none"
    return json.dumps(value) if isinstance(value, bool) else str(value)


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        breakable,
        percent,
        percent_interval,
        figure,
        count,
        counted,
        duration,
        megabytes,
        length_text,
        setting,
        settings,
    )
}
