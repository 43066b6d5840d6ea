"""`morphoscope segment`: find the objects of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def segment(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the instance maps, one a picture, of its stem.")],
    model: Annotated[
        Path | None, typer.Option(help="What `train --masks` wrote; left out: the segmenter that comes with Morphoscope.")
    ] = None,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also draw the outlines on the pictures.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier maps.")] = False,
) -> None:
    """Find particles and wires: an instance map a picture (0 = background, a number an object) for any program.

    Example: morphoscope segment images --out instance_maps --overlay
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.segment import segment as run

    run(paths, out, model=model, overlay=overlay, max_pixels=max_pixels, overwrite=overwrite, say=say)
