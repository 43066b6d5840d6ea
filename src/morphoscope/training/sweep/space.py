"""The space of a sweep: which settings of a recipe may take which values. A TOML file, checked against the recipe.

"fit.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
"model.backbone" = ["resnet10t", "mobilenetv3_small_050"]
"fit.epochs" = { low = 4, high = 16, step = 4 }
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.training.recipe import Recipe, checked_recipe, setting_names

_RANGE = ("low", "high", "log", "step")
_KEYS = (*_RANGE, "choices")
_NOT_SWEPT = (
    "data.",
    "name",
    "seed",
    "split.",
    "protocol",
    "source",
    "defects",
    "fit.stopped_after",
    "fit.pretraining_stopped_after",
)
"""What names the data, or decides what is tested on what, is no setting to be tuned."""


@dataclass(frozen=True)
class Parameter:
    """A setting by its dotted name, and its values: either `choices`, or a range of numbers, whole ones where both ends are."""

    name: str
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    is_log: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether a range is one of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def labels(self) -> list[Any]:
        """The choices as a search can store them: what is no plain value, as JSON text."""
        return [choice if isinstance(choice, str | int | float) else json.dumps(choice) for choice in self.choices]

    def value_of(self, label: Any) -> Any:
        """The setting's value for what the search chose."""
        return self.choices[self.labels.index(label)] if self.choices else label

    def extremes(self) -> list[Any]:
        """Values that stand for all of them when the recipe is asked whether it allows them."""
        return list(self.choices) or [self.low, self.high]


def load_space(path: Path, recipe: Recipe) -> list[Parameter]:
    """The parameters of a space file. Raises RecipeError for a file, setting or value that doesn't fit the recipe, with the
    close names."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"--space {path}: it can't be read ({error}); expected a TOML text file. Check the name.") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"--space {path}: not valid TOML ({error}); expected lines such as "
            '"fit.learning_rate" = { low = 1e-4, high = 1e-2, log = true }. Correct it.'
        ) from error
    space = [_parameter(f"{path}: '{name}'", name, value) for name, value in _leaves(document)]
    if not space:
        raise RecipeError(f"--space {path}: it names no setting; expected one or more. Add a line such as fit.weight_decay.")
    if len({parameter.name for parameter in space}) < len(space):
        raise RecipeError(f"--space {path}: a setting is there twice; expected each once. Remove one.")
    for parameter in space:
        for value in parameter.extremes():
            with_values(recipe, {parameter.name: value}, str(path))
    return space


def with_values(recipe: Recipe, values: Mapping[str, Any], where: str) -> Recipe:
    """The recipe with some settings changed, by dotted name. Raises RecipeError for a value that it doesn't allow."""
    document = recipe.model_dump(mode="json")
    for name, value in values.items():
        *sections, last = name.split(".")
        inner = document
        for section in sections:
            inner = inner[section]
        inner[last] = value
    return checked_recipe(document, where)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and what they may be, whether the file quotes them or has tables."""
    for key, value in table.items():
        if isinstance(value, Mapping) and not set(value) & set(_KEYS):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _parameter(where: str, name: str, value: Any) -> Parameter:
    known = [setting for setting in setting_names() if not setting.startswith(_NOT_SWEPT)]
    matches = [setting for setting in known if name in (setting, setting.split(".")[-1])]
    if len(matches) != 1:
        raise RecipeError(f"{where}: there is no such setting to sweep.{did_you_mean(name, known)} Settings: {', '.join(known)}.")
    choices = value.get("choices") if isinstance(value, Mapping) else value
    if isinstance(choices, list) and len(choices) > 0:
        return Parameter(matches[0], choices=tuple(choices))
    if not isinstance(value, Mapping):
        raise RecipeError(f"{where} is {value!r}; expected a list of choices, or {{ low = …, high = … }}. Correct it.")
    return _range(where, matches[0], value)


def _range(where: str, name: str, table: Mapping[str, Any]) -> Parameter:
    for key in table:
        if key not in _KEYS:
            raise RecipeError(f"{where}: '{key}' is unknown; expected {', '.join(_KEYS)}.{did_you_mean(key, _KEYS)} Correct it.")
    low, high, step, is_log = (table.get(key) for key in ("low", "high", "step", "log"))
    numbers = [number for number in (low, high, step) if number is not None]
    if low is None or high is None or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        raise RecipeError(f"{where} has low {low!r} and high {high!r}; expected two numbers. Correct them.")
    if low >= high or (is_log and low <= 0) or (step is not None and (step <= 0 or is_log)):
        raise RecipeError(
            f"{where} goes from {low} to {high} with step {step}, log {bool(is_log)}; expected low below high, above 0 where log, "
            "and a step above 0 only without log. Correct it."
        )
    return Parameter(name, low, high, step, bool(is_log))
