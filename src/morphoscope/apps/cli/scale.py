"""The option `--scale`, which every command that reads pictures shares."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class ScaleSource(StrEnum):
    """Where the pixel size comes from."""

    auto = "auto"
    header = "header"
    picture = "picture"
    none = "none"


SCALE = typer.Option(
    help="Where the pixel size comes from: auto (header, sidecar, else the picture's scale bar), header (never the picture), "
    "picture (nothing but its bar) or none. A metadata sheet wins over all."
)
ScaleOption = Annotated[ScaleSource, SCALE]
