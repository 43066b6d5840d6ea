"""`morphoscope datasets`: the public data sets, and one of them into a folder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Action(StrEnum):
    """What to do with data sets."""

    list = "list"
    fetch = "fetch"


def datasets(
    action: Annotated[Action, typer.Argument(help="list them, or fetch one.")] = Action.list,
    name: Annotated[str | None, typer.Argument(help="Which one to fetch.")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder for images/ and catalogue.csv.")] = None,
    part: Annotated[list[str] | None, typer.Option(help="Only this part, such as a class of nffa.")] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", "--yes", help="You have read the licence; without it you are asked.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched, with sizes, and fetch nothing.")] = False,
    mirror: Annotated[
        str | None,
        typer.Option(help="Address of a server that keeps copies: https://HOST/PATH is asked for as MIRROR/HOST/PATH."),
    ] = None,
    keep_archives: Annotated[bool, typer.Option("--keep-archives", help="Keep downloads/ after unpacking.")] = False,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Take a record whose counts are not the published ones as it is.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the data set that --to holds.")] = False,
) -> None:
    """List the public data sets of electron micrographs, or fetch one as a catalogue that train takes.

    Example: morphoscope datasets fetch nffa --to nffa --accept-licence
    """
    from morphoscope.errors import MorphoscopeError

    if action is Action.list:
        for line in _table():
            typer.echo(line)
        return
    if name is None or (to is None and not dry_run):
        missing = "NAME" if name is None else "--to DIR"
        raise MorphoscopeError(
            f"datasets fetch: {missing} is missing; expected a data set's name and a folder. `morphoscope datasets` lists the names."
        )

    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.datasets import fetch

    fetch(
        name,
        to or Path(),
        parts=part or (),
        accept_licence=accept_licence or _asked,
        dry_run=dry_run,
        mirror=mirror or "",
        keep_archives=keep_archives,
        accept_changes=accept_changes,
        overwrite=overwrite,
        say=say,
    )


def _asked() -> bool:
    """Whether the person at the terminal accepts the licence that was just shown; nobody does where there is no terminal."""
    import sys

    return sys.stdin.isatty() and typer.confirm("Do you accept the licence?", err=True)


def _table() -> list[str]:
    from morphoscope.apps.verbs.datasets import datasets as known

    rows = [("name", "images", "GB", "licence", "what it is")]
    for one in known():
        images = f"{one.n_images:,}" if one.n_images else "?"
        size = "by hand" if one.by_hand else f"{one.size / 1e9:.1f}" if one.size else "?"
        rows.append((one.name, images, size, one.licence, one.title))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
