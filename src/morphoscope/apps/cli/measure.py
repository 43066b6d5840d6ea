"""`morphoscope measure`: sizes and shapes of particles and wires in nm."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.scale import ScaleOption, ScaleSource


class Border(StrEnum):
    """What becomes of objects that touch the border."""

    exclude = "exclude"
    include = "include"
    corrected = "corrected"


class Kind(StrEnum):
    """What is measured."""

    auto = "auto"
    particles = "particles"
    wires = "wires"
    network = "network"


def measure(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Where the table goes, a row an object.")],
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of instance maps, same stem: PNG, TIFF (0 = background, a number an object) or ImageJ ROIs."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Segmenter of `train --masks` that finds objects; left out: that of Morphoscope.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for summary.csv and a page with outlines and histograms.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="Sheet with filename and pixel_size_nm; wins over the files.")] = None,
    scale: ScaleOption = ScaleSource.auto,
    kind: Annotated[Kind, typer.Option(help="What is measured; auto: by class, else by the objects' shape.")] = Kind.auto,
    classes: Annotated[Path | None, typer.Option(help="A predictions.csv or sheet whose class says what is measured.")] = None,
    class_column: Annotated[str | None, typer.Option(help="Its column; by default Morphology, Kind, Class or Shape.")] = None,
    border: Annotated[Border, typer.Option(help="Objects on the border, in the size distribution.")] = Border.exclude,
    sample: Annotated[str | None, typer.Option(help="Column of a sheet that names the specimen: pools its pictures.")] = None,
    min_focus: Annotated[float, typer.Option(min=0, max=1, help="Pooled figures leave out pictures less sharp.")] = 0.0,
    precision: Annotated[float, typer.Option(help="Of the mean, for which the number of objects is told.")] = 0.05,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier table and report.")] = False,
) -> None:
    """Measure particles, wires and networks: sizes, shape and neighbours, each in nm and in pixels.

    Objects are found by the segmenter that comes with Morphoscope, or taken from --masks.

    Example: morphoscope measure images --out measurements.csv --report measured
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.measure import measure as run

    run(
        paths,
        out=out,
        masks=masks,
        model=model,
        report=report,
        metadata=metadata,
        scale=scale.value,
        kind=kind.value,
        classes=classes,
        class_column=class_column,
        border=border.value,
        sample=sample,
        min_focus=min_focus,
        precision=precision,
        max_pixels=max_pixels,
        overwrite=overwrite,
        say=say,
    )
