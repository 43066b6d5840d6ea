"""Names in a sheet to images on disk: with or without extension, sub-folder or the right case."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from morphoscope.errors import LabelSheetError, did_you_mean
from morphoscope.io.detect import extensions
from morphoscope.io.label_sheet import FILENAME
from morphoscope.schema import CLASS_SEPARATOR

MAX_SUGGESTIONS = 20


@dataclass(frozen=True)
class Row:
    """A row of a sheet that belongs to an image; `where` is `labels.xlsx row 14`, blank cells are left out."""

    where: str
    image: int
    values: dict[str, str]


class NameIndex:
    """Images by every way to write their names."""

    def __init__(self, names: Sequence[str], paths: Sequence[Path]) -> None:
        """names: unique posix paths relative to the images folder. paths: where the images are."""
        self.names = list(names)
        self._by_key: dict[str, list[int]] = defaultdict(list)
        for image, path in enumerate(paths):
            for tail in _tails(_normalised(path.absolute().as_posix())):
                for key in {tail, _without_extension(tail)}:
                    self._by_key[key].append(image)
        self._by_folded_key: dict[str, list[int]] = defaultdict(list)
        for key, images in self._by_key.items():
            self._by_folded_key[key.casefold()].extend(images)

    def find(self, written: str) -> list[int]:
        """The images that a written name fits with all of its folders: none, one, or several if it is ambiguous.

        The exact name goes before another case, and that before another extension.
        """
        name = _normalised(written)
        stem = _without_extension(name)
        attempts = (
            (self._by_key, name),
            (self._by_folded_key, name.casefold()),
            (self._by_key, stem),
            (self._by_folded_key, stem.casefold()),
        )
        return next((keys[key] for keys, key in attempts if key in keys), [])

    def find_elsewhere(self, written: str) -> list[int]:
        """The images that it fits with fewer of its folders: a sheet that tells of sub-folders where the images lie in one."""
        tails = list(_tails(_normalised(written)))[1:]
        return next((images for tail in tails if (images := self.find(tail))), [])


def _normalised(name: str) -> str:
    """Composed Unicode (macOS stores it decomposed) with forward slashes."""
    return unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./").strip("/")


def _tails(name: str) -> Iterator[str]:
    """`a/b/c.tif`, `b/c.tif`, `c.tif`."""
    parts = name.split("/")
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _without_extension(name: str) -> str:
    extension = PurePosixPath(name).suffix
    return name.removesuffix(extension) if extension.lower() in extensions() else name


def match_rows(sheet: pd.DataFrame, path: Path, index: NameIndex) -> tuple[list[Row], list[str]]:
    """The rows of a sheet that belong to an image, and a sentence for every row that belongs to none.

    Raises LabelSheetError where a name fits several images.
    """
    found = [index.find(written) for written in sheet[FILENAME]]
    claimed = {image for images in found for image in images}
    rows: list[Row] = []
    lost: list[tuple[str, str]] = []
    for number, images, cells in zip(sheet.index, found, sheet.to_dict("records"), strict=True):
        where, written = f"{path.name} row {number}", cells.pop(FILENAME)
        images = images or [image for image in index.find_elsewhere(written) if image not in claimed]
        if len(images) > 1:
            raise LabelSheetError(
                f"{where}: '{written}' fits {' and '.join(index.names[i] for i in images[:3])}; expected one image. "
                "Write it with its sub-folder and extension."
            )
        if images:
            rows.append(Row(where, images[0], {str(column): cell for column, cell in cells.items() if cell}))
        else:
            lost.append((where, written))
    free = set(range(len(index.names))) - {row.image for row in rows}
    return rows, _lost_sentences(lost, [index.names[image] for image in sorted(free)])


def _lost_sentences(lost: Sequence[tuple[str, str]], free: Sequence[str]) -> list[str]:
    """`labels.csv row 5: rod_O1.tif. Did you mean 'rod_01.tif'?`, asking only for images that no row has."""
    hints = [did_you_mean(written, free) for _, written in lost[:MAX_SUGGESTIONS]]
    hints += [""] * (len(lost) - len(hints))
    return [f"{where}: {written}" + (f".{hint}" if hint else "") for (where, written), hint in zip(lost, hints, strict=True)]


def spelling_key(text: str) -> str:
    """What two spellings of one class share: letters without case, no blanks."""
    return "".join(text.casefold().split())


def merge_rows(rows: Iterable[Row], columns: Iterable[str], names: Sequence[str]) -> tuple[dict[int, dict[str, str]], list[str]]:
    """The values of the columns for each image, and a sentence for every row that said again what another had said.

    Raises LabelSheetError where two rows of one image disagree; a blank disagrees with nothing.
    """
    columns = list(columns)
    merged: dict[int, dict[str, str]] = {}
    first: dict[tuple[int, str], str] = {}
    where: dict[int, str] = {}
    repeats = []
    for row in rows:
        values = merged.setdefault(row.image, {})
        for column in (column for column in columns if column in row.values):
            if column not in values:
                values[column], first[row.image, column] = row.values[column], row.where
            elif _meaning(values[column]) != _meaning(row.values[column]):
                raise LabelSheetError(
                    f"{first[row.image, column]} and {row.where}: '{column}' of {names[row.image]} is '{values[column]}' "
                    f"and '{row.values[column]}'; expected one value per image. Correct or delete one of the rows."
                )
        if row.image in where:
            repeats.append(f"{row.where} repeats {where[row.image]} ({names[row.image]})")
        where.setdefault(row.image, row.where)
    return merged, repeats


def _meaning(cell: str) -> frozenset[str]:
    return frozenset(spelling_key(part) for part in cell.split(CLASS_SEPARATOR))
