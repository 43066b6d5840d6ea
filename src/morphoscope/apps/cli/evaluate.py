"""`morphoscope evaluate`: measure a model on labelled pictures that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.channel import ChannelOption, LostFiles, LostFilesOption
from morphoscope.apps.cli.scale import ScaleOption, ScaleSource


def evaluate(
    model: Annotated[Path, typer.Argument(help="The model folder, or the run folder that holds it.")],
    images: Annotated[list[Path], typer.Argument(help="Folders of labelled pictures.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics.json, predictions.csv and report.html.")],
    labels: Annotated[list[Path] | None, typer.Option(help="Label sheet; without it, folder names are the classes.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of what belongs together, for honest intervals.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="Sheet of pixel_size_nm, hv_kv, …; wins over the files.")] = None,
    channel: ChannelOption = None,
    lost_files: LostFilesOption = LostFiles.absent,
    scale: ScaleOption = ScaleSource.auto,
    overwrite: Annotated[bool, typer.Option(help="Replace the evaluation that --out holds.")] = False,
) -> None:
    """Score a model on labelled pictures.

    Example: morphoscope evaluate run/model test_images --labels test.csv --group Sample --out evaluation
    """
    import sys

    from morphoscope.apps.cli.console import repeat_command, say
    from morphoscope.apps.verbs.evaluate import evaluate as run

    run(
        model,
        images,
        labels=labels or (),
        group=group,
        metadata=metadata,
        channels=channel or (),
        lost_files=lost_files.value,
        scale=scale.value,
        out=out,
        overwrite=overwrite,
        say=say,
        command=repeat_command(sys.argv[1:]),
    )
