"""The length that a scale bar's label states, out of text with a reader's usual confusions."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace

from morphoscope.units import to_nm

_ALIKE = {
    "O": "0",
    "o": "0",
    "Q": "0",
    "D": "0",
    "l": "1",
    "I": "1",
    "|": "1",
    "i": "1",
    "S": "5",
    "s": "5",
    "Z": "2",
    "z": "2",
    "B": "8",
}
_DIGIT = "[0-9" + re.escape("".join(_ALIKE)) + "]"
_NUMBER = rf"(?P<number>{_DIGIT}{{1,4}}(?:\s?[.,·]\s?{_DIGIT}{{1,3}})?)"
_WHOLE = re.compile(rf"^{_NUMBER}\s?\.?\s*(?P<unit>[^\W\d_][^\d]{{0,3}}?)(?P<dirt>[\dlIi|!]?)$")
_WITHIN = re.compile(r"(?<![\w.,=:])(?P<number>\d{1,4}(?:\.\d{1,3})?)\s?(?P<unit>nm|µm|um|mm)(?!\w)")
_NAMED = re.compile(r"(WD|HFW|VFW|FW|[Ww]idth|[Ff]ield|[Ss]ize|[Aa]perture|[Dd]epth|[Hh]eight|[=:])\W*$")
_BARE_UNIT = re.compile(r"^[nuµpm]\s?m$")

_SURE, _LIKELY, _GUESS = 1.0, 0.6, 0.25
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("nm", "µm", "um", "mm", "Å"), ("", _SURE)),
    "pm": ("µm", 0.45),  # most often µm, now and then nm
    **dict.fromkeys(("ym", "jm", "µn", "µrn", "µ", "urn", "ur", "un"), ("µm", _LIKELY)),
    **dict.fromkeys(("nn", "nrn", "rnm", "rm", "rim", "nr", "mn"), ("nm", _LIKELY)),
    **dict.fromkeys(("hm", "vm", "lm", "am", "gm", "ųm", "µi", "µn1"), ("µm", _GUESS)),
    **dict.fromkeys(("n", "ni", "im", "om", "m"), ("nm", _GUESS)),
    "A": ("Å", _LIKELY),
}
_MANTISSAS = {1.0: 1.0, 2.0: 1.0, 5.0: 1.0, 2.5: 0.9, 3.0: 0.9, 4.0: 0.9, 1.5: 0.8, 6.0: 0.8, 8.0: 0.8, 3.5: 0.8, 7.5: 0.7}
_MANTISSAS |= {1.2: 0.6, 4.5: 0.6, 7.0: 0.6, 9.0: 0.6}
_LEAST_NM, _GREATEST_NM = 0.2, 1e7
_USUAL_NM = 1.0  # shorter bars are rare, measured lattice spacings are not
_MOST_MM = 5.0  # a bar of more millimetres is a misread nm


@dataclass(frozen=True)
class Length:
    """A length as printed: its value, how far the text can be trusted (0..1), and where in the line it stands (0..1)."""

    value_nm: float
    trust: float
    start: float = 0.0
    end: float = 1.0


def plain(text: str) -> str:
    """The text with one micro sign and without accents."""
    letters = unicodedata.normalize("NFKD", text.replace("\u212b", "\0").replace("\u00c5", "\0"))
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return letters.replace("\u03bc", "\u00b5").replace("\0", "\u00c5").strip()


def cleaned(text: str) -> str:
    """The plain text without what stands around letters and digits: dashes of a bar, lines of a table."""
    return re.sub(r"^[^\w(]+|[^\w)]+$", "", plain(text))


def is_bare_unit(text: str) -> bool:
    """Whether a line is a unit that lost its number."""
    return _BARE_UNIT.match(cleaned(text)) is not None


def parse_label(text: str) -> Length | None:
    """The length of a line that states nothing else (`0.5 µm`, `l00 nrn`), or None where it is no plausible bar."""
    match = _WHOLE.match(cleaned(text))
    if match is None:
        return None
    unit = re.sub(r"\W", "", match["unit"])
    length = _length(match["number"], unit)
    if length is None or not match["dirt"]:
        return length
    return replace(length, trust=length.trust * _LIKELY)


def find_lengths(text: str) -> list[Length]:
    """Lengths among other words of a line (`X25,000 1µm WD 3.1mm` has one: what a name announces is no bar)."""
    line = text.replace("μ", "µ")
    found = []
    for match in _WITHIN.finditer(line):
        if _NAMED.search(line[: match.start()]):
            continue
        length = _length(match["number"], match["unit"])
        if length is not None and match["unit"] != "mm":  # a working distance without its name
            found.append(Length(length.value_nm, length.trust, match.start() / len(line), match.end() / len(line)))
    return found


def _length(number: str, unit: str) -> Length | None:
    known = _UNITS.get(unit)
    if known is None:
        return None
    name, trust = known[0] or unit, known[1]
    digits = "".join(_ALIKE.get(c, c) for c in number.replace(" ", "").replace(",", ".").replace("·", "."))
    if digits != number.replace(" ", ""):
        trust *= _LIKELY
    if re.match(r"0\d", digits):
        return None
    value = float(digits)
    if name == "mm":
        name, trust = ("mm", _LIKELY * trust) if value <= _MOST_MM else ("nm", _GUESS * trust)
    value_nm = to_nm(value, name) if value else 0.0
    if not _LEAST_NM <= value_nm <= _GREATEST_NM:
        return None
    mantissa = value_nm / 10.0 ** math.floor(math.log10(value_nm) + 1e-9)
    trust *= _MANTISSAS.get(round(mantissa, 6), 0.0) * (1.0 if value_nm >= _USUAL_NM else 0.5)
    return Length(value_nm, trust) if trust else None
