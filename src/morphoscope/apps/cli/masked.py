"""The options of commands that learn objects from masks."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
