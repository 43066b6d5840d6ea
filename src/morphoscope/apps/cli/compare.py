"""`morphoscope compare`: recipes side by side on one data set."""

from __future__ import annotations

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


def compare(
    images: LabelledFolders,
    recipes: Annotated[str, typer.Option(help="Names of recipes or TOML files, comma between.")],
    out: Annotated[Path, typer.Option(help="Folder for compare.csv, report.html and the finished runs.")],
    labels: LabelsOption = None,
    seeds: Annotated[str, typer.Option(help="How many, or which, comma between; each divides the pictures anew.")] = "1",
    split: Annotated[
        str, typer.Option(help="Of what is not set aside: kfold:K, kfold:KxR, 80/20 or logo (leave one group out).")
    ] = "kfold:3",
    untouched: Annotated[
        int, typer.Option(help="Percent of the pictures set aside for the recipe that cross-validation picks; 0: none.")
    ] = 20,
    group: GroupOption = None,
    sample: SampleOption = None,
    tasks: TasksOption = None,
    metadata: MetadataOption = None,
    scale: Annotated[ScaleSource | None, SCALE] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="Where every network starts: random, auto, default or a model folder; none: as in the recipe."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of every fit, stages together, and of pretraining; none: as in the recipe.")
    ] = None,
    time_budget: Annotated[
        float | None, typer.Option(min=0.01, help="Minutes that each fit may take, the same for all recipes.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes of one thread each; as many as cores, if left out.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting for all recipes: fit.batch_size=16.")] = None,
) -> None:
    """Train recipes on the same splits; which is right how often, which differ, at what cost. The same command goes on with it.

    Example: morphoscope compare images --labels labels.csv --group Sample --recipes default,mine.toml --seeds 3 --out comparison
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.compare import compare as run

    run(
        images,
        out,
        labels=labels or (),
        recipes=parts(recipes),
        seeds=_seeds(seeds),
        split=split,
        untouched=untouched,
        group=group,
        sample=sample,
        metadata=metadata,
        scale=scale.value if scale else None,
        tasks=parts(tasks),
        encoder=encoder,
        epochs=epochs,
        time_budget_min=time_budget,
        jobs=jobs,
        settings=set_ or (),
        say=say,
    )


def _seeds(text: str) -> list[int]:
    """`3` means the seeds 0, 1 and 2; `3,` and `0,1,2` are lists."""
    from morphoscope.errors import MorphoscopeError

    try:
        numbers = [int(part) for part in parts(text)]
    except ValueError:
        raise MorphoscopeError(
            f"--seeds is '{text}'; expected how many, such as 3, or which, such as 0,1,2. Correct it."
        ) from None
    return list(range(numbers[0])) if len(numbers) == 1 and "," not in text else numbers
