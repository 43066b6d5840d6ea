"""`morphoscope demo`: the whole tour, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything that the tour makes.")] = Path("morphoscope-demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Fewer pictures: under four minutes on two cores.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier tour in --out.")] = False,
) -> None:
    """Render micrographs, train, evaluate, predict and measure: the whole tour without any data.

    Example: morphoscope demo --quick
    """
    import sys

    from morphoscope.apps.cli.console import repeat_command, say
    from morphoscope.apps.verbs.demo import demo as run

    print(run(out, quick=quick, overwrite=overwrite, say=say, command=repeat_command(sys.argv[1:])))
