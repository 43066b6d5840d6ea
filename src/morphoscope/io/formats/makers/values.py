"""How makers write values: numbers with units, dates in many orders, keys in sections; unknown is always None."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TypeVar
from xml.etree import ElementTree as ET

from morphoscope.micrograph import Evidence, InformationBar, Origin, PixelSize, Sourced
from morphoscope.units import length_unit, to_nm

T = TypeVar("T")
Shape = tuple[int, int]

_HIGHEST_BAR = 0.3
"""Rows that a maker adds below a picture for its information bar, as a share of the picture's."""
_ROUNDING = 0.02


class OtherPictureError(ValueError):
    """A text beside a picture that speaks of a picture of other proportions."""


_PREFIXES = {"p": 1e-12, "n": 1e-9, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_QUANTITY = re.compile(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(.*?)\s*$", re.DOTALL)


def decoded(value: object) -> str:
    """Text of a tag: UTF-16 with its mark, UTF-8, else Latin-1, without padding zeros."""
    if isinstance(value, bytes | bytearray):
        raw = bytes(value)
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return raw.decode("utf-16", errors="replace").rstrip("\0")
        try:
            return raw.decode("utf-8-sig").rstrip("\0")
        except UnicodeDecodeError:
            return raw.decode("latin-1").rstrip("\0")
    return str(value).rstrip("\0")


def utf16(value: object) -> str:
    """Text of a Windows XP tag: UTF-16 little-endian without a mark."""
    return bytes(value).decode("utf-16-le", errors="replace").rstrip("\0") if isinstance(value, bytes) else decoded(value)


def number(text: object) -> float | None:
    """A finite number, or None."""
    try:
        value = float(str(text).strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def positive(text: object) -> float | None:
    """A number above zero; makers write 0 and -1 for unknown."""
    value = number(text)
    return value if value is not None and value > 0 else None


def quantity(text: object, unit: str) -> tuple[float, str] | None:
    """A number and the unit behind it (`7892.3 um`), the given unit where none is written, or None without a number."""
    match = _QUANTITY.match(str(text))
    value = number(match[1]) if match else None
    if match is None or value is None:
        return None
    return value, match[2] or unit


def length_nm(text: object, unit: str = "") -> float | None:
    """A positive length in nm (`9.766 nm`, `12.5 pm`, `100nm`), or None where it isn't one."""
    found = quantity(text, unit)
    if found is None or length_unit(found[1]) is None or found[0] <= 0:
        return None
    return to_nm(*found)


def length_mm(text: object, unit: str = "") -> float | None:
    """A positive length in mm, or None."""
    nm = length_nm(text, unit)
    return scaled(nm, 1e-6)


def in_si(text: object, symbol: str) -> float | None:
    """A positive quantity in its SI unit: `in_si("5.00 kV", "V")` is 5000, `in_si("100 ns", "s")` 1e-7; None for another unit."""
    found = quantity(text, symbol)
    if found is None or found[0] <= 0 or not found[1].endswith(symbol):
        return None
    factor = _PREFIXES.get(found[1].removesuffix(symbol).strip())
    return None if factor is None else found[0] * factor


def scaled(value: float | None, factor: float) -> float | None:
    """value × factor, rounded to twelve digits so that 1e-05 s is 10 µs; None stays None."""
    return None if value is None else float(f"{value * factor:.12g}")


def sourced(value: T | None, origin: Origin) -> Sourced[T] | None:
    """The value with its origin; None and blank text are unknown."""
    return None if value is None or value == "" else Sourced(value, origin)


def pixel_size(y_nm: float | None, x_nm: float | None, origin: Origin, source: str, detail: str = "") -> PixelSize | None:
    """The pixel size from its sides; where one is unknown the pixel is taken as square, where both are the size is unknown."""
    y_nm, x_nm = y_nm or x_nm, x_nm or y_nm
    if not (y_nm and x_nm and math.isfinite(y_nm) and math.isfinite(x_nm) and y_nm > 0 and x_nm > 0):
        return None
    return PixelSize(y_nm, x_nm, origin, (Evidence(f"{origin}: {source}", x_nm, detail),))


def cross_checked(size: PixelSize | None, source: str, value_nm: float | None) -> PixelSize | None:
    """The pixel size with a second reading of its width in the same source added to the evidence."""
    if size is None or value_nm is None:
        return size
    second = Evidence(f"{size.origin}: {source}", value_nm)
    return PixelSize(size.y_nm, size.x_nm, size.origin, (*size.evidence, second))


def bar_below(picture_rows: float | None, shape: Shape) -> InformationBar | None:
    """The strip of rows that the maker put below the picture, or None where there are none."""
    if picture_rows is None or not shape[0] / 2 < picture_rows < shape[0]:
        return None
    return InformationBar(int(picture_rows), shape[0] - int(picture_rows), "bottom")


def check_proportions(rows: float | None, columns: float | None, shape: Shape) -> None:
    """Raises OtherPictureError where a picture of `shape`, whatever it was resized to, can't be the one of these rows and columns."""
    if rows is None or columns is None:
        return
    expected = rows * shape[1] / columns
    if not (1 - _ROUNDING) * expected - 1 <= shape[0] <= (1 + _HIGHEST_BAR) * expected + 1:
        raise OtherPictureError(f"{rows:.0f} × {columns:.0f}")


def iso_date(text: str, *patterns: str) -> str | None:
    """ISO 8601 of a date, or date and time, that fits one of the strptime patterns."""
    for pattern in patterns:
        try:
            moment = datetime.strptime(text.strip(), pattern)  # makers write local time without a zone
        except ValueError:
            continue
        return moment.isoformat() if "%M" in pattern else moment.date().isoformat()
    return None


def sections(text: str) -> dict[str, dict[str, str]]:
    """`[Section]` / `key=value` text; keys before any section are under the empty name."""
    found: dict[str, dict[str, str]] = {"": {}}
    current = found[""]
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            current = found.setdefault(line[1:-1], {})
        elif "=" in line:
            key, _, value = line.partition("=")
            current[key.strip()] = value.strip()
    return found


def xml_root(text: str) -> ET.Element:
    """The root element, without what makers leave around the XML and the control characters in it. Raises ParseError."""
    text = _CONTROL.sub("", text[text.find("<") : text.rfind(">") + 1])
    if "<!ENTITY" in text:
        raise ET.ParseError("entity declarations are refused")
    return ET.fromstring(text)  # noqa: S314 (no entities, so nothing expands)


def xml_text(element: ET.Element, path: str) -> str | None:
    """The stripped text at a path of local names, or None."""
    found = element.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return found.text.strip() if found is not None and found.text else None
