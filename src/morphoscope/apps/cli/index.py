"""`morphoscope index`: pictures into an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.channel import ChannelOption, LostFiles, LostFilesOption
from morphoscope.apps.cli.scale import ScaleOption, ScaleSource


def index(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them; they stay where they are.")],
    archive: Annotated[Path, typer.Option(help="The archive, one file; a new one is made.")],
    model: Annotated[
        str, typer.Option(help="A model's folder, whose answers are kept; default: features to find pictures by, no answers.")
    ] = "default",
    measure: Annotated[
        bool, typer.Option("--measure", help="Find and measure objects too, which takes seconds a picture.")
    ] = False,
    metadata: Annotated[
        Path | None, typer.Option(help="Sheet of sample, notes, pixel_size_nm, hv_kv, …; wins over the files.")
    ] = None,
    channel: ChannelOption = None,
    lost_files: LostFilesOption = LostFiles.absent,
    scale: ScaleOption = ScaleSource.auto,
    retry: Annotated[bool, typer.Option("--retry", help="Read again what could not be read before.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
) -> None:
    """Bring an archive up to date with pictures: metadata, scale, a model's answers, and features for finding similar ones.

    Files that did not change are skipped, so run it again whenever pictures were added; stopped at any time, it goes on there.

    Example: morphoscope index /data/micrographs --archive lab.archive --model run
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.index import index as run

    run(
        paths,
        archive,
        model=model,
        measure=measure,
        metadata=metadata,
        channels=channel or (),
        lost_files=lost_files.value,
        scale=scale.value,
        retry=retry,
        max_pixels=max_pixels,
        say=say,
    )
