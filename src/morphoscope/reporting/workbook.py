"""predictions.xlsx: the twin of predictions.csv for people who open it in a spreadsheet program."""

from __future__ import annotations

import csv
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from morphoscope.errors import OutputError
from morphoscope.reporting.predictions_table import number_columns
from morphoscope.schema import Schema

MAX_ROWS = 1_048_576
_WIDEST = 60


def write_workbook(table: Path, schema: Schema) -> Path:
    """The .xlsx beside a predictions.csv: header frozen, numbers as numbers, every text as text and never a formula.

    Raises OutputError for more rows than a sheet can hold, and where the file can't be written.
    """
    path = table.with_suffix(".xlsx")
    header, widths, n_rows = _measure(table)
    if n_rows > MAX_ROWS:
        raise OutputError(
            f"{path}: {n_rows} rows; expected at most {MAX_ROWS}, which is all that a sheet can hold. Use {table.name} instead."
        )
    numbers = number_columns(schema)
    is_number = [column in numbers for column in header]
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("predictions")
    for index, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = min(_WIDEST, width + 2)
    sheet.freeze_panes = "B2"
    sheet.append([_text(sheet, name, is_bold=True) for name in header])
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            sheet.append([_cell(sheet, text, number) for text, number in zip(row, is_number, strict=True)])
    try:
        workbook.save(path)
    except OSError as error:
        raise OutputError(
            f"{path}: the workbook can't be written ({error.strerror}); expected a writable place, and the file not open "
            f"elsewhere. Close it or choose another --out; {table.name} holds the same."
        ) from error
    return path


def _measure(table: Path) -> tuple[list[str], list[int], int]:
    """The header, the longest text of each column, and the number of rows with the header."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        widths, n_rows = [len(name) for name in header], 1
        for row in rows:
            n_rows += 1
            widths = [max(width, len(text)) for width, text in zip(widths, row, strict=True)]
    return header, widths, n_rows


def _cell(sheet: WriteOnlyWorksheet, text: str, is_number: bool) -> WriteOnlyCell | float | None:
    if not text:
        return None
    return float(text) if is_number else _text(sheet, text)


def _text(sheet: WriteOnlyWorksheet, text: str, is_bold: bool = False) -> WriteOnlyCell:
    """A cell that stays text: openpyxl reads a leading `=` as a formula, spreadsheet programs also + - @ once edited."""
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = "s"
    if text.startswith(("=", "+", "-", "@")):
        cell.quotePrefix = True
    if is_bold:
        cell.font = Font(bold=True)
    return cell
