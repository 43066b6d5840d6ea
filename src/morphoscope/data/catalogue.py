"""The catalogue: every labelled image of a data set with its classes, group, sample and metadata."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from morphoscope.calibration.resolve import METADATA_COLUMNS
from morphoscope.data.channel_columns import ChannelColumns, LostFile
from morphoscope.data.columns import Roles, assign_roles
from morphoscope.data.label_check import LabelCheck
from morphoscope.data.label_table import (
    ImageFolders,
    LabelTable,
    data_set_layout,
    find_images,
    read_class_folders,
    read_label_sheets,
)
from morphoscope.data.matching import merge_rows
from morphoscope.data.schema_file import TaskDefinition, definitions_by_column
from morphoscope.data.task_labels import TaskLabels, read_task, refuse_unmatched, without_hopeless
from morphoscope.errors import LabelSheetError
from morphoscope.schema import Schema

Values = Mapping[int, Mapping[str, str]]
"""Image to column to cell."""


@dataclass(frozen=True)
class Entry:
    """One image. name: its posix path relative to the images folder, unique. labels: task to classes, () where not labelled.

    metadata: its row of the metadata sheet and the label sheet's metadata columns, blank cells left out. files: of its channels.
    """

    path: Path
    name: str
    labels: dict[str, tuple[str, ...]]
    group: str | None = None
    sample: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """The images with a label for at least one task, and what the labels mean."""

    entries: tuple[Entry, ...]
    schema: Schema

    def truth(self, task_name: str) -> np.ndarray:
        """(N, C) bool, which classes each image has; a row of False is an image without a label for this task."""
        classes = self.schema.task(task_name).classes
        position = {name: column for column, name in enumerate(classes)}
        truth = np.zeros((len(self.entries), len(classes)), dtype=bool)
        for row, entry in enumerate(self.entries):
            truth[row, [position[name] for name in entry.labels.get(task_name, ())]] = True
        return truth

    def subset(self, indices: Sequence[int] | np.ndarray) -> Catalogue:
        """The catalogue of some of its images, in the order given."""
        return dataclasses.replace(self, entries=tuple(self.entries[i] for i in indices))


def load_catalogue(
    images: Sequence[Path],
    *,
    labels: Sequence[Path] = (),
    metadata: Path | None = None,
    schema_file: Path | None = None,
    schema: Schema | None = None,
    group: str | None = None,
    sample: str | None = None,
    tasks: Sequence[str] | None = None,
    unmatched: str = "error",
    channels: ChannelColumns | None = None,
    lost_files: str = "absent",
) -> tuple[Catalogue, LabelCheck]:
    """The labelled images of one or several folders, and how labels and images fit together.

    labels: one sheet for all folders, or as many sheets as folders, paired in order; without any, sub-folder names are the
    classes of one task `class`. schema_file: TOML with the allowed classes. schema: a model's, to evaluate it: its tasks and
    classes are kept whatever the labels hold. tasks: the columns to take as tasks. unmatched: `error`, or `blank` to treat
    values outside the schema as not labelled. channels: which columns name files of further inputs. lost_files: `absent` to go
    on without a channel file that isn't there, or `error`.
    Raises LabelSheetError for labels that contradict themselves, the images or the schema; ReadError without any picture.
    """
    sources = _read_sources(images, labels, metadata, channels or ChannelColumns(), min_class_folders=1 if schema else 2)
    table = sources.table
    definitions = definitions_by_column(list(table.columns), table.source, schema_file, schema)
    roles = assign_roles(
        table.columns,
        source=table.source,
        further=list(sources.metadata.columns),
        group=group,
        sample=sample,
        wanted=tasks or list(definitions) or None,
        is_wanted_by="--tasks" if tasks else "the schema",
    )
    cells = _merge(sources, roles)
    read = _read_tasks(cells.labels, roles, definitions)
    if unmatched == "error":
        refuse_unmatched(table.source, read)
    if schema is None:
        read = without_hopeless(read)
    kept = [one for one in read if not one.check.excluded]
    entries = _entries(sources, kept, roles, cells)
    check = _check(sources, roles, cells, read, entries)
    if not entries:
        raise LabelSheetError(_nothing_to_learn(check))
    if lost_files == "error":
        refuse_lost(check.lost_files)
    return Catalogue(entries, schema or Schema(tuple(one.task for one in kept))), check


@dataclass(frozen=True)
class _Sources:
    """What was read: images, the table of labels, the table of metadata (empty without a sheet), and what was assumed."""

    folders: ImageFolders
    table: LabelTable
    metadata: LabelTable
    notes: list[str]


@dataclass(frozen=True)
class _Cells:
    """Filled cells of each image that has a row of labels. all: with its row of metadata, whose columns are metadata_columns."""

    labels: Values
    all: Values
    metadata_columns: list[str]
    repeats: list[str]


def _read_sources(
    images: Sequence[Path], labels: Sequence[Path], metadata: Path | None, channels: ChannelColumns, *, min_class_folders: int
) -> _Sources:
    roots, sheets, notes = data_set_layout(images, labels)
    folders = find_images(roots)
    table = read_label_sheets(folders, sheets, channels) if sheets else read_class_folders(folders, min_classes=min_class_folders)
    further = read_label_sheets(folders, [metadata], channels) if metadata else LabelTable("", [], {}, [])
    known = [*table.columns, *table.channels.values(), *further.columns, *further.channels.values()]
    channels.refuse_missing(known, " and ".join(filter(None, (table.source, further.source))))
    return _Sources(folders, table, further, notes)


def _merge(sources: _Sources, roles: Roles) -> _Cells:
    """The cells by image. A column of the label sheet that isn't metadata there is none in the metadata sheet either."""
    table, further, names = sources.table, sources.metadata, sources.folders.names
    labels, repeats = merge_rows(table.rows, [name for name in table.columns if name not in roles.ignored], names)
    added = [name for name in further.columns if name not in table.columns or name.lower() in METADATA_COLUMNS]
    metadata, further_repeats = merge_rows(further.rows, added, names)
    return _Cells(
        labels=labels,
        all={image: {**cells, **metadata.get(image, {})} for image, cells in labels.items()},
        metadata_columns=[name for name in dict.fromkeys((*roles.metadata, *added)) if name not in (roles.group, roles.sample)],
        repeats=[*repeats, *further_repeats],
    )


def _read_tasks(values: Values, roles: Roles, definitions: Mapping[str, TaskDefinition]) -> list[TaskLabels]:
    read = []
    for column in roles.tasks:
        cells = {image: row[column] for image, row in values.items() if column in row}
        read.append(read_task(column, cells, len(values), definitions.get(column)))
    return read


def _entries(sources: _Sources, read: Sequence[TaskLabels], roles: Roles, cells: _Cells) -> tuple[Entry, ...]:
    """The images with a label for a task, in the order of the folders."""
    folders = sources.folders
    labelled = sorted({image for one in read for image in one.labels})
    return tuple(
        Entry(
            path=folders.paths[image],
            name=folders.names[image],
            labels={one.task.name: one.labels.get(image, ()) for one in read},
            group=cells.all[image].get(roles.group) if roles.group else None,
            sample=cells.all[image].get(roles.sample) if roles.sample else None,
            metadata={name: cells.all[image][name] for name in cells.metadata_columns if name in cells.all[image]},
            files=sources.table.files.get(image, {}) | sources.metadata.files.get(image, {}),
        )
        for image in labelled
    )


def _check(sources: _Sources, roles: Roles, cells: _Cells, read: Sequence[TaskLabels], entries: Sequence[Entry]) -> LabelCheck:
    names, labelled = sources.folders.names, {entry.name for entry in entries}
    return LabelCheck(
        source=sources.table.source,
        n_images=len(names),
        n_labelled=len(entries),
        tasks=[one.check for one in read],
        images_without_row=[name for image, name in enumerate(names) if image not in cells.labels],
        images_without_label=[name for image, name in enumerate(names) if image in cells.labels and name not in labelled],
        rows_without_image=[*sources.table.rows_without_image, *sources.metadata.rows_without_image],
        repeated_rows=cells.repeats,
        ignored_columns=roles.ignored,
        metadata_columns=cells.metadata_columns,
        channels={**sources.table.channels, **sources.metadata.channels},
        channel_counts=dict(Counter(channel for entry in entries for channel in entry.files)),
        lost_files=[lost.sentence for lost in _lost_files(sources, labelled)],
        notes=[*sources.notes, *_notes(sources.metadata, roles, cells, entries)],
    )


def _lost_files(sources: _Sources, labelled: Container[str]) -> list[LostFile]:
    """Of the labelled images, those that no other sheet has the channel of either."""
    files, names = (sources.table.files, sources.metadata.files), sources.folders.names
    return [
        lost
        for lost in (*sources.table.lost_files, *sources.metadata.lost_files)
        if names[lost.image] in labelled and not any(lost.channel in found.get(lost.image, {}) for found in files)
    ]


def refuse_lost(sentences: Sequence[str]) -> None:
    """Raises LabelSheetError where channel files can't be used."""
    if sentences:
        more = f" And {len(sentences) - 1} more." if len(sentences) > 1 else ""
        raise LabelSheetError(
            f"{sentences[0]}; expected every channel file that a sheet names.{more} Put the files there, blank the cells, or take them "
            "for absent (--lost-files absent)."
        )


def _notes(metadata: LabelTable, roles: Roles, cells: _Cells, entries: Sequence[Entry]) -> list[str]:
    notes = []
    if roles.group:
        groups = Counter(entry.group for entry in entries)
        alone = f"; {groups[None]} images without one stand alone" if groups[None] else ""
        notes.append(f"{roles.group}: {len(groups) - (None in groups)} groups that no split divides{alone}.")
    if metadata.source:
        notes.append(f"{metadata.source}: {len({row.image for row in metadata.rows})} images have a row of metadata.")
        labels = [name for name in metadata.columns if name not in (*cells.metadata_columns, roles.group, roles.sample)]
        if labels:
            notes.append(f"{metadata.source}: {', '.join(labels)} left out, a column of the label sheet is no metadata.")
    return notes


def _nothing_to_learn(check: LabelCheck) -> str:
    reasons = [f"'{task.task}': {task.excluded}" for task in check.tasks if task.excluded]
    reasons += [f"'{column}': {reason}" for column, reason in check.ignored_columns.items()]
    reasons += [f"'{column}': metadata" for column in check.metadata_columns]
    found = "; ".join(reasons) or "no column for a task"
    return (
        f"{check.source}: no task is left to learn ({found}); expected a column with two or more classes. "
        "Add one, or name it with --tasks."
    )
