"""Where images and labels come from: folders with one or several sheets, class folders, the product's own data set layout."""

from __future__ import annotations

import dataclasses
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from morphoscope.data.channel_columns import ChannelColumns, LostFile, located
from morphoscope.data.matching import NameIndex, Row, match_rows
from morphoscope.errors import LabelSheetError
from morphoscope.io.find import find_micrographs, natural_key
from morphoscope.io.label_sheet import FILENAME, SHEET_SUFFIXES, read_sheet

CLASS_FOLDER_TASK = "class"


@dataclass(frozen=True)
class ImageFolders:
    """All images, folder after folder. names: posix paths relative to the folder, or to what several folders share.

    starts: (number of folders + 1,) where each folder's images begin.
    """

    roots: tuple[Path, ...]
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def root_of(self, image: int) -> Path:
        """The folder that was named and holds an image."""
        return self.roots[bisect_right(self.starts, image) - 1]


@dataclass(frozen=True)
class LabelTable:
    """What sheets or class folders say. columns: column to its filled cells. rows_without_image: sentences.

    channels: channel to the column that names its files, which is none of `columns`. files: of each image, by channel.
    """

    source: str
    rows: list[Row]
    columns: dict[str, list[str]]
    rows_without_image: list[str]
    channels: dict[str, str] = field(default_factory=dict)
    files: dict[int, dict[str, Path]] = field(default_factory=dict)
    lost_files: list[LostFile] = field(default_factory=list)


def data_set_layout(images: Sequence[Path], sheets: Sequence[Path]) -> tuple[list[Path], list[Path], list[str]]:
    """Image folders and sheets, and what was assumed: a folder may be a rendered data set (`images/` beside `labels.csv`)."""
    roots, notes = [], []
    own_sheets = []
    for root in images:
        inner, sheet = root / "images", root / "labels.csv"
        is_data_set = inner.is_dir() and (sheet.is_file() or (root / "instance_maps").is_dir())
        roots.append(inner if is_data_set else root)
        if is_data_set:
            notes.append(f"{root} is a data set: its images were taken from {inner}.")
        if is_data_set and sheet.is_file():
            own_sheets.append(sheet)
    if not sheets and len(own_sheets) == len(roots):
        notes.append(f"No sheet was named: labels were taken from {', '.join(map(str, own_sheets))}.")
        return roots, own_sheets, notes
    return roots, list(sheets), notes


def find_images(roots: Sequence[Path]) -> ImageFolders:
    """Every picture in the folders. Raises LabelSheetError where one folder holds another, ReadError without any picture."""
    absolute = [root.absolute() for root in roots]
    for first, second in pairwise(sorted(absolute)):
        if second.is_relative_to(first):
            raise LabelSheetError(f"{first} and {second}: one folder holds the other; expected separate ones. Name only one.")
    found = [find_micrographs([root]) for root in roots]
    starts = [0]
    for pictures in found:
        starts.append(starts[-1] + len(pictures))
    paths = [path for pictures in found for path in pictures]
    base = absolute[0] if len(absolute) == 1 else _shared_folder(absolute)
    base = base.parent if base.is_file() else base
    names = [path.absolute().relative_to(base).as_posix() if base != Path() else path.absolute().as_posix() for path in paths]
    return ImageFolders(tuple(roots), tuple(paths), tuple(names), tuple(starts))


def _shared_folder(folders: Sequence[Path]) -> Path:
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # different drives
        return Path()


def read_label_sheets(images: ImageFolders, sheets: Sequence[Path], channels: ChannelColumns | None = None) -> LabelTable:
    """One sheet for all folders or a sheet a folder. channels: which columns name files. Raises LabelSheetError."""
    if len(sheets) not in (1, len(images.roots)):
        raise LabelSheetError(
            f"{len(sheets)} sheets for {len(images.roots)} image folders; expected one sheet for all or one for each folder. "
            "Name them in the order of the folders."
        )
    spans = list(pairwise(images.starts)) if len(sheets) > 1 else [(0, len(images.paths))]
    rows: list[Row] = []
    lost: list[str] = []
    table = LabelTable(", ".join(path.name for path in sheets), rows, {}, lost)
    for path, (start, stop) in zip(sheets, spans, strict=True):
        sheet = read_sheet(path)
        matched, unmatched = match_rows(sheet, path, NameIndex(images.names[start:stop], images.paths[start:stop]))
        if not matched:
            raise LabelSheetError(
                f"{path}: no row belongs to an image of {', '.join(map(str, images.roots))}; found {unmatched[0]}; "
                f"expected names like {images.names[start]}. Is it the sheet of another folder?"
            )
        matched = [dataclasses.replace(row, image=row.image + start) for row in matched]
        rows += matched
        lost += unmatched
        headings = [str(column) for column in sheet.columns.drop(FILENAME)]
        of_files = _take_files(table, images, path, matched, headings, channels or ChannelColumns())
        for column in headings:
            if column not in of_files:
                table.columns.setdefault(column, []).extend(cell for cell in sheet[column] if cell)
    return table


def _take_files(
    table: LabelTable, images: ImageFolders, sheet: Path, rows: Sequence[Row], headings: Sequence[str], channels: ChannelColumns
) -> set[str]:
    """Notes in the table the channel files that a sheet's rows name; the columns that name files, used or not."""
    used = channels.among(headings)
    files, lost = located(rows, used, lambda image: [sheet.parent, images.root_of(image), images.paths[image].parent])
    table.channels.update(used)
    table.lost_files.extend(lost)
    for image, found in files.items():
        table.files.setdefault(image, {}).update(found)
    return {*used.values(), *(column for column in headings if channels.is_reserved(column))}


def read_class_folders(images: ImageFolders, *, min_classes: int = 2) -> LabelTable:
    """Sub-folder names as the classes of one task; pictures outside one, or in one that begins with `_`, have no label."""
    rows = []
    for root, (start, stop) in zip(images.roots, pairwise(images.starts), strict=True):
        for image in range(start, stop):
            parts = images.paths[image].absolute().relative_to(root.absolute()).parts
            if len(parts) > 1 and not parts[0].startswith("_"):
                rows.append(Row(f"folder {parts[0]}", image, {CLASS_FOLDER_TASK: parts[0]}))
    classes = sorted({row.values[CLASS_FOLDER_TASK] for row in rows}, key=natural_key)
    where = ", ".join(map(str, images.roots))
    if len(classes) < min_classes:
        raise LabelSheetError(
            f"{where}: no sheet was named, and the folder has {len(classes)} class folders with pictures "
            f"({', '.join(classes) or 'none'}); expected at least two sub-folders named like the classes, or a sheet. "
            f"Name one with --labels SHEET.{_sheets_nearby(images.roots)}"
        )
    cells = [row.values[CLASS_FOLDER_TASK] for row in rows]
    return LabelTable(f"class folders of {where}", rows, {CLASS_FOLDER_TASK: cells}, [])


def _sheets_nearby(roots: Sequence[Path]) -> str:
    places = [place for root in roots for place in (root, root.parent) if place.is_dir()]
    sheets = [path for place in places for path in sorted(place.iterdir()) if path.suffix.lower() in SHEET_SUFFIXES]
    return f" There is {sheets[0]}." if sheets else ""
