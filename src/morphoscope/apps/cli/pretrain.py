"""`morphoscope pretrain`: learn an encoder from unlabelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pretrain(
    images: Annotated[list[Path], typer.Argument(help="Folders of micrographs, or pictures; no labels needed.")],
    out: Annotated[Path, typer.Option(help="Folder for encoder.safetensors, its figures and the sheet of neighbours.")],
    method: Annotated[
        str, typer.Option(help="simclr, barlow-twins, vicreg, byol, mae, lu-simclr, lu-barlow-twins, or a recipe's .toml file.")
    ] = "simclr",
    backbone: Annotated[
        str | None,
        typer.Option(help="Any timm name, such as resnet50; if left out, the shipped encoder's, for mae a small transformer."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Where it starts: auto (the shipped encoder, where it fits), default, random, or a folder.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the pictures.")] = None,
    time_budget: Annotated[float | None, typer.Option(min=0.1, help="Minutes that the whole command may take.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same numbers on one machine.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Label sheet for probes while it runs; nothing is learned from it.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of that sheet whose values the probes never divide.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any setting of the recipe: learning.batch_size=32.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run that --out holds.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the encoder that --out holds.")] = False,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="How often the state is kept for --resume, at the end of an epoch.")
    ] = 20.0,
) -> None:
    """Learn an encoder from pictures without labels; `train --encoder` then starts from it.

    Example: morphoscope pretrain all_images --method simclr --out encoder
    """
    import time

    began = time.monotonic()

    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.pretrain import pretrain as run

    run(
        images,
        out,
        method=method,
        backbone=backbone,
        encoder=encoder,
        epochs=epochs,
        time_budget_min=time_budget,
        seed=seed,
        labels=labels,
        group=group,
        settings=set_ or (),
        resume=resume,
        overwrite=overwrite,
        checkpoint_seconds=checkpoint_seconds,
        say=say,
        began=began,
    )
