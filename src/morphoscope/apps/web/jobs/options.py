"""What a job may be asked: the options of its command, each checked before a process sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from morphoscope.apps.web.answers.jobs import JobKind
from morphoscope.errors import MorphoscopeError, did_you_mean

Value = str | int | float | bool | list[str]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LONGEST = 500
_MOST_PATHS = 1000


@dataclass(frozen=True)
class AllowedPaths:
    """The folders that jobs may read."""

    roots: Sequence[Path]

    def checked(self, option: str, text: str) -> str:
        """The path, where it lies in one of the folders, links followed. Raises MorphoscopeError."""
        wanted = Path(text)
        places = [wanted] if wanted.is_absolute() else [root / wanted for root in self.roots]
        for place in places:
            real = _resolved(place)
            if real is not None and any(real == root or real.is_relative_to(root) for root in self.roots):
                return str(real)
        listed = ", ".join(str(root) for root in self.roots) or "none"
        raise MorphoscopeError(
            f"{option}: '{text[:200]}' is not there, or lies outside of the folders that jobs may read ({listed}); expected a path in "
            "one of them. Move it there, or start the server with --data FOLDER."
        )


Check = Callable[[str, Value, AllowedPaths], list[str]]
"""Gives the words of the command line for an option, from its name and value. Raises MorphoscopeError."""


def _path(option: str, value: Value, allowed: AllowedPaths) -> list[str]:
    return [f"--{option}={allowed.checked(option, _text_of(option, value))}"]


def _named_or_path(option: str, value: Value, allowed: AllowedPaths) -> list[str]:
    text = _text_of(option, value)
    is_name = _NAME.fullmatch(text) and not text.endswith(".toml")
    return [f"--{option}={text if is_name else allowed.checked(option, text)}"]


def _text(option: str, value: Value, allowed: AllowedPaths) -> list[str]:
    return [f"--{option}={_text_of(option, value)}"]


def _number(option: str, value: Value, allowed: AllowedPaths) -> list[str]:
    try:
        number = float(value) if not isinstance(value, bool | list) else None
    except ValueError:
        number = None
    if number is None or not abs(number) < 1e12:
        raise MorphoscopeError(f"{option}: '{str(value)[:80]}' is no number; expected one. Correct it.")
    return [f"--{option}={int(number) if number.is_integer() else number}"]


def _yes(option: str, value: Value, allowed: AllowedPaths) -> list[str]:
    if not isinstance(value, bool):
        raise MorphoscopeError(f"{option}: '{str(value)[:80]}' is neither true nor false; expected one of them.")
    return [f"--{option}"] if value else []


def _text_of(option: str, value: Value) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise MorphoscopeError(f"{option}: expected a text of at most {_LONGEST} printable characters. Correct it.")
    return value


_TRAIN: dict[str, Check] = {
    **dict.fromkeys(("labels", "metadata", "masks", "schema"), _path),
    **dict.fromkeys(("recipe", "encoder"), _named_or_path),
    **dict.fromkeys(("group", "sample", "split", "tasks", "scale"), _text),
    **dict.fromkeys(("epochs", "time-budget", "seed"), _number),
    **dict.fromkeys(("refit", "ablate"), _yes),
}
_PREDICT: dict[str, Check] = {"metadata": _path, "scale": _text, "max-pixels": _number}
_MEASURE: dict[str, Check] = {
    **dict.fromkeys(("model", "masks", "metadata", "classes"), _path),
    **dict.fromkeys(("scale", "kind", "class-column", "border", "sample"), _text),
    **dict.fromkeys(("min-focus", "precision", "max-pixels"), _number),
}
_OPTIONS: dict[JobKind, dict[str, Check]] = {"train": _TRAIN, "predict": _PREDICT, "measure": _MEASURE}
_ARGUMENTS: dict[JobKind, tuple[str, ...]] = {"train": ("images",), "predict": ("model", "paths"), "measure": ("paths",)}


def command(kind: JobKind, options: Mapping[str, Value], allowed: AllowedPaths, out: Path) -> list[str]:
    """The words after `morphoscope`. Raises MorphoscopeError for an option that there isn't, a bad value, or a path elsewhere."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    known = _OPTIONS[kind]
    words: list[str] = [kind]
    for name in _ARGUMENTS[kind]:
        if not given.get(name):
            raise MorphoscopeError(f"{kind}: '{name}' is missing; expected a path on the server. Fill it in.")
        words += _argument_paths(name, given.pop(name), allowed)
    for name, value in given.items():
        if name not in known:
            expected = (*_ARGUMENTS[kind], *known)
            raise MorphoscopeError(
                f"{kind}: there is no option '{name[:80]}' here; expected one of {', '.join(expected)}.{did_you_mean(name, expected)}"
            )
        words += known[name](name, value, allowed)
    return words + _results(kind, out)


def _results(kind: JobKind, out: Path) -> list[str]:
    if kind == "train":
        return [f"--out={out}"]
    if kind == "predict":
        return [f"--out={out / 'predictions.csv'}"]
    return [f"--out={out / 'measurements.csv'}", f"--report={out}"]


def _argument_paths(name: str, value: Value, allowed: AllowedPaths) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > _MOST_PATHS:
        raise MorphoscopeError(f"{name}: {len(texts)} paths; expected at most {_MOST_PATHS}. Name their folder.")
    return [allowed.checked(name, _text_of(name, text)) for text in texts]


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
