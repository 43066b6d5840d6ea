"""`morphoscope train`: from a folder and a label sheet to a model and a report."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.channel import ChannelOption, LostFilesWhenTraining
from morphoscope.apps.cli.labelled import (
    GroupOption,
    LabelsOption,
    MetadataOption,
    SampleOption,
    SettingsOption,
    TasksOption,
    as_words,
)
from morphoscope.apps.cli.masked import MaskKindOption, MasksOption
from morphoscope.apps.cli.scale import SCALE, ScaleSource


class Unmatched(StrEnum):
    """What becomes of labels outside the schema."""

    error = "error"
    blank = "blank"


ImagesArgument = Annotated[
    list[Path] | None, typer.Argument(help="One or more folders of micrographs; those of the recipe, if left out.")
]
SchemaOption = Annotated[Path | None, typer.Option(help="TOML with the allowed classes a task and their order.")]
UnmatchedOption = Annotated[
    Unmatched | None, typer.Option(help="Labels outside the schema: an error, which is usual, or blank to leave them out.")
]
RecipeOption = Annotated[
    str, typer.Option(help="A recipe's name, as docs/recipes.md lists them, or a TOML file; a run's recipe.toml repeats it.")
]
EncoderOption = Annotated[
    str | None,
    typer.Option(help="Where the network starts: auto, default, random, a model folder; with --masks also default-segmenter."),
]
EpochsOption = Annotated[int | None, typer.Option(min=1, help="Passes over the training pictures.")]
BudgetOption = Annotated[float | None, typer.Option(min=0.1, help="Minutes that the whole command may take.")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same numbers on one machine.")]
SplitOption = Annotated[
    str | None, typer.Option(help="80/20, 70/20/10, kfold:5x1 (folds x repeats) or logo (leave one group out).")
]
RefitOption = Annotated[bool | None, typer.Option(help="Train the final model again on every picture.")]
AblateOption = Annotated[
    bool | None, typer.Option(help="Also retrain on the image alone, on metadata alone, and on each channel alone.")
]
OutOption = Annotated[Path, typer.Option(help="Folder for the model, report.html and all figures.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run that --out holds.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace the run that --out holds.")]
CheckpointOption = Annotated[float, typer.Option(min=0, help="How often the state is kept for --resume, at the end of an epoch.")]


def train(
    images: ImagesArgument = None,
    labels: LabelsOption = None,
    group: GroupOption = None,
    sample: SampleOption = None,
    metadata: MetadataOption = None,
    scale: Annotated[ScaleSource | None, SCALE] = None,
    channel: ChannelOption = None,
    lost_files: LostFilesWhenTraining = None,
    schema: SchemaOption = None,
    masks: MasksOption = None,
    mask_kind: MaskKindOption = None,
    tasks: TasksOption = None,
    unmatched: UnmatchedOption = None,
    recipe: RecipeOption = "default",
    encoder: EncoderOption = None,
    epochs: EpochsOption = None,
    time_budget: BudgetOption = None,
    seed: SeedOption = None,
    split: SplitOption = None,
    refit: RefitOption = None,
    ablate: AblateOption = None,
    set_: SettingsOption = None,
    out: OutOption = Path("morphoscope-run"),
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    checkpoint_seconds: CheckpointOption = 20.0,
) -> None:
    """Learn every column of a label sheet at once, from pixels and instrument metadata.

    Example: morphoscope train images --labels labels.xlsx --group Sample --out run
    """
    options, began = as_words(locals()), time.monotonic()

    from morphoscope.apps.cli.train_labels import train_on_labels
    from morphoscope.apps.cli.train_masks import learns_objects, train_on_masks

    learn = train_on_masks if learns_objects(masks, mask_kind, recipe) else train_on_labels
    learn(options, began)
