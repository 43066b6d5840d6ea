"""The optional schema file: which tasks there are, their allowed classes, and the order of both."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphoscope.data.columns import find_column
from morphoscope.errors import LabelSheetError
from morphoscope.schema import Schema


@dataclass(frozen=True)
class TaskDefinition:
    """What is known of a task before its column is read. is_multilabel None: as the cells turn out."""

    name: str
    classes: tuple[str, ...]
    is_multilabel: bool | None = None


def read_schema_file(path: Path) -> tuple[TaskDefinition, ...]:
    """The tasks of a TOML file in its order.

        [tasks.Morphology]
        classes = ["Sphere", "Cube", "Rod"]
        multilabel = false  # optional

    Raises LabelSheetError for a file that can't be read or says something else.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LabelSheetError(
            f"{path}: the schema file can't be read ({error.strerror}); expected a TOML file. Check its name."
        ) from error
    except ValueError as error:  # also what tomllib and the decoder raise
        raise LabelSheetError(f"{path}: {error}; expected TOML in UTF-8. Mend that place.") from error
    tasks = document.get("tasks")
    if not isinstance(tasks, dict) or not tasks:
        found = ", ".join(document) or "nothing"
        raise LabelSheetError(f"{path}: found {found}; expected a table [tasks.NAME] with 'classes' for every task. Add one.")
    return tuple(_definition(path, name, table) for name, table in tasks.items())


def _definition(path: Path, name: str, table: Any) -> TaskDefinition:
    where = f"{path} [tasks.{name}]"
    classes = table.get("classes") if isinstance(table, dict) else None
    if not isinstance(classes, list) or len(classes) < 2 or not all(isinstance(each, str) and each.strip() for each in classes):
        raise LabelSheetError(f"{where}: 'classes' is {classes!r}; expected a list of two or more names. Write one.")
    if len(set(classes)) < len(classes):
        twice = next(each for each in classes if classes.count(each) > 1)
        raise LabelSheetError(f"{where}: the class '{twice}' is listed twice; expected every class once. Delete one.")
    is_multilabel = table.get("multilabel")
    if is_multilabel not in (None, True, False):
        raise LabelSheetError(f"{where}: 'multilabel' is {is_multilabel!r}; expected true or false. Correct it.")
    return TaskDefinition(name, tuple(each.strip() for each in classes), is_multilabel)


def definitions_by_column(
    columns: Sequence[str], source: str, schema_file: Path | None = None, schema: Schema | None = None
) -> dict[str, TaskDefinition]:
    """What a schema file, or a model's schema, says of the columns of a label sheet; empty without either.

    Raises LabelSheetError for a task of the file that no column has, or a model none of whose tasks has a column.
    """
    if schema is not None:
        tasks = {task.name: TaskDefinition(task.name, task.classes, task.is_multilabel) for task in schema.tasks}
        known = {column: tasks[column] for column in columns if column in tasks}
        if not known:
            raise LabelSheetError(
                f"{source}: no column is a task of the model; found {', '.join(columns)}; expected one of {', '.join(tasks)}. "
                "Call the column like the task."
            )
        return known
    definitions = read_schema_file(schema_file) if schema_file else ()
    return {find_column(each.name, columns, source, str(schema_file)): each for each in definitions}
