"""`morphoscope embed`: features of pictures as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def embed(
    model: Annotated[str, typer.Argument(help="A model's folder, an encoder's, or default: the encoder that is shipped.")],
    paths: Annotated[list[Path], typer.Argument(help="Pictures, folders of them, or data sets.")],
    out: Annotated[Path, typer.Option(help="The table: .parquet or .csv.")] = Path("features.parquet"),
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier table.")] = False,
) -> None:
    """Write the features that an encoder sees in pictures, a row a picture, for an analysis of your own.

    Example: morphoscope embed default images --out features.parquet
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.embed import embed as run

    run(model, paths, out, max_pixels=max_pixels, overwrite=overwrite, say=say)
