"""The channel files of pictures that have no label sheet: what a metadata sheet names for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from morphoscope.data.channel_columns import ChannelColumns, located
from morphoscope.data.matching import NameIndex, match_rows
from morphoscope.io.label_sheet import FILENAME, read_sheet


@dataclass(frozen=True)
class ChannelFiles:
    """files: of each picture, by channel. columns: channel to the column that names its files. lost: sentences."""

    files: dict[Path, dict[str, Path]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def channel_files(sheet: Path, pictures: Sequence[Path], roots: Sequence[Path], channels: ChannelColumns) -> ChannelFiles:
    """What a sheet names for pictures. roots: the folders that were named. Raises LabelSheetError for a sheet that can't be read
    or contradicts itself, or lacks a column that was asked for."""
    table = read_sheet(sheet)
    headings = [str(column) for column in table.columns.drop(FILENAME)]
    channels.refuse_missing(headings, sheet.name)
    columns = channels.among(headings)
    rows, _ = match_rows(table, sheet, NameIndex([path.as_posix() for path in pictures], list(pictures)))

    def places(image: int) -> list[Path]:
        picture = pictures[image].absolute()
        return [
            sheet.parent,
            *(root for root in roots if picture.is_relative_to(root.absolute()) and root.is_dir()),
            picture.parent,
        ]

    found, lost = located(rows, columns, places)
    return ChannelFiles({pictures[image]: files for image, files in found.items()}, columns, [each.sentence for each in lost])
