"""One column's cells to the classes of a task: several in a cell, spellings made one, values outside the schema."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from morphoscope.data.label_check import TaskCheck
from morphoscope.data.matching import spelling_key
from morphoscope.data.schema_file import TaskDefinition
from morphoscope.errors import LabelSheetError, did_you_mean
from morphoscope.io.find import natural_key
from morphoscope.schema import CLASS_SEPARATOR, PARENT_SEPARATOR, Task


@dataclass(frozen=True)
class TaskLabels:
    """A task with the classes of each image that has any; images whose cell holds an unmatched value are not in `labels`."""

    task: Task
    labels: dict[int, tuple[str, ...]]
    check: TaskCheck


def read_task(name: str, cells: Mapping[int, str], n_images: int, definition: TaskDefinition | None = None) -> TaskLabels:
    """The labels in the filled cells of a column (image to text) of n_images rows, under a definition where there is one.

    Without one, classes are the values in natural order, and one cell that holds several makes the task multi-label.
    """
    is_multilabel = definition.is_multilabel if definition else None
    if is_multilabel is None:
        is_multilabel = any(CLASS_SEPARATOR in cell for cell in cells.values())
    values = {image: _values(cell, is_multilabel) for image, cell in cells.items()}
    counts = Counter(value for found in values.values() for value in found)
    spellings = _common_spellings(counts)
    classes = definition.classes if definition else tuple(sorted(set(spellings.values()), key=natural_key))
    by_key = {spelling_key(each): each for each in classes}
    meant = {value: by_key[spelling_key(value)] for value in counts if spelling_key(value) in by_key}
    labels = {
        image: tuple(each for each in classes if each in {meant[value] for value in found})
        for image, found in values.items()
        if found and all(value in meant for value in found)
    }
    unmatched = {value: count for value, count in counts.most_common() if value not in meant}
    found_classes = Counter(each for found in labels.values() for each in found)
    check = TaskCheck(
        task=definition.name if definition else name,
        is_multilabel=is_multilabel,
        counts={each: found_classes[each] for each in classes},
        matched=len(labels),
        blank=n_images - len(cells),
        unmatched=unmatched,
        suggestions={value: hint for value in unmatched if (hint := _closest(value, classes))},
        respelled={value: meant[value] for value in counts if value in meant and meant[value] != value},
    )
    return TaskLabels(Task(check.task, classes, is_multilabel), labels, check)


def refuse_unmatched(source: str, read: Iterable[TaskLabels]) -> None:
    """Raises LabelSheetError that lists every value outside the schema."""
    complaints = [_complaint(one) for one in read if one.check.unmatched]
    if complaints:
        raise LabelSheetError(
            f"{source}: {'; '.join(complaints)}. Correct the sheet or the schema, or take them for blank cells (unmatched=blank)."
        )


def _complaint(one: TaskLabels) -> str:
    def described(value: str, count: int) -> str:
        times = "once" if count == 1 else f"{count} times"
        hint = one.check.suggestions.get(value)
        return f"'{value}' {times}" + (f" (did you mean '{hint}'?)" if hint else "")

    found = ", ".join(described(value, count) for value, count in one.check.unmatched.items())
    return f"'{one.task.name}' has values outside its classes: {found}; expected one of {', '.join(one.task.classes)}"


def without_hopeless(read: Iterable[TaskLabels]) -> list[TaskLabels]:
    """The same with the reason noted on each task that can't be learnt, because its labels don't vary."""
    return [dataclasses.replace(one, check=dataclasses.replace(one.check, excluded=_why_hopeless(one.check))) for one in read]


def _why_hopeless(check: TaskCheck) -> str:
    occurring = [name for name, count in check.counts.items() if count]
    if len(occurring) > 1:
        return ""
    return f"only one class occurs, '{occurring[0]}'" if occurring else "no image has a label"


def _values(cell: str, is_multilabel: bool) -> list[str]:
    """The values in a cell, `Fibres / Polymer` written `Fibres/Polymer`."""
    parts = cell.split(CLASS_SEPARATOR) if is_multilabel else [cell]
    tidy = [PARENT_SEPARATOR.join(level.strip() for level in part.split(PARENT_SEPARATOR)) for part in parts]
    return [value for value in tidy if value]


def _common_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """The most frequent spelling under each key; the first in the alphabet of equally frequent ones."""
    variants: dict[str, list[str]] = defaultdict(list)
    for value in counts:
        variants[spelling_key(value)].append(value)
    return {key: min(spelled, key=lambda value: (-counts[value], value)) for key, spelled in variants.items()}


def _closest(value: str, classes: Iterable[str]) -> str:
    hint = did_you_mean(value, classes)
    return hint.removeprefix(" Did you mean '").removesuffix("'?")
