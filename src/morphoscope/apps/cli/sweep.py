"""`morphoscope sweep`: settings of a recipe that suit some pictures."""

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
from morphoscope.apps.cli.scale import SCALE, ScaleSource


class PruningRule(StrEnum):
    """Which trials are ended before their time."""

    median = "median"
    hyperband = "hyperband"
    none = "none"


def sweep(
    images: LabelledFolders,
    space: Annotated[Path, typer.Option(help="TOML file: settings, and what each may be.")],
    out: Annotated[Path, typer.Option(help="Folder for sweep.csv, best.toml and report.html.")],
    labels: LabelsOption = None,
    recipe: Annotated[str, typer.Option(help="What the settings belong to: a recipe's name, or a TOML file.")] = "default",
    trials: Annotated[int, typer.Option(min=1, help="In all, with those of an interrupted sweep.")] = 20,
    time_budget: Annotated[
        float | None, typer.Option(min=0.01, help="Minutes for all trials: none begins that would end later.")
    ] = None,
    untouched: Annotated[
        int, typer.Option(min=0, max=50, help="Percent of the pictures set aside for the best trial; 0: none.")
    ] = 20,
    pruning: Annotated[PruningRule, typer.Option(help="Which trials are ended before their time.")] = PruningRule.median,
    seed: Annotated[int, typer.Option(min=0, help="Of the search and of every network.")] = 0,
    group: GroupOption = None,
    sample: SampleOption = None,
    tasks: TasksOption = None,
    metadata: MetadataOption = None,
    scale: Annotated[ScaleSource | None, SCALE] = None,
    encoder: Annotated[str | None, typer.Option(help="Where networks start; none: as in the recipe.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of every trial, where the space does not say.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Trials at a time, one thread each; as many as cores, if left out.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting of every trial: fit.batch_size=16.")] = None,
) -> None:
    """Try settings of a recipe; the best become a recipe, tested once on pictures set aside. The same command goes on with it.

    Example: morphoscope sweep images --labels labels.csv --group Sample --recipe default --space space.toml --trials 30 --out sweep
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.sweep import sweep as run

    run(
        images,
        out,
        space=space,
        labels=labels or (),
        recipe=recipe,
        trials=trials,
        time_budget_min=time_budget,
        untouched=untouched,
        pruning=pruning.value,
        seed=seed,
        group=group,
        sample=sample,
        metadata=metadata,
        scale=scale.value if scale else None,
        tasks=parts(tasks),
        encoder=encoder,
        epochs=epochs,
        jobs=jobs,
        settings=set_ or (),
        say=say,
    )
