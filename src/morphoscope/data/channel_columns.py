"""Channels: further inputs of a picture, each a file that a column of a sheet names.

A column called `spectrum_file`, `diffraction_file` or `picture_file:BSE` names the files of the channel `spectrum`, `diffraction`
or `picture:BSE`; any other column does where the user says so (`--channel spectrum=EDX`). Its cells are paths, looked for beside
the sheet, in the images folder and beside the picture; a blank cell is a picture without that channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from morphoscope.data.matching import Row, spelling_key
from morphoscope.errors import LabelSheetError, did_you_mean

PICTURE = "picture"
OPTION = "--channel"
_WHICH = re.compile(r"[^.:=]+")


@dataclass(frozen=True)
class ChannelColumns:
    """Which columns name files. kinds: of channels there are. asked: channel to the column that the user names; a sheet must
    have it. usual: channel to the column that a model was trained with, taken where a sheet has it."""

    kinds: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, str] = field(default_factory=dict)

    def among(self, columns: Iterable[str]) -> dict[str, str]:
        """Channel to its column, of a sheet's columns. What the user asks for goes first, then the usual, then the heading."""
        by_key = {spelling_key(column): column for column in columns}
        found = {channel: column for column in by_key.values() if (channel := self._by_heading(column))}
        for named in (self.usual, self.asked):
            found |= {channel: by_key[spelling_key(c)] for channel, c in named.items() if spelling_key(c) in by_key}
        return found

    def refuse_missing(self, columns: Sequence[str], source: str) -> None:
        """Raises LabelSheetError where a column that the user named is in none of the sheets."""
        known = {spelling_key(column) for column in columns}
        for channel, column in self.asked.items():
            if spelling_key(column) not in known:
                raise LabelSheetError(
                    f"{source}: {OPTION} {channel}={column} names '{column}', which is no column; expected one of "
                    f"{', '.join(columns) or 'none'}.{did_you_mean(column, columns)}"
                )

    def is_reserved(self, column: str) -> bool:
        """Whether a column's heading says that it names files."""
        return bool(self._by_heading(column))

    def _by_heading(self, column: str) -> str:
        head, colon, which = column.partition(":")
        kind = head.strip().casefold().removesuffix("_file")
        if kind not in self.kinds or not head.strip().casefold().endswith("_file"):
            return ""
        return _channel(kind, which.strip(), f"column '{column}'") if colon else kind


def asked_channels(options: Iterable[str], kinds: Sequence[str]) -> dict[str, str]:
    """Channel to column of `spectrum=EDX` and `BSE=back scattered`; a name that is no kind is that of a further picture.

    Raises LabelSheetError for an option of another form, or a name that is nearly a kind.
    """
    found: dict[str, str] = {}
    for option in options:
        name, equals, column = (part.strip() for part in option.partition("="))
        if not (name and equals and column):
            raise LabelSheetError(
                f"{OPTION} {option}: found no NAME=COLUMN; expected for example spectrum=EDX or BSE=backscattered. Write it so."
            )
        kind, colon, which = name.partition(":")
        if colon or kind in kinds:
            if kind not in kinds:
                raise LabelSheetError(
                    f"{OPTION} {option}: there is no kind of channel '{kind}'; expected one of {', '.join(kinds)}."
                    f"{did_you_mean(kind, kinds)}"
                )
            found[_channel(kind, which, f"{OPTION} {option}") if colon else kind] = column
        elif hint := did_you_mean(name, kinds):
            raise LabelSheetError(
                f"{OPTION} {option}: '{name}' is no kind of channel; expected one of {', '.join(kinds)}.{hint} "
                f"A further picture of that name is {PICTURE}:{name}."
            )
        else:
            found[_channel(PICTURE, name, f"{OPTION} {option}")] = column
    return found


def _channel(kind: str, which: str, where: str) -> str:
    if not _WHICH.fullmatch(which):
        raise LabelSheetError(
            f"{where}: '{which}' can't name a channel; expected a name without point, colon or equals sign, such as BSE. Rename it."
        )
    return f"{kind}:{which}"


@dataclass(frozen=True)
class LostFile:
    """A channel file that a sheet names and that can't be used: of which image, and the sentence that says why."""

    channel: str
    image: int
    sentence: str


def located(
    rows: Sequence[Row], channels: Mapping[str, str], places: Callable[[int], Sequence[Path]]
) -> tuple[dict[int, dict[str, Path]], list[LostFile]]:
    """The channel files of each image, and those that are named and lie nowhere.

    places: the folders to look in for an image, the first that has the file counts. Raises LabelSheetError where two rows of an
    image name two files.
    """
    found: dict[int, dict[str, Path]] = {}
    lost: list[LostFile] = []
    for row in rows:
        for channel, column in channels.items():
            written = row.values.get(column)
            if not written:
                continue
            relative = Path(written.replace("\\", "/"))
            path = next((place / relative for place in places(row.image) if (place / relative).is_file()), None)
            if path is None:
                where = " or ".join(dict.fromkeys(str(place) for place in places(row.image)))
                lost.append(LostFile(channel, row.image, f"{row.where}: {column} names '{written}', which is no file in {where}"))
            elif found.setdefault(row.image, {}).setdefault(channel, path) != path:
                raise LabelSheetError(
                    f"{row.where}: {column} names '{written}', another row of the same image {found[row.image][channel]}; expected one "
                    "file. Correct or delete one of the rows."
                )
    return found, lost
