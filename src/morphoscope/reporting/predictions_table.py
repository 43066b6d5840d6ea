"""predictions.csv: a row a picture, written as batches come in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from morphoscope.errors import OutputError
from morphoscope.micrograph import PixelSize
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import CLASS_SEPARATOR, Schema, Task

Row = dict[str, str]

_FILE_COLUMNS = ["path", "status", "error", "pixel_size_nm", "pixel_size_origin", "novelty"]


def prediction_columns(schema: Schema, has_truth: bool = False) -> list[str]:
    """The header of predictions.csv; `T.true` follows `T` where the truth is known."""
    columns = list(_FILE_COLUMNS)
    for task in schema.tasks:
        columns += [task.name, f"{task.name}.best", f"{task.name}.confidence", f"{task.name}.set"]
        columns += [f"{task.name}.true"] if has_truth else []
        columns += _probability_columns(task)
    return columns


def prediction_rows(
    paths: Sequence[str | Path],
    predictions: Sequence[ClassPrediction],
    pixel_sizes: Sequence[PixelSize | None],
    novelty: np.ndarray,
    truths: Sequence[np.ndarray] | None = None,
) -> list[Row]:
    """A row for each of N pictures that could be read.

    predictions: one a task, N rows each. novelty: (N,), nan where unknown. truths: (N, C) bool a task, where known.
    Several classes in a cell are joined with `|`.
    """
    rows = [
        {"path": str(path), "status": "ok", "error": "", "novelty": _number(new)} | _scale_cells(pixel_size)
        for path, pixel_size, new in zip(paths, pixel_sizes, novelty, strict=True)
    ]
    for index, prediction in enumerate(predictions):
        for row, cells in zip(rows, _task_cells(prediction), strict=True):
            row |= cells
        if truths is not None:
            for row, true in zip(rows, truths[index], strict=True):
                row[f"{prediction.task.name}.true"] = _joined(prediction.task, true)
    return rows


def number_columns(schema: Schema) -> set[str]:
    """The columns whose cells are numbers."""
    confidences = {f"{task.name}.confidence" for task in schema.tasks}
    return {"pixel_size_nm", "novelty"} | confidences.union(*(_probability_columns(task) for task in schema.tasks))


def error_row(path: str | Path, sentence: str) -> Row:
    """The row of a picture that could not be read."""
    return {"path": str(path), "status": "error", "error": sentence}


class PredictionsTable:
    """predictions.csv open for writing; every batch is on disk when `write` returns.

    `with PredictionsTable(path, prediction_columns(schema)) as table: table.write(rows)`. Raises OutputError.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, append: bool = False) -> None:
        """append: go on with a table that has these columns."""
        self.path = path
        try:
            # A file name that is no valid text must not end the run: it is written with its bytes escaped.
            self._file = path.open("a" if append else "w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise self._output_error(error) from error
        self._writer = csv.DictWriter(self._file, columns, restval="", lineterminator="\n")
        if not append:
            self._flushing(self._writer.writeheader)

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows and flush them."""
        self._flushing(lambda: self._writer.writerows(rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def _flushing(self, write: Callable[[], object]) -> None:
        try:
            write()
            self._file.flush()
        except OSError as error:
            with suppress(OSError):  # what a full disk left in the buffer fails again on closing
                self._file.close()
            raise self._output_error(error) from error

    def _output_error(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: the table can't be written ({error.strerror}); expected a writable place with room on the disk. "
            "Choose another --out or make room; what was written so far is kept."
        )


def _task_cells(prediction: ClassPrediction) -> list[Row]:
    task = prediction.task
    names = _probability_columns(task)
    rows = zip(
        prediction.chosen(), prediction.is_sure, prediction.confidence, prediction.in_set, prediction.probabilities, strict=True
    )
    return [
        {
            task.name: _joined(task, chosen) if is_sure else "",
            f"{task.name}.best": _joined(task, chosen),
            f"{task.name}.confidence": _number(confidence),
            f"{task.name}.set": _joined(task, in_set),
        }
        | dict(zip(names, map(_number, probabilities), strict=True))
        for chosen, is_sure, confidence, in_set, probabilities in rows
    ]


def _scale_cells(pixel_size: PixelSize | None) -> Row:
    if pixel_size is None:
        return {}
    return {"pixel_size_nm": _number(pixel_size.mean_nm), "pixel_size_origin": pixel_size.origin}


def _probability_columns(task: Task) -> list[str]:
    return [f"{task.name}.p[{name}]" for name in task.classes]


def _joined(task: Task, members: np.ndarray) -> str:
    return CLASS_SEPARATOR.join(name for name, is_member in zip(task.classes, members, strict=True) if is_member)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"
