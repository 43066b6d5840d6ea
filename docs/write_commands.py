"""Writes docs/commands.md from the command line itself: run `python docs/write_commands.py` after any change of an option."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from morphoscope.apps.cli.main import app

PAGE = Path(__file__).with_name("commands.md")
HEAD = """# Commands

Every command, argument and option; `morphoscope COMMAND --help` says the same. Results go where `--out` says, messages to
stderr. Exit codes: 0 done, 2 bad usage or bad input with one sentence on stderr, 130 stopped with Ctrl-C.

<!-- Written by docs/write_commands.py: change the command, then run that. -->
"""


def commands_page() -> str:
    """The page as text."""
    functions = [info.callback for info in app.registered_commands if info.callback]
    return "\n".join([HEAD, *(line for function in functions for line in _section(function))])


def _section(function: Callable[..., Any]) -> Iterator[str]:
    text, _, example = (inspect.getdoc(function) or "").partition("Example:")
    yield from (f"## {function.__name__}", "", text.strip(), "")
    if example:
        yield from ("```console", f"$ {example.strip()}", "```", "")
    rows = list(_rows(function))
    if rows:
        yield from ("| Argument or option | What it is | Default |", "|---|---|---|", *rows, "")


def _rows(function: Callable[..., Any]) -> Iterator[str]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        annotation, info = get_args(hints[name])
        takes, is_flag, is_repeated = _takes(annotation)
        takes = info.metavar or takes
        if isinstance(info, ArgumentInfo):
            spelling = (info.metavar or name.upper()) + ("..." if is_repeated and not info.metavar else "")
        else:
            option = _spelling(name, info, is_flag)
            spelling = option if is_flag else f"{option} {takes}"
        times = " Can be given several times." if is_repeated and isinstance(info, OptionInfo) else ""
        yield f"| `{_cell(spelling)}` | {_cell(info.help or '')}{times} | {_default(parameter.default, is_flag)} |"


def _spelling(name: str, info: OptionInfo, is_flag: bool) -> str:
    # In Annotated, typer keeps the first spelling given in the place of the default.
    given = [each for each in (info.default, *(info.param_decls or ())) if isinstance(each, str)]
    usual = [f"--{name.replace('_', '-')}", *([f"--no-{name.replace('_', '-')}"] if is_flag else [])]
    return ", ".join(given or usual)


def _takes(annotation: Any) -> tuple[str, bool, bool]:
    """What an option takes, whether it is a flag, and whether it can be given several times."""
    if NoneType in get_args(annotation):
        annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
    if get_origin(annotation) in (list, tuple):
        takes, is_flag, _ = _takes(get_args(annotation)[0])
        return takes, is_flag, True
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation))), False, False
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "|".join(str(each.value) for each in annotation), False, False
    return {Path: "PATH", int: "N", float: "X"}.get(annotation, "TEXT"), annotation is bool, False


def _default(default: Any, is_flag: bool) -> str:
    if default is inspect.Parameter.empty:
        return "needed"
    return "" if default is None or is_flag else f"`{default.value if isinstance(default, Enum) else default}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8", newline="\n")
