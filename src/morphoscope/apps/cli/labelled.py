"""The options of commands that learn from labelled pictures: which pictures, which labels, and what of them stays together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from morphoscope.errors import MorphoscopeError

LabelledFolders = Annotated[list[Path], typer.Argument(help="One or more folders of labelled micrographs.")]
LabelsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Label sheet (.csv, .xlsx, .xlsm), once for all folders or once a folder; left out: folder names are the classes."
    ),
]
GroupOption = Annotated[str | None, typer.Option(help="Column whose values never straddle a split: specimen, paper, session.")]
SampleOption = Annotated[str | None, typer.Option(help="Column that names the specimen; kept together in a split.")]
TasksOption = Annotated[str | None, typer.Option(help="Only these columns of the sheet, comma between.")]
MetadataOption = Annotated[
    Path | None, typer.Option(help="Sheet of pixel_size_nm, hv_kv, … and further columns; wins over the files.")
]
SettingsOption = Annotated[list[str] | None, typer.Option("--set", help="Any setting of the recipe: fit.learning_rate=0.002.")]


def parts(text: str | None) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def whole_numbers(text: str | None, option: str, such_as: str) -> tuple[int, ...]:
    """What stands between commas. Raises MorphoscopeError."""
    try:
        return tuple(int(part) for part in parts(text))
    except ValueError:
        raise MorphoscopeError(
            f"{option} is '{text}'; expected whole numbers with commas between, such as {such_as}. Correct it."
        ) from None


def as_words(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a command by name, with the word of each choice in place of the choice, as verbs take them."""
    return {name: value.value if isinstance(value, Enum) else value for name, value in options.items()}
