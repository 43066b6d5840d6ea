"""The table of a watch: predictions.csv with a few columns more, which a later watch of the same source goes on with."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from morphoscope.apps.watching.source import Version
from morphoscope.errors import OutputError
from morphoscope.reporting.predictions_table import PredictionsTable, Row, prediction_columns
from morphoscope.schema import Schema

WATCH_COLUMNS = ["time", "frame", "seconds", "latency_ms", "size_bytes", "modified", "found", "found_p"]


class RowsFile:
    """A table that a row is added to as soon as a picture is answered.

    known: files of earlier rows by absolute path, with the content that was answered. known_until: when the last row was
    written, in seconds since the epoch; None for a new table. last_frames: by the name of a video, its last frame answered.
    """

    def __init__(self, path: Path, schema: Schema, overwrite: bool = False) -> None:
        """Raises OutputError where the table belongs to another model, or can't be written."""
        self.known: dict[Path, Version] = {}
        self.known_until: float | None = None
        self.last_frames: dict[Path, int] = {}
        columns = prediction_columns(schema) + WATCH_COLUMNS
        if path.is_dir():
            raise OutputError(f"--out {path}: it is a folder; expected a file name such as {path / 'rows.csv'}. Add the name.")
        goes_on = path.is_file() and path.stat().st_size > 0 and not overwrite
        if goes_on:
            _cut_unfinished_line(path)
            goes_on = self._remember(path, columns)
        self._make_folder(path)
        self._table = PredictionsTable(path, columns, append=goes_on)

    def write(self, row: Row) -> None:
        """Adds a row, which is on disk when this returns. Raises OutputError."""
        self._table.write([row])

    def __enter__(self) -> Self:
        self._table.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._table.__exit__(kind, error, trace)

    def _remember(self, path: Path, columns: list[str]) -> bool:
        """Whether there is a table to go on with: not one whose header was cut off."""
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not rows.fieldnames:
                return False
            if list(rows.fieldnames) != columns:
                raise OutputError(
                    f"--out {path}: the file has other columns than this model's rows; expected a table that the same model began. "
                    "Choose another --out, or add --overwrite."
                )
            for row in rows:
                self._remember_row(row)
        return True

    def _remember_row(self, row: dict[str, str]) -> None:
        path = Path(row["path"]).absolute()
        if row["modified"] and row["size_bytes"].isdecimal():
            self.known[path] = Version(int(row["size_bytes"]), row["modified"])
        elif row["frame"].isdecimal():
            self.last_frames[path] = int(row["frame"])
        try:
            self.known_until = datetime.fromisoformat(row["time"]).timestamp()
        except ValueError:  # edited by hand: the row's file is known all the same
            return

    def _make_folder(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"--out {path}: its folder can't be made ({error.strerror}); expected a place to write. Choose another --out."
            ) from error


def _cut_unfinished_line(path: Path) -> None:
    """Takes away what a crash left of its last row. Raises OutputError."""
    try:
        with path.open("r+b") as file:
            content = file.read()
            if not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
    except OSError as error:
        raise OutputError(
            f"--out {path}: can't be written ({error.strerror}); expected a table to go on with. Choose another --out."
        ) from error
