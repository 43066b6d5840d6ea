"""`morphoscope serve`: the web page and its API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    archive: Annotated[Path | None, typer.Option(help="The archive that `morphoscope index` wrote.")] = None,
    model: Annotated[Path | None, typer.Option(help="The model folder, or the run folder that holds it.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; any but this machine's own needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0: a free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(envvar="MORPHOSCOPE_TOKEN", help="A token that lets in, as administrator; better in the variable."),
    ] = None,
    tokens: Annotated[Path | None, typer.Option(help="File of tokens with names and roles (viewer, annotator, admin).")] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder that jobs may read and that may be watched; may be given again.")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder for jobs and their results; they outlive the server.")] = None,
    allow_rtsp: Annotated[
        bool, typer.Option(help="Let annotators watch rtsp:// addresses: the server then connects where they say.")
    ] = False,
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Largest request with files, in MB.")] = 512,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are refused.")] = 300_000_000,
) -> None:
    """Open the lab's page: classify, archive, annotate, run jobs and watch live, all on this machine.

    Example: morphoscope serve --model run/model --archive lab.sqlite
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.serve import serve as run

    run(
        model=model,
        archive=archive,
        host=host,
        port=port,
        token=token,
        tokens=tokens,
        data=tuple(data or ()),
        runs=runs,
        allow_rtsp=allow_rtsp,
        max_upload_mb=max_upload_mb,
        max_pixels=max_pixels,
        say=say,
    )
