"""`morphoscope train`: from a folder and a label sheet to a model and a report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.channel import ChannelOption, LostFilesWhenTraining
from morphoscope.apps.cli.scale import SCALE, ScaleSource


class MaskKind(StrEnum):
    """What the numbers of masks mean."""

    auto = "auto"
    instance = "instance"
    binary = "binary"
    multi_class = "multi-class"


class Unmatched(StrEnum):
    """What becomes of labels outside the schema."""

    error = "error"
    blank = "blank"


def train(
    images: Annotated[
        list[Path] | None, typer.Argument(help="One or more folders of micrographs; those of the recipe, if left out.")
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Label sheet (.csv, .xlsx, .xlsm); once for all folders, or once a folder. None: folder names."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose values never straddle a split: specimen, paper, session.")
    ] = None,
    sample: Annotated[str | None, typer.Option(help="Column that names the specimen; kept together in a split.")] = None,
    metadata: Annotated[
        Path | None, typer.Option(help="Sheet of pixel_size_nm, hv_kv, … and further columns; wins over the files.")
    ] = None,
    scale: Annotated[ScaleSource | None, SCALE] = None,
    channel: ChannelOption = None,
    lost_files: LostFilesWhenTraining = None,
    schema: Annotated[Path | None, typer.Option(help="TOML with the allowed classes a task and their order.")] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Learn objects in place of labels: a folder of masks (PNG, TIFF), each of its picture's stem and size."
        ),
    ] = None,
    mask_kind: Annotated[
        MaskKind | None, typer.Option(help="What the masks' numbers mean, where the rule that looks at all of them errs.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Only these columns of the sheet, comma between.")] = None,
    unmatched: Annotated[
        Unmatched | None, typer.Option(help="Labels outside the schema: an error, which is usual, or blank to leave them out.")
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(help="A recipe's name, as docs/recipes.md lists them, or a TOML file; a run's recipe.toml repeats it."),
    ] = "default",
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Where the network starts: auto, default, random, a model folder; with --masks also default-segmenter."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the training pictures.")] = None,
    time_budget: Annotated[float | None, typer.Option(min=0.1, help="Minutes that the whole command may take.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same numbers on one machine.")] = None,
    split: Annotated[
        str | None, typer.Option(help="80/20, 70/20/10, kfold:5x1 (folds x repeats) or logo (leave one group out).")
    ] = None,
    refit: Annotated[bool | None, typer.Option(help="Train the final model again on every picture.")] = None,
    ablate: Annotated[
        bool | None, typer.Option(help="Also retrain on the image alone, on metadata alone, and on each channel alone.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any setting of the recipe: fit.learning_rate=0.002.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the model, report.html and all figures.")] = Path("morphoscope-run"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run that --out holds.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that --out holds.")] = False,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="How often the state is kept for --resume, at the end of an epoch.")
    ] = 20.0,
) -> None:
    """Learn every column of a label sheet at once, from pixels and instrument metadata.

    Example: morphoscope train images --labels labels.xlsx --group Sample --out run
    """
    import sys
    import time

    began = time.monotonic()

    from morphoscope.apps.cli.console import repeat_command, say
    from morphoscope.apps.cli.train_masks import learns_objects, train_on_masks

    if learns_objects(masks, mask_kind, recipe):
        train_on_masks(locals(), began)
        return
    from morphoscope.apps.verbs.train import train as run
    from morphoscope.apps.verbs.train import where_it_stopped

    command = repeat_command(sys.argv[1:])
    try:
        run(
            images or (),
            labels=labels or (),
            group=group,
            sample=sample,
            metadata=metadata,
            scale=scale.value if scale else None,
            channels=channel or (),
            lost_files=lost_files.value if lost_files else None,
            schema=schema,
            tasks=[name.strip() for name in tasks.split(",")] if tasks else (),
            unmatched=unmatched.value if unmatched else None,
            recipe=recipe,
            encoder=encoder,
            epochs=epochs,
            time_budget_min=time_budget,
            seed=seed,
            split=split,
            refit=refit,
            ablate=ablate,
            settings=set_ or (),
            out=out,
            resume=resume,
            overwrite=overwrite,
            checkpoint_seconds=checkpoint_seconds,
            say=say,
            command=command,
            began=began,
        )
    except KeyboardInterrupt:
        say(where_it_stopped(out, command))
        raise typer.Exit(130) from None
