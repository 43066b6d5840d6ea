"""Magnification from a file's name: `_1200000X_`, `x50k`, `10.00KX`, `1200倍`, `MAG_5000`. Precision before recall."""

from __future__ import annotations

import re

_WHOLE = r"(?P<number>[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)"
_DECIMAL = r"(?P<number>\d+(?:[.,]\d+)?)\s?(?P<prefix>[kKM])"
_TIMES = "[xX×]"
_NOT_AFTER = r"(?<![A-Za-z0-9.,])"
_NOT_BEFORE = r"(?![A-Za-z0-9]|[.,]\d)"
_MAG = r"(?<![A-Za-z])[Mm](?:ag|AG)(?:nification|NIFICATION)?[ _=:-]{0,3}"
# Each with the least magnification that it may mean: a bare `x12` is more often a count than a magnification.
_PATTERNS = (
    (re.compile(rf"{_NOT_AFTER}{_DECIMAL}\s?{_TIMES}{_NOT_BEFORE}"), 10),
    (re.compile(rf"{_NOT_AFTER}{_TIMES}\s?{_DECIMAL}{_NOT_BEFORE}"), 10),
    (re.compile(rf"{_MAG}{_TIMES}?{_DECIMAL}{_NOT_BEFORE}"), 10),
    (re.compile(rf"{_MAG}{_TIMES}?{_WHOLE}\s?{_TIMES}?{_NOT_BEFORE}"), 10),
    (re.compile(rf"{_NOT_AFTER}{_WHOLE}倍"), 10),
    (re.compile(rf"{_NOT_AFTER}{_WHOLE}\s?{_TIMES}{_NOT_BEFORE}"), 100),
    (re.compile(rf"{_NOT_AFTER}{_TIMES}{_WHOLE}{_NOT_BEFORE}"), 100),
)
_PREFIXES = {"k": 1e3, "m": 1e6}
_HIGHEST = 5e6
_IMAGE_SIZE = re.compile(rf"\d+(\s?){_TIMES}\1\d+(?:{_TIMES}\d+)*[A-Za-z0-9]*")
_COORDINATE = re.compile(r"(?<![A-Za-z0-9])[yY][_-]?\d+")
_EXTENSION = re.compile(r"\.[A-Za-z]{2,4}\d?$")


def magnification_from_name(name: str) -> float | None:
    """The nominal magnification that a file name states, or None where it states none, or two that disagree.

    Image sizes (`1024x768`), coordinates (`x100_y200`), counts (`x1`) and dates are no magnifications.
    """
    stem = _IMAGE_SIZE.sub("\0", _EXTENSION.sub("", name))
    if _COORDINATE.search(stem):
        return None
    found = {value for pattern, least in _PATTERNS for value in _values(pattern, stem) if least <= value <= _HIGHEST}
    if not found or max(found) > 1.03 * min(found):
        return None
    return min(found)


def _values(pattern: re.Pattern[str], stem: str) -> list[float]:
    values = []
    for match in pattern.finditer(stem):
        prefix = match.groupdict().get("prefix")
        number = match["number"].replace(",", "." if prefix else "")
        values.append(float(number) * _PREFIXES.get((prefix or "").lower(), 1.0))
    return values
