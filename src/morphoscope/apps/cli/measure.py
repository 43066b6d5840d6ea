"""`morphoscope measure`: sizes and shapes of particles in nm."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.scale import ScaleOption, ScaleSource


class Border(StrEnum):
    """What becomes of particles that touch the border."""

    exclude = "exclude"
    include = "include"


def measure(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Where the table goes, a row a particle.")],
    masks: Annotated[
        Path | None, typer.Option(help="Folder of instance maps: PNG or TIFF, 0 = background, a number a particle, same stem.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for summary.csv and a page with outlines and histograms.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="Sheet with filename and pixel_size_nm; wins over the files.")] = None,
    scale: ScaleOption = ScaleSource.auto,
    border: Annotated[Border, typer.Option(help="Particles on the border, in the size distribution.")] = Border.exclude,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier table and report.")] = False,
) -> None:
    """Measure particles: diameters, perimeter, shape and neighbours, each in nm and in pixels.

    Example: morphoscope measure images --masks instance_maps --out measurements.csv --report measured
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.measure import measure as run

    run(
        paths,
        out=out,
        masks=masks,
        report=report,
        metadata=metadata,
        scale=scale.value,
        border=border.value,
        max_pixels=max_pixels,
        overwrite=overwrite,
        say=say,
    )
