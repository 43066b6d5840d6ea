"""A metadata sheet for files that have no label sheet: what the user knows of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from morphoscope.data.matching import NameIndex, match_rows, merge_rows
from morphoscope.errors import LabelSheetError
from morphoscope.io.label_sheet import FILENAME, read_sheet


def metadata_rows(sheet: Path, files: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """Cells by file, blank ones left out. Raises LabelSheetError where no row belongs to any file."""
    names = [path.as_posix() for path in files]
    table = read_sheet(sheet)
    rows, lost = match_rows(table, sheet, NameIndex(names, list(files)))
    if not rows:
        raise LabelSheetError(f"{sheet}: no row belongs to a file; found {lost[0]}; expected names like {files[0].name}.")
    values, _ = merge_rows(rows, table.columns.drop(FILENAME), names)
    return {files[image]: cells for image, cells in values.items()}
