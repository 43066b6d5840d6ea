"""`morphoscope doctor`: what is installed, what is missing, and the command that adds it."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Say what this installation can do.

    Example: morphoscope doctor
    """
    from morphoscope.apps.verbs.doctor import examine

    for finding in examine():
        typer.echo(f"{'ok     ' if finding.is_fine else 'missing'}  {finding.what}")
        if finding.remedy:
            typer.echo(f"         {finding.remedy}")
