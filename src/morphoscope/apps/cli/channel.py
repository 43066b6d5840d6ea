"""The options of channels, which several commands share: further inputs of a picture, each a file that a sheet names."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class LostFiles(StrEnum):
    """What becomes of channel files that can't be used."""

    absent = "absent"
    error = "error"


ChannelOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=COLUMN",
        help="Column that names a further file of each picture: spectrum=EDX, diffraction=SAED, BSE=backscattered. Columns called "
        "spectrum_file, diffraction_file or picture_file:BSE need no option.",
    ),
]
_LOST_FILES = typer.Option(help="Channel files that are missing or unreadable: absent, with a warning, or an error.")
LostFilesOption = Annotated[LostFiles, _LOST_FILES]
LostFilesWhenTraining = Annotated[LostFiles | None, _LOST_FILES]
