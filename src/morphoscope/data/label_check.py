"""How labels and images fit together, said before any training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

MAX_LISTED = 10


@dataclass(frozen=True)
class TaskCheck:
    """One task. counts: images a class. matched, blank: images with and without a label.

    unmatched: values outside the schema with their counts. suggestions: unmatched value to the class it resembles.
    respelled: value as written to the class it was taken for. excluded: why the task isn't trained, or empty.
    """

    task: str
    is_multilabel: bool
    counts: Mapping[str, int]
    matched: int
    blank: int = 0
    unmatched: Mapping[str, int] = field(default_factory=dict)
    suggestions: Mapping[str, str] = field(default_factory=dict)
    respelled: Mapping[str, str] = field(default_factory=dict)
    excluded: str = ""

    @property
    def rare_classes(self) -> list[str]:
        """Classes that at most one image shows, so that they can't be both learnt and tested."""
        return [name for name, count in self.counts.items() if count <= 1]


@dataclass(frozen=True)
class LabelCheck:
    """source: the sheets, or the class folders. n_labelled: images with a label for at least one task.

    rows_without_image, repeated_rows, lost_files: sentences. channels: channel to the column that names its files;
    channel_counts: labelled images that have one. ignored_columns: column to the reason. notes: what else was assumed.
    """

    source: str
    n_images: int
    n_labelled: int
    tasks: Sequence[TaskCheck]
    images_without_row: Sequence[str] = ()
    images_without_label: Sequence[str] = ()
    rows_without_image: Sequence[str] = ()
    repeated_rows: Sequence[str] = ()
    ignored_columns: Mapping[str, str] = field(default_factory=dict)
    metadata_columns: Sequence[str] = ()
    channels: Mapping[str, str] = field(default_factory=dict)
    channel_counts: Mapping[str, int] = field(default_factory=dict)
    lost_files: Sequence[str] = ()
    notes: Sequence[str] = ()

    def warnings(self) -> list[str]:
        """What a user should know before trusting a model trained on this, a sentence each."""
        sentences = []
        for task in self.tasks:
            if task.excluded:
                sentences.append(f"Task '{task.task}' is left out: {task.excluded}.")
                continue
            if task.rare_classes:
                names = ", ".join(f"'{name}' ({task.counts[name]})" for name in task.rare_classes)
                sentences.append(
                    f"'{task.task}' has classes with at most one image, which can't be both learnt and tested: {names}."
                )
        if self.lost_files:
            sentences.append(
                f"{len(self.lost_files)} channel files that the sheet names are missing and count as absent; the first: "
                f"{self.lost_files[0]}."
            )
        return sentences

    def to_text(self) -> str:
        """The check for a terminal."""
        return "\n".join(self._lines())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"warnings": self.warnings()}

    def _lines(self) -> Iterator[str]:
        yield f"{self.source}: {self.n_images} images, {self.n_labelled} with a label"
        for task in self.tasks:
            yield from _task_lines(task)
        yield from _listed("images without a row", self.images_without_row)
        yield from _listed("images whose row has no label", self.images_without_label)
        yield from _listed("rows without an image", self.rows_without_image)
        yield from _listed("rows that say again what another said (merged)", self.repeated_rows)
        yield from _listed("columns not used", [f"{column}: {reason}" for column, reason in self.ignored_columns.items()])
        if self.metadata_columns:
            yield f"  metadata: {', '.join(self.metadata_columns)}"
        for channel, column in self.channels.items():
            yield f"  channel {channel}: {self.channel_counts.get(channel, 0)} of {self.n_labelled} images have a file ({column})"
        yield from _listed("channel files that are missing (absent)", self.lost_files)
        yield from (f"  {note}" for note in self.notes)
        yield from (f"  Warning: {sentence}" for sentence in self.warnings())


def _task_lines(task: TaskCheck) -> Iterator[str]:
    kind = ", several classes at once" if task.is_multilabel else ""
    n_unmatched = sum(task.unmatched.values())
    yield f"  {task.task} ({task.matched} matched, {n_unmatched} unmatched, {task.blank} blank{kind})"
    width = max((len(name) for name in task.counts), default=0)
    yield from (f"    {name:<{width}}  {count:>6}" for name, count in task.counts.items())
    for value, count in task.unmatched.items():
        hint = f" Did you mean '{task.suggestions[value]}'?" if value in task.suggestions else ""
        yield f"    unmatched: '{value}' {count} ×.{hint}"
    yield from (f"    '{value}' was taken for '{name}'" for value, name in task.respelled.items())


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"  {len(items)} {title}:"
        yield from (f"    {item}" for item in items[:MAX_LISTED])
        if len(items) > MAX_LISTED:
            yield f"    and {len(items) - MAX_LISTED} more"
