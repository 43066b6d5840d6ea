"""The options of commands that learn objects from masks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from morphoscope.errors import MorphoscopeError


class MaskKind(StrEnum):
    """What the numbers of masks mean."""

    auto = "auto"
    instance = "instance"
    binary = "binary"
    multi_class = "multi-class"


MasksOption = Annotated[
    Path | None,
    typer.Option(help="Learn objects in place of labels: a folder of masks (PNG, TIFF), each of its picture's stem and size."),
]
MaskKindOption = Annotated[
    MaskKind | None, typer.Option(help="What the masks' numbers mean, where the rule that looks at all of them errs.")
]


def refuse(options: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    """Raises MorphoscopeError for the first option that is given and has a reason why it does not apply."""
    for name, reason in reasons.items():
        if options[name]:
            option, value = name.replace("_", "-"), "it" if options[name] is True else options[name]
            raise MorphoscopeError(f"--{option}: found {value} {reason}. Leave --{option} out.")
