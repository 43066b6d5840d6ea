"""`morphoscope`: one command a file beside this one; every error a sentence, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps

# Waiting threads that spin starve each other on a busy machine: a training beside another program becomes ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import typer

from morphoscope.apps.cli.compare import compare
from morphoscope.apps.cli.curve import curve
from morphoscope.apps.cli.datasets import datasets
from morphoscope.apps.cli.demo import demo
from morphoscope.apps.cli.doctor import doctor
from morphoscope.apps.cli.embed import embed
from morphoscope.apps.cli.evaluate import evaluate
from morphoscope.apps.cli.index import index
from morphoscope.apps.cli.inspect import inspect
from morphoscope.apps.cli.measure import measure
from morphoscope.apps.cli.predict import predict
from morphoscope.apps.cli.pretrain import pretrain
from morphoscope.apps.cli.render import render
from morphoscope.apps.cli.search import search
from morphoscope.apps.cli.segment import segment
from morphoscope.apps.cli.serve import serve
from morphoscope.apps.cli.suggest import suggest
from morphoscope.apps.cli.sweep import sweep
from morphoscope.apps.cli.train import train
from morphoscope.apps.cli.watch import watch
from morphoscope.errors import MorphoscopeError


def stoppable(command: Callable[..., None]) -> Callable[..., None]:
    """The command, which answers Ctrl-C with exit code 130; typer by itself says "Aborted!" and 1."""

    @wraps(command)
    def run(*arguments: object, **options: object) -> None:
        try:
            command(*arguments, **options)
        except KeyboardInterrupt:
            print("Stopped. What was written until now is kept.", file=sys.stderr)
            raise typer.Exit(130) from None

    return run


app = typer.Typer(
    help="Folders of electron micrographs become scales, labels, measurements and reports.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo,
    inspect,
    train,
    predict,
    evaluate,
    segment,
    measure,
    compare,
    sweep,
    pretrain,
    curve,
    suggest,
    embed,
    serve,
    watch,
    index,
    search,
    render,
    datasets,
    doctor,
):
    app.command(command.__name__)(stoppable(command))


def _show_version(wanted: bool) -> None:
    if wanted:
        from morphoscope import __version__

        typer.echo(f"morphoscope {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_show_version, help="Show the version."),
) -> None:
    """Folders of electron micrographs become scales, labels, measurements and reports."""


def main() -> None:
    """Runs the command line. Exit code 0: done; 2: bad usage or input; 130: stopped by the user."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that can't show µ still shows the rest
    try:
        app()
    except MorphoscopeError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where, reason = error.filename or "the system", error.strerror or error
        print(
            f"Error: {where}: can't be read or written ({reason}); expected a place with the rights and the room. "
            "Check both, and what was written until now is kept.",
            file=sys.stderr,
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
