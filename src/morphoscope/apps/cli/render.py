"""`morphoscope render`: a folder of rendered micrographs with their labels, masks and true sizes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Layout(StrEnum):
    """How the pictures lie in images/."""

    flat = "flat"
    folders = "folders"


class FileFormat(StrEnum):
    """Of the pictures."""

    tif = "tif"
    png = "png"


def render(
    kind: Annotated[
        str, typer.Argument(help="sem10, tem-nanowires, tem-particles, sem-particles, particles, sizes, materials or accords.")
    ],
    count: Annotated[int, typer.Option(min=1, help="How many pictures in all; the classes take turns.")],
    out: Annotated[Path, typer.Option(help="Folder for images/, instance_maps/, labels.csv, truth.csv and objects.csv.")],
    size: Annotated[str, typer.Option(help="Side in pixels, or HEIGHTxWIDTH.")] = "256",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other pictures; the same seed, the same pictures.")] = 0,
    layout: Annotated[Layout, typer.Option(help="flat, or folders: one a class, for kinds with one task.")] = Layout.flat,
    difficulty: Annotated[float, typer.Option(min=0, max=1, help="0: clean pictures; 1: noisy, blurred, low in contrast.")] = 0.5,
    bits: Annotated[int, typer.Option(help="8 or 16 bits a pixel.")] = 8,
    bar: Annotated[float, typer.Option(min=0, max=1, help="Part of the pictures with an information bar or scale bar.")] = 0.5,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="tif with the maker's tags, or png without.")
    ] = FileFormat.tif,
    workers: Annotated[int, typer.Option(min=1, help="Processes that render side by side.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace a rendered set that --out already holds.")] = False,
) -> None:
    """Render micrographs whose labels, masks and sizes in nm are known exactly.

    Example: morphoscope render sem10 --count 200 --size 256 --seed 1 --layout folders --out rendered
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from morphoscope.synthesis import write_dataset

    console = Console(stderr=True)
    columns = (TextColumn("Rendering {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task(kind, total=count)
        write_dataset(
            kind,
            count,
            out,
            size=_size(size),
            seed=seed,
            layout=layout.value,
            workers=workers,
            overwrite=overwrite,
            file_format=file_format.value,
            progress=lambda: shown.advance(task),
            difficulty=difficulty,
            bits=bits,
            bar=bar,
        )


def _size(text: str) -> tuple[int, int]:
    """(height, width) of `256` or `768x1024`."""
    from morphoscope.errors import MorphoscopeError

    height, _, width = text.lower().partition("x")
    try:
        return int(height), int(width or height)
    except ValueError:
        raise MorphoscopeError(
            f"--size is '{text}'; expected a side in pixels such as 256, or HEIGHTxWIDTH such as 768x1024."
        ) from None
