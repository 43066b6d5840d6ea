"""Label and metadata sheets as people write them: csv of any separator and encoding, xlsx, xlsm. Every cell is read as text."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import openpyxl
import pandas as pd
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from morphoscope.errors import LabelSheetError, did_you_mean

FILENAME = "filename"
FILENAME_ALIASES = (FILENAME, "file", "image", "imagename", "path")
"""Headings taken as the filename column, the first of them that is there; case, blanks, `_` and `-` don't count."""

SEPARATORS = ",;\t|"
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")
SHEET_SUFFIXES = (*WORKBOOK_SUFFIXES, ".csv", ".tsv", ".txt")
MAX_ROWS_ABOVE_HEADER = 20
ZIP_SIGNATURE = b"PK\x03\x04"
OLE2_SIGNATURE = b"\xd0\xcf\x11\xe0"
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")

Rows = list[tuple[int, list[str]]]
"""Row numbers as a spreadsheet shows them, each with its stripped cells; blank rows left out."""


def read_sheet(path: Path) -> pd.DataFrame:
    """All cells as stripped text, blank = "" ("NA" and "None" are text like any other); the index is the row as the user sees it.

    The filename column is called `filename` whatever its heading was (FILENAME_ALIASES). In a workbook the first sheet that
    has one is read. Decimal commas become points in columns that hold nothing but numbers.
    Raises LabelSheetError for a sheet that can't be read, has no filename column, no rows, or contradicts itself.
    """
    if not path.is_file():
        raise LabelSheetError(f"{path}: there is no such sheet; expected a csv, xlsx or xlsm file.{_nearby(path)}")
    if path.suffix.lower() not in SHEET_SUFFIXES:
        raise LabelSheetError(
            f"{path}: '{path.suffix}' is no kind of sheet; expected .csv, .xlsx or .xlsm. Save it as one of these."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabelSheetError(
            f"{path}: the sheet can't be opened ({error.strerror}); expected a readable file. Close it where it is open."
        ) from error
    if content.startswith((ZIP_SIGNATURE, OLE2_SIGNATURE)) or path.suffix.lower() in WORKBOOK_SUFFIXES:
        return _table(path, _workbook_rows(path, content), is_comma_separated=False)
    rows, separator = _text_rows(path, content)
    return _table(path, rows, is_comma_separated=separator == ",")


def _nearby(path: Path) -> str:
    siblings = path.parent.iterdir() if path.parent.is_dir() else ()
    return did_you_mean(path.name, (p.name for p in siblings if p.suffix.lower() in SHEET_SUFFIXES))


def _text_rows(path: Path, content: bytes) -> tuple[Rows, str]:
    """The rows and the separator under which the header has a filename column, the one with most columns if several do."""
    text = _decoded(content)
    readings = {separator: _separated(text, separator) for separator in SEPARATORS}

    def fit(separator: str) -> tuple[bool, int]:
        rows, _ = readings[separator]
        position = _header_position(rows)
        return position is not None, len(rows[position or 0][1]) if rows else 0

    best = max(SEPARATORS, key=fit)
    rows, complaint = readings[best]
    if complaint:
        raise LabelSheetError(f"{path} {complaint}; expected quotes in pairs around a cell. Correct that row.")
    return rows, best


def _separated(text: str, separator: str) -> tuple[Rows, str]:
    """The rows, up to the first that is none and then what is wrong with it."""
    rows: list[list[str]] = []
    try:
        # strict: a quote that is never closed would swallow the rest of the sheet
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append(row)
    except csv.Error as error:
        return _numbered(iter(rows)), f"row {len(rows) + 1}: {error}"
    return _numbered(iter(rows)), ""


def _decoded(content: bytes) -> str:
    """Text from UTF-8 or UTF-16 with or without a mark, else from Windows' Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if content[1:2] == b"\0":
        return content.decode("utf-16-le", errors="replace")
    if content[:1] == b"\0":
        return content.decode("utf-16-be", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _numbered(rows: Iterator[list[str]]) -> Rows:
    stripped = ((number, [cell.strip() for cell in cells]) for number, cells in enumerate(rows, start=1))
    return [(number, cells) for number, cells in stripped if any(cells)]


def _workbook_rows(path: Path, content: bytes) -> Rows:
    """The rows of the first sheet with a filename column, or of the first sheet at all."""
    if content.startswith(OLE2_SIGNATURE):
        raise LabelSheetError(
            f"{path}: the workbook is password-protected or of the old .xls format; expected a plain .xlsx. Save it as one."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # drop-down lists and styles that openpyxl doesn't keep
            values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
            sheets = [_sheet_rows(path, sheet, formulas[sheet.title]) for sheet in values.worksheets]
    except (BadZipFile, zlib.error, InvalidFileException, KeyError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise LabelSheetError(
            f"{path}: the workbook is damaged or incomplete ({error}); expected a readable .xlsx. Save or copy it again."
        ) from error
    return next((rows for rows in sheets if _header_position(rows) is not None), sheets[0] if sheets else [])


def _sheet_rows(path: Path, values: Any, formulas: Any) -> Rows:
    for sheet in (values, formulas):
        sheet.reset_dimensions()  # some programs write wrong ones
    rows = []
    for number, (shown, written) in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=True), start=1):
        for column, (cell, source) in enumerate(zip(shown, written, strict=True), start=1):
            where = f"{path} row {number} column {get_column_letter(column)}"
            if cell.data_type == "e":
                raise LabelSheetError(f"{where} holds the formula error {cell.value}; expected a value. Mend the formula.")
            if cell.value is None and source.data_type == "f":
                raise LabelSheetError(
                    f"{where} holds the formula {source.value} without a result; expected a value. Open and save it in Excel."
                )
        rows.append([_as_text(cell.value) for cell in shown])
    return _numbered(iter(rows))


def _as_text(value: Any) -> str:
    """A workbook cell as its user reads it: 3.0 is `3`, a date is ISO 8601, blank is empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value)


def _plain(heading: str) -> str:
    return re.sub(r"[\s_-]", "", heading).casefold()


def _header_position(rows: Rows) -> int | None:
    """Position of the first row with a filename heading; a title may stand above it."""
    above = range(min(len(rows), MAX_ROWS_ABOVE_HEADER))
    return next((i for i in above if any(_plain(cell) in FILENAME_ALIASES for cell in rows[i][1])), None)


def _table(path: Path, rows: Rows, *, is_comma_separated: bool) -> pd.DataFrame:
    if not rows:
        raise LabelSheetError(f"{path}: the sheet is empty; expected a header with a '{FILENAME}' column and a row per image.")
    position = _header_position(rows)
    if position is None:
        found = [cell for cell in rows[0][1] if cell]
        close = did_you_mean(FILENAME, found)
        raise LabelSheetError(
            f"{path} row {rows[0][0]}: no column is called '{FILENAME}'; found {', '.join(found)}. "
            f"Call the column with the image names '{FILENAME}'.{close}"
        )
    header_number, header = rows[position]
    body = rows[position + 1 :]
    if not body:
        raise LabelSheetError(f"{path}: the sheet has a header but no rows; expected a row per image.")
    names = _column_names(path, header_number, header)
    cells = [_fitted(path, number, row, len(names)) for number, row in body]
    table = pd.DataFrame(cells, columns=names, index=pd.Index([number for number, _ in body], name="row"), dtype=str)
    unused = [name for name, heading in zip(names, header, strict=True) if not heading and (table[name] == "").all()]
    table = table.drop(columns=unused)
    nameless = table.index[table[FILENAME] == ""]
    if len(nameless):
        raise LabelSheetError(
            f"{path} row {nameless[0]} has values but no '{FILENAME}'; expected an image name. Fill it or clear the row."
        )
    return table.apply(_with_decimal_points, is_comma_separated=is_comma_separated)


def _column_names(path: Path, number: int, header: list[str]) -> list[str]:
    """The headings with the filename column renamed and nameless columns called after their letter."""
    headings = [_plain(cell) for cell in header]
    alias = next(alias for alias in FILENAME_ALIASES if alias in headings)
    names = [cell or f"unnamed column {get_column_letter(i)}" for i, cell in enumerate(header, start=1)]
    names[headings.index(alias)] = FILENAME
    seen: dict[str, str] = {}
    for i, name in enumerate(names, start=1):
        letter = get_column_letter(i)
        if name.casefold() in seen:
            raise LabelSheetError(
                f"{path} row {number}: columns {seen[name.casefold()]} and {letter} are both called '{name}'; "
                "expected every heading once. Rename one of them."
            )
        seen[name.casefold()] = letter
    return names


def _fitted(path: Path, number: int, cells: list[str], width: int) -> list[str]:
    """The cells padded to the header's width."""
    if any(cells[width:]):
        raise LabelSheetError(
            f"{path} row {number} has {len(cells)} cells; expected {width} as in the header. "
            "Put cells that contain the separator in quotes."
        )
    return (cells + [""] * width)[:width]


def _with_decimal_points(column: pd.Series, *, is_comma_separated: bool) -> pd.Series:
    """The column with `2,5` written `2.5` where all of it is numbers; a quoted `1,200` in a comma-separated file is 1200."""
    filled = column[column != ""]
    with_comma = filled[filled.str.contains(",", regex=False)]
    if with_comma.empty or column.name == FILENAME or not filled.str.fullmatch(NUMBER).all():
        return column
    if is_comma_separated and with_comma.str.fullmatch(THOUSANDS_COMMA).all():
        return column.str.replace(",", "", regex=False)
    if with_comma.str.fullmatch(DECIMAL_COMMA).all():
        return column.str.replace(",", ".", regex=False)
    return column
