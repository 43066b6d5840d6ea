"""What the verbs take from Python: a path or several, as text or Path, and someone who listens."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

PathLike = str | os.PathLike[str]
Paths = PathLike | Iterable[PathLike]

Say = Callable[[str], None]
"""Hears, line by line, what the command line would print."""


def silent(line: str) -> None:
    """Hears and says nothing."""


def as_path(path: PathLike | None) -> Path | None:
    """The Path, where there is one."""
    return None if path is None else Path(path)


def as_paths(paths: Paths) -> tuple[Path, ...]:
    """One path or several as Paths."""
    return (Path(paths),) if isinstance(paths, str | os.PathLike) else tuple(Path(path) for path in paths)


def command_line(*words: object) -> str:
    """The line that a person types for `morphoscope` with these words, quoted for the platform's shell."""
    text = ["morphoscope", *map(str, words)]
    return subprocess.list2cmdline(text) if os.name == "nt" else shlex.join(text)
