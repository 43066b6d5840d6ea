"""`morphoscope predict`: label new pictures with a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.channel import ChannelOption, LostFiles, LostFilesOption
from morphoscope.apps.cli.scale import ScaleOption, ScaleSource


def predict(
    model: Annotated[Path, typer.Argument(help="The model folder, or the run folder that holds it.")],
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Where the table goes; an .xlsx twin is written beside it.")],
    overlay: Annotated[Path | None, typer.Option(help="Folder for copies of the pictures with their labels on a margin.")] = None,
    explain: Annotated[
        Path | None, typer.Option(help="Folder for heat maps: what speaks for each answer, beside the picture.")
    ] = None,
    metadata: Annotated[Path | None, typer.Option(help="Sheet of pixel_size_nm, hv_kv, …; wins over the files.")] = None,
    channel: ChannelOption = None,
    lost_files: LostFilesOption = LostFiles.absent,
    scale: ScaleOption = ScaleSource.auto,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier table.")] = False,
) -> None:
    """Label pictures: the class where the model is sure, its best guess always, a set that holds the truth nine times in ten.

    Example: morphoscope predict run/model new_images --out predictions.csv --overlay labelled
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.predict import predict as run

    run(
        model,
        paths,
        out,
        overlay=overlay,
        explain=explain,
        metadata=metadata,
        channels=channel or (),
        lost_files=lost_files.value,
        scale=scale.value,
        max_pixels=max_pixels,
        overwrite=overwrite,
        say=say,
    )
