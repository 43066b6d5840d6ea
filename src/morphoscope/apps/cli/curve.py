"""`morphoscope curve`: accuracy against labels a class."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.labelled import (
    GroupOption,
    LabelledFolders,
    LabelsOption,
    MetadataOption,
    SampleOption,
    TasksOption,
    parts,
)


class CurveProtocol(StrEnum):
    """How splits are made and when a head stops."""

    grouped = "grouped"
    as_published = "as-published"


class HeadName(StrEnum):
    """The classifier on frozen features."""

    logistic = "logistic"
    softmax = "softmax"
    knn = "knn"


def curve(
    images: LabelledFolders,
    out: Annotated[Path, typer.Option(help="Folder for curve.csv, one_shot.csv and curve.html.")],
    labels: LabelsOption = None,
    encoders: Annotated[
        str, typer.Option(help="Folders of encoders or models, comma between; default, texture and random are always drawn.")
    ] = "default,texture,random",
    per_class: Annotated[str | None, typer.Option(help="Labels a class, comma between; 1,2,4,8,16, if left out.")] = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Splits; 10, or 20 as published.")] = None,
    head: Annotated[HeadName, typer.Option(help="What learns on frozen features.")] = HeadName.logistic,
    protocol: Annotated[
        CurveProtocol,
        typer.Option(help="grouped; or as-published: that of Lu et al. 2022, stopped by the test side: optimistic."),
    ] = CurveProtocol.grouped,
    group: GroupOption = None,
    sample: SampleOption = None,
    tasks: TasksOption = None,
    metadata: MetadataOption = None,
    backbone: Annotated[str, typer.Option(help="Of the random baseline; the shipped encoder's, if left out.")] = "",
    image_size: Annotated[int | None, typer.Option(min=32, help="Side of the pictures that encoders see, in px.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same curve.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace earlier curves.")] = False,
) -> None:
    """Draw how accuracy grows with labels a class, on frozen features, with random weights and texture beside it.

    Example: morphoscope curve images --labels labels.csv --group Sample --per-class 1,2,4,8 --out curve
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.curve import curve as run
    from morphoscope.errors import MorphoscopeError

    try:
        counts = [int(part) for part in per_class.split(",")] if per_class else ()
    except ValueError:
        raise MorphoscopeError(
            f"--per-class is '{per_class}'; expected whole numbers with commas between, such as 1,2,4,8. Correct it."
        ) from None
    run(
        images,
        out,
        labels=labels or (),
        encoders=parts(encoders),
        per_class=counts,
        repeats=repeats,
        head=head.value,
        protocol=protocol.value,
        group=group,
        sample=sample,
        tasks=parts(tasks),
        metadata=metadata,
        backbone=backbone,
        image_size=image_size,
        seed=seed,
        overwrite=overwrite,
        say=say,
    )
