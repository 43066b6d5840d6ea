"""Which pictures a sheet has labels for, so that nobody is asked for them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from morphoscope.apps.verbs.arguments import PathLike
from morphoscope.data.channel_columns import ChannelColumns
from morphoscope.data.columns import assign_roles
from morphoscope.data.label_table import LabelTable, data_set_layout, find_images, read_label_sheets
from morphoscope.data.matching import spelling_key
from morphoscope.errors import LabelSheetError, MorphoscopeError
from morphoscope.io.label_sheet import read_sheet
from morphoscope.models.branches import channel_kinds
from morphoscope.schema import Schema


@dataclass(frozen=True)
class LabelOptions:
    """The options of a command that say which cells are labels. metadata: a sheet whose columns may be the group or sample."""

    sheets: Sequence[Path] = ()
    group: str | None = None
    sample: str | None = None
    tasks: Sequence[str] = ()
    metadata: PathLike | None = None

    def check(self) -> None:
        """Raises MorphoscopeError where a column is named and no sheet that could have it."""
        named = {"--group": self.group, "--sample": self.sample, "--tasks": self.tasks}
        option = next((option for option, value in named.items() if value), None)
        if option and not self.sheets:
            raise MorphoscopeError(
                f"{option} is about the columns of a label sheet, and none is named; expected --labels SHEET beside it. Add it, or "
                f"leave {option} out."
            )


@dataclass(frozen=True)
class AlreadyLabelled:
    """Pictures with a filled cell in one of the columns `tasks`."""

    pictures: frozenset[Path] = frozenset()
    tasks: tuple[str, ...] = ()


def already_labelled(images: Sequence[Path], options: LabelOptions, schema: Schema | None) -> AlreadyLabelled:
    """The pictures that have a label for at least one task, as `train` counts them.

    schema: of the model, whose tasks alone count. Without one, what `train` would take for tasks. options.tasks goes before both.
    Raises LabelSheetError for a sheet that can't be read, names no picture, or has no such column.
    """
    folders = find_images(data_set_layout(images, options.sheets)[0])
    table = read_label_sheets(folders, options.sheets, ChannelColumns(channel_kinds()))
    wanted = options.tasks or (_columns_of(schema, table) if schema else None)
    roles = assign_roles(
        table.columns,
        source=table.source,
        further=[str(column) for column in read_sheet(Path(options.metadata)).columns] if options.metadata else (),
        group=options.group,
        sample=options.sample,
        wanted=wanted,
    )
    filled = {task: {row.image for row in table.rows if task in row.values} for task in roles.tasks}
    if wanted is None:
        # What is the same for every picture (`Microscope`) asks nothing; the same class for some of them is a beginning.
        filled = {
            task: rows
            for task, rows in filled.items()
            if len(rows) < len(folders.paths) or len({spelling_key(cell) for cell in table.columns[task]}) > 1
        }
    known = {image for rows in filled.values() for image in rows}
    return AlreadyLabelled(frozenset(folders.paths[image] for image in known), tuple(filled))


def _columns_of(schema: Schema, table: LabelTable) -> list[str]:
    tasks = {spelling_key(task.name): task.name for task in schema.tasks}
    columns = [column for column in table.columns if spelling_key(column) in tasks]
    if not columns:
        raise LabelSheetError(
            f"{table.source}: no column is a task of the model; found {', '.join(table.columns) or 'none'}; expected one of "
            f"{', '.join(tasks.values())}. Call the column like the task, or name it with --tasks."
        )
    return columns
