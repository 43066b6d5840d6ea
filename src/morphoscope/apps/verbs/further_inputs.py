"""What a model takes beside the picture: settings and channel files as a metadata sheet names them, and a word where it gets none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from morphoscope.apps.verbs.arguments import PathLike, Say
from morphoscope.data.catalogue import refuse_lost
from morphoscope.data.channel_columns import ChannelColumns, asked_channels
from morphoscope.data.channel_sheet import ChannelFiles, channel_files
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.models.branches import channel_kinds
from morphoscope.models.bundle import Bundle

MAX_NOTES = 40


@dataclass(frozen=True)
class SheetOptions:
    """The options of a command that name a model's further inputs. channels: `spectrum=EDX` each, as with --channel."""

    metadata: PathLike | None = None
    channels: Sequence[str] = ()
    lost_files: Literal["absent", "error"] = "absent"


@dataclass(frozen=True)
class FurtherInputs:
    """rows: cells of the sheet, by picture. files: of each picture, by channel."""

    rows: Mapping[Path, Mapping[str, str]]
    files: Mapping[Path, Mapping[str, Path]]


def further_inputs(
    bundle: Bundle, pictures: Sequence[Path], roots: Sequence[Path], options: SheetOptions, command: str, say: Say
) -> FurtherInputs:
    """What the sheet says of the pictures; says which channels of the model it names no files for, and which files are missing.

    roots: the files and folders that were named; command: what the options were given to. Raises LabelSheetError for a sheet
    that can't be used, a column that there isn't, and for missing files where they are to be an error.
    """
    rows = metadata_rows(Path(options.metadata), pictures) if options.metadata else {}
    kinds = channel_kinds()
    usual = {channel.name: channel.column for channel in bundle.channels}
    columns = ChannelColumns(kinds, asked_channels(options.channels, kinds), usual)
    if not options.metadata:
        columns.refuse_missing([], f"{command} without --metadata")
    found = ChannelFiles()
    if options.metadata and bundle.channels:
        found = channel_files(Path(options.metadata), pictures, roots, columns)
    for channel, column in usual.items():
        if channel not in found.columns:
            say(
                f"The model also takes the channel {channel}, and no sheet names its files: it counts as absent. Name them in the column "
                f"'{column}' of a sheet for --metadata."
            )
    if options.lost_files == "error":
        refuse_lost(found.lost)
    for sentence in found.lost[:MAX_NOTES]:
        say(f"Absent: {sentence}")
    if len(found.lost) > MAX_NOTES:
        say(f"And {len(found.lost) - MAX_NOTES} channel files more that are missing.")
    return FurtherInputs(rows, found.files)


def channels_not_given(bundle: Bundle, command: str) -> str:
    """A sentence on the channels of a model whose files the command can't take, or nothing."""
    names = [channel.name for channel in bundle.channels]
    if not names:
        return ""
    which = f"the channel {names[0]}" if len(names) == 1 else f"the channels {', '.join(names[:-1])} and {names[-1]}"
    return (
        f"The model also takes {which}, which {command} is not given: its answers rest on the picture and its settings alone. "
        "`morphoscope predict --metadata SHEET` takes the files too."
    )
