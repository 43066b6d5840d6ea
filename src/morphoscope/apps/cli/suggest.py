"""`morphoscope suggest`: what to label next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.channel import ChannelOption, LostFiles, LostFilesOption
from morphoscope.apps.cli.labelled import GroupOption, SampleOption, TasksOption, parts


class Strategy(StrEnum):
    """What a choice goes by."""

    mix = "mix"
    uncertainty = "uncertainty"
    coverage = "coverage"
    typical = "typical"


def suggest(
    model: Annotated[str, typer.Argument(help="A model's folder; as long as there is none, default or an encoder's folder.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures without labels, folders of them, or data sets.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures in all.")] = 20,
    out: Annotated[Path, typer.Option(help="The queue, the most urgent picture first.")] = Path("queue.csv"),
    strategy: Annotated[
        Strategy, typer.Option(help="mix; or uncertainty, coverage (core-set) or typical (a picture a cluster) alone.")
    ] = Strategy.mix,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            help="Sheets of what is labelled already: pictures with a label for any task (of the model, or as train finds them) are "
            "left out. They count as covered by coverage and typical, and by mix as long as there is no model."
        ),
    ] = None,
    group: GroupOption = None,
    sample: SampleOption = None,
    tasks: TasksOption = None,
    metadata: Annotated[Path | None, typer.Option(help="Sheet of pixel_size_nm, hv_kv, …; wins over the files.")] = None,
    channel: ChannelOption = None,
    lost_files: LostFilesOption = LostFiles.absent,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same queue.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier queue.")] = False,
) -> None:
    """Choose the pictures whose labels would teach a model most.

    Example: morphoscope suggest run unlabelled --count 20 --out queue.csv
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.suggest import suggest as run

    run(
        model,
        images,
        out,
        count=count,
        strategy=strategy.value,
        labels=labels or (),
        group=group,
        sample=sample,
        tasks=parts(tasks),
        metadata=metadata,
        channels=channel or (),
        lost_files=lost_files.value,
        seed=seed,
        overwrite=overwrite,
        say=say,
    )
