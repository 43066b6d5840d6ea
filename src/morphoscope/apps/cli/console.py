"""What commands say: progress to stderr, so that stdout stays free for results."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from morphoscope.apps.verbs.arguments import command_line


def say(line: str) -> None:
    """One message to the person at the terminal."""
    print(line, file=sys.stderr, flush=True)


def repeat_command(arguments: Sequence[str]) -> str:
    """The command line that repeats a run."""
    return command_line(*(argument for argument in arguments if argument not in ("--resume", "--overwrite")))
