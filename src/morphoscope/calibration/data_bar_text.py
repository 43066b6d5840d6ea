"""What a maker's strip prints: magnification, voltage, working distance, detector, date, and the width of the field."""

from __future__ import annotations

import re
from datetime import date, datetime

from morphoscope.calibration.label_text import plain
from morphoscope.calibration.print_columns import name_above
from morphoscope.calibration.text_reader import TextLine
from morphoscope.micrograph import Acquisition, Sourced
from morphoscope.units import to_nm

_NUMBER = r"(\d{1,3}(?:[ ,]\d{3})+|\d+(?:\.\d+)?)"
_MAG_AFTER = re.compile(rf"(?<![\w.,]){_NUMBER}\s?([kK])?\s?[xX×](?![\w])")
_MAG_BEFORE = re.compile(rf"(?<!\w)[xX×]\s?{_NUMBER}\s?([kK])?(?![\w.])")
_MAG_NAMED = re.compile(rf"[Mm][Aa][Gg]\w*\W*{_NUMBER}\s?([kK])?")
_KV = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d+)?)\s?[kK][eE]?[VvYy](?!\w)")
_MM = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d+)?)\s?m\s?m(?!\w)")
_WD_NAMED = re.compile(r"W[DO0]\W*(\d{1,3}(?:\.\d+)?)\s?m\s?m(?!\w)")
_LENGTH = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d+)?)\s?(nm|µm|um|mm)(?!\w)")
_FIELD_NAMED = re.compile(r"(?:HFW|[Vv]iew\s?field|Width)\W*(\d{1,4}(?:\.\d+)?)\s?(nm|µm|um|mm)(?!\w)")
_DETECTOR_NAMED = re.compile(r"(?:Signal\s?A|Det)\s?[=:]\s?([A-Za-z][\w-]*)")
_DETECTORS = re.compile(
    r"(?<![\w(])(SE2|SEI|LEI|BEI|BEC|SEM|HE-SE2|InLens|ETD|TLD|LFD|CBS|vCD|BSE-COMP|BSE|BSED|(?:SE|LM|LA|YAGBSE)\([A-Z]+\)|InBeam|SE)(?![\w(])"
)
_OTHER_BEAM = re.compile(r"(FIB|Probe|Grid|Collector)[^.]*$", re.IGNORECASE)
_LEAST_SCORE = 0.6
_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d\d)(?!\d)")
_WORDED = re.compile(r"(?<!\d)(\d{1,2})\s?([A-Z][a-z]{2})\w*\s?((?:19|20)\d\d)(?!\d)")


def acquisition_from(lines: list[TextLine]) -> Acquisition:
    """Settings printed in a picture; what is not printed, or not read surely, is None."""
    strip = _Strip([line for line in lines if line.score >= _LEAST_SCORE])
    magnification, hv, wd = strip.magnification(), strip.hv_kv(), strip.wd_mm()
    detector, day = strip.detector(), strip.date()
    return Acquisition(
        magnification=None if magnification is None else Sourced(magnification, "picture"),
        hv_kv=None if hv is None else Sourced(hv, "picture"),
        wd_mm=None if wd is None else Sourced(wd, "picture"),
        detector=None if detector is None else Sourced(detector, "picture"),
        date=None if day is None else Sourced(day, "picture"),
    )


def field_width_nm(lines: list[TextLine]) -> float | None:
    """The width of the field as a strip states it (`HFW`, `View field`, `Width`), in nm."""
    return _Strip([line for line in lines if line.score >= _LEAST_SCORE]).field_width_nm()


class _Strip:
    """Lines of print with the names of their columns: a maker may print `WD` in one row and `9.7 mm` below it."""

    def __init__(self, lines: list[TextLine]) -> None:
        self.all = lines
        self.lines = [(_cleaned(line.text), line) for line in lines]

    def magnification(self) -> float | None:
        for pattern in (_MAG_NAMED, _MAG_AFTER, _MAG_BEFORE):
            for text, _ in self.lines:
                match = pattern.search(text)
                if match is not None:
                    value = float(re.sub(r"[ ,]", "", match[1])) * (1000 if match[2] else 1)
                    if 5 <= value <= 5e6:
                        return value
        return None

    def hv_kv(self) -> float | None:
        for text, _ in self.lines:
            for match in _KV.finditer(text):
                if not _OTHER_BEAM.search(text[: match.start()]) and 0.01 <= float(match[1]) <= 400:
                    return float(match[1])
        return None

    def wd_mm(self) -> float | None:
        for text, _ in self.lines:
            match = _WD_NAMED.search(text)
            if match is not None:
                return float(match[1])
        found = []
        for text, line in self.lines:
            for match in _MM.finditer(text):
                name = self.name_of(line, match)
                if name.upper().startswith("WD"):
                    return float(match[1])
                if not name and not re.search(r"[A-Za-z]\s?[=:]\s?$", text[: match.start()]):
                    found.append(float(match[1]))
        return found[0] if len(set(found)) == 1 and found[0] >= 1.0 else None

    def field_width_nm(self) -> float | None:
        for text, line in self.lines:
            match = _FIELD_NAMED.search(text)
            if match is not None:
                return to_nm(float(match[1]), match[2])
            for match in _LENGTH.finditer(text):
                if self.name_of(line, match).upper() == "HFW":
                    return to_nm(float(match[1]), match[2])
        return None

    def detector(self) -> str | None:
        for text, _ in self.lines:
            match = _DETECTOR_NAMED.search(text)
            if match is not None:
                return match[1]
        for text, line in self.lines:
            if self.name_of(line).lower() == "det":
                return text.split()[0] if text.split() else None
        for text, _ in self.lines:
            match = _DETECTORS.search(text)
            if match is not None:
                return match[1]
        return None

    def date(self) -> str | None:
        for text, _ in self.lines:
            day = _date(text)
            if day is not None:
                return day.isoformat()
        return None

    def name_of(self, line: TextLine, match: re.Match[str] | None = None) -> str:
        """The words straight above a line, or above a match in its text."""
        if match is None:
            return name_above(line, self.all)
        letters = max(len(match.string), 1)
        return name_above(line, self.all, match.start() / letters, match.end() / letters)


def _cleaned(text: str) -> str:
    """A line without accents and table lines, with noughts for the letter O among digits."""
    return re.sub(r"(?<=\d)[oOQ]|[oOQ](?=[\d.]\d)", "0", plain(text).strip(" |"))


def _date(text: str) -> date | None:
    """A day that can be read in one way only: 2/6/2020 can't."""
    match = _ISO.search(text)
    if match is not None:
        return _day(int(match[1]), int(match[2]), int(match[3]))
    match = _WORDED.search(text)
    if match is not None:
        try:
            return datetime.strptime(f"{match[1]} {match[2]} {match[3]}", "%d %b %Y").date()
        except ValueError:
            return None
    match = _SLASHED.search(text)
    if match is not None:
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        if first > 12 or first == second:
            return _day(year, second, first)
        if second > 12:
            return _day(year, first, second)
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
