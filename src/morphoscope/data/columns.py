"""What each column of a label sheet is for: a task, metadata, the group, the sample, or nothing to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from morphoscope.calibration.resolve import METADATA_COLUMNS
from morphoscope.data.matching import spelling_key
from morphoscope.errors import LabelSheetError, did_you_mean

SAMPLE_HEADINGS = ("group", "groupid", "sample", "sampleid", "specimen", "specimenid")
# Beyond these a column names or measures things rather than sorting them: a class with fewer images can't be learnt anyway.
MIN_NAMED = 20
MAX_IMAGES_A_NAME = 8
MIN_MEASURED = 10
MIN_ALL_DIFFERENT = 10


@dataclass(frozen=True)
class Roles:
    """Columns by what they are for. ignored: column to the reason."""

    tasks: tuple[str, ...]
    metadata: tuple[str, ...]
    group: str | None = None
    sample: str | None = None
    ignored: dict[str, str] = field(default_factory=dict)


def assign_roles(
    columns: Mapping[str, Sequence[str]],
    *,
    source: str,
    further: Sequence[str] = (),
    group: str | None = None,
    sample: str | None = None,
    wanted: Sequence[str] | None = None,
    is_wanted_by: str = "--tasks",
) -> Roles:
    """The role of every column.

    columns: a label sheet's columns with their filled cells. further: columns of a metadata sheet, where the group and the
    sample may be. wanted: the tasks asked for, by the option or file `is_wanted_by`; None takes every column that looks like one.
    Raises LabelSheetError for a name that no column has.
    """
    everywhere = list(dict.fromkeys([*columns, *further]))
    group = None if group is None else find_column(group, everywhere, source, "--group")
    sample = None if sample is None else find_column(sample, everywhere, source, "--sample")
    asked = None if wanted is None else [find_column(name, list(columns), source, is_wanted_by) for name in wanted]
    tasks, metadata, ignored = [], [], {}
    for column, cells in columns.items():
        if column in (group, sample):
            continue
        if asked is not None and column in asked:
            continue
        if column.lower() in METADATA_COLUMNS:
            metadata.append(column)
        elif asked is not None:
            ignored[column] = f"not named in {is_wanted_by}"
        elif reason := why_no_task(column, cells):
            ignored[column] = reason
        else:
            tasks.append(column)
    return Roles(tuple(asked or tasks), tuple(metadata), group, sample, ignored)


def find_column(name: str, columns: Sequence[str], source: str, option: str) -> str:
    """The column of that name, in any case. Raises LabelSheetError that lists the columns there are."""
    fitting = [column for column in columns if column == name] or [c for c in columns if spelling_key(c) == spelling_key(name)]
    if not fitting:
        raise LabelSheetError(
            f"{source}: {option} names '{name}', which is no column; expected one of {', '.join(columns) or 'none'}."
            f"{did_you_mean(name, columns)}"
        )
    return fitting[0]


def why_no_task(column: str, cells: Sequence[str]) -> str:
    """Why a column of filled cells is no task: it is blank, a measurement, or names images or samples; empty where it may be."""
    distinct = {spelling_key(cell) for cell in cells}
    if not cells:
        return "blank"
    if spelling_key(column).replace("_", "") in SAMPLE_HEADINGS:
        return f"names {len(distinct)} samples (--group {column} keeps each on one side of a split)"
    if len(distinct) > MIN_MEASURED and all(_is_number(cell) for cell in cells):
        is_whole = all(cell.lstrip("+-").isdecimal() for cell in cells)
        if not is_whole or len(distinct) > MIN_NAMED:
            return f"a measurement: {len(distinct)} different numbers"
    is_all_different = len(distinct) == len(cells) >= MIN_ALL_DIFFERENT
    if is_all_different or (len(distinct) > MIN_NAMED and len(cells) / len(distinct) < MAX_IMAGES_A_NAME):
        return f"names or free text: {len(distinct)} different values in {len(cells)} rows"
    return ""


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
