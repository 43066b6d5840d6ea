"""`morphoscope curve`: accuracy against labels a class, or objects found against masks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from morphoscope.apps.cli.labelled import (
    GroupOption,
    LabelledFolders,
    LabelsOption,
    MetadataOption,
    SampleOption,
    TasksOption,
    as_words,
    parts,
    whole_numbers,
)
from morphoscope.apps.cli.masked import MaskKindOption, MasksOption, refuse

_OF_MASKS = ("counts", "steps", "mask_kind")
"""Options of a curve of masks alone."""


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
    out: Annotated[Path, typer.Option(help="Folder for curve.csv, curve.html and what belongs to them.")],
    labels: LabelsOption = None,
    encoders: Annotated[
        str | None,
        typer.Option(
            help="Folders of encoders or models, comma between; default, texture and random are always drawn. With --masks only "
            "those named; default-segmenter,default,random, if left out; frozen:default is one that stays as it is."
        ),
    ] = None,
    per_class: Annotated[str | None, typer.Option(help="Labels a class, comma between; 1,2,4,8,16, if left out.")] = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Splits; 10, or 20 as published. With --masks: draws; 2.")] = None,
    head: Annotated[HeadName | None, typer.Option(help="What learns on frozen features; logistic, if left out.")] = None,
    protocol: Annotated[
        CurveProtocol | None,
        typer.Option(help="grouped; or as-published: that of Lu et al. 2022, stopped by the test side: optimistic."),
    ] = None,
    masks: MasksOption = None,
    mask_kind: MaskKindOption = None,
    counts: Annotated[str | None, typer.Option(help="With --masks: how many to learn from, comma between; 1,4,16.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="With --masks: of every fit; 400.")] = None,
    group: GroupOption = None,
    sample: SampleOption = None,
    tasks: TasksOption = None,
    metadata: MetadataOption = None,
    backbone: Annotated[str, typer.Option(help="Of the random baseline; the shipped encoder's, if left out.")] = "",
    image_size: Annotated[int | None, typer.Option(min=32, help="Side of the pictures that encoders see, in px.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same curve.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace earlier curves.")] = False,
) -> None:
    """Draw how accuracy grows with labels a class, on frozen features; with --masks, how well objects are found after so many.

    Example: morphoscope curve images --labels labels.csv --group Sample --per-class 1,2,4,8 --out curve
    """
    options = as_words(locals())
    if masks is not None:
        from morphoscope.apps.cli.curve_masks import curve_of_masks

        curve_of_masks(options)
    else:
        refuse(options, dict.fromkeys(_OF_MASKS, "without masks; expected --masks DIR beside it"))
        _curve_of_labels(options)


def _curve_of_labels(options: Mapping[str, Any]) -> None:
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.curve import curve as run

    run(
        options["images"],
        options["out"],
        labels=options["labels"] or (),
        encoders=parts(options["encoders"]),
        per_class=whole_numbers(options["per_class"], "--per-class", "1,2,4,8"),
        repeats=options["repeats"],
        head=options["head"] or "logistic",
        protocol=options["protocol"] or "grouped",
        group=options["group"],
        sample=options["sample"],
        tasks=parts(options["tasks"]),
        metadata=options["metadata"],
        backbone=options["backbone"],
        image_size=options["image_size"],
        seed=options["seed"],
        overwrite=options["overwrite"],
        say=say,
    )
