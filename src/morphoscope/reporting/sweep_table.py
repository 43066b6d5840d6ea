"""sweep.csv: a trial a row, with its score, what it took, and every setting; those that were swept first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from morphoscope.reporting.page_text import settings
from morphoscope.training.recipe import Recipe
from morphoscope.training.sweep.space import Parameter

if TYPE_CHECKING:
    from morphoscope.training.sweep.search import Record

_FIGURES = ("validation_accuracy", "train_accuracy", "validation_loss", "epochs", "best_epoch", "parameters", "minutes")


def sweep_table(records: Sequence[Record], start: Recipe, space: Sequence[Parameter], tasks: Sequence[str]) -> str:
    """The table as text."""
    constant = settings(start.model_dump(mode="json", exclude={"data"}))
    swept = [one.name for one in space]
    columns = ["trial", "state", *_FIGURES, *swept, *(f"validation_accuracy[{task}]" for task in tasks)]
    columns += [*(name for name in constant if name not in swept and name not in columns), "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for record in records:
        row: dict[str, Any] = {name: _cell(value) for name, value in (constant | record.values).items()}
        row |= {"trial": record.number, "state": record.state, "error": record.error}
        if record.score:
            row |= {name: getattr(record.score, name) for name in _FIGURES}
            row |= {f"validation_accuracy[{task}]": share for task, share in record.score.by_task.items()}
        writer.writerow(row)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value
