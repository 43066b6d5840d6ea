"""A recipe of pretraining: every setting, with the values that measurement chose. TOML on disk, checked on the way in."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.training.selfsupervised import METHODS

_FOLDER = "morphoscope.recipes.pretraining"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ViewSettings(_Section):
    """Ranges and strengths of `morphoscope.data.views.Views`; 0 switches a change off."""

    side: int = Field(128, ge=32, le=1024)
    smallest_crop: float = Field(0.45, gt=0, le=1)
    largest_crop: float = Field(1.0, gt=0, le=1)
    rotation_deg: float = Field(180.0, ge=0, le=180)
    flip: bool = True
    tone: float = Field(0.8, ge=0, le=1)
    contrast: float = Field(0.5, ge=0, lt=1)
    brightness: float = Field(0.15, ge=0, lt=1)
    gamma: float = Field(0.5, ge=0)
    blur: float = Field(0.5, ge=0, le=1)
    noise: float = Field(0.5, ge=0, le=1)
    dose_noise: float = Field(0.12, ge=0)


class LearningSettings(_Section):
    """epochs, batch_size: 0 lets the number of pictures decide. stopped_after_steps: what a run that the clock ended really took;
    a repeat takes as many and ignores the clock. optimizer: with its learning rate brought down by a cosine. gradient_clip: the
    gradients' largest norm, 0: any."""

    epochs: int = Field(0, ge=0)
    stopped_after_steps: int = Field(0, ge=0)
    batch_size: int = Field(0, ge=0)
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.05, ge=0)
    warm_up: float = Field(0.05, ge=0, lt=1)
    """Share of the run in which the learning rate rises."""
    gradient_clip: float = Field(5.0, ge=0)
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    @field_validator("batch_size")
    @classmethod
    def _compares(cls, batch_size: int) -> int:
        if batch_size == 1:
            raise ValueError("one picture alone has none to be told from, expected at least 2")
        return batch_size


class PretrainingRecipe(_Section):
    """All settings of a run. side: px of the stored pictures that views are cut from. method_settings: arguments of the method."""

    name: str = ""
    method: str = "simclr"
    backbone: str = "resnet10t"
    encoder: str = "auto"
    """Where the backbone starts: `auto` (the shipped encoder where it fits), default, random, imagenet or a path."""
    seed: int = 0
    side: int = Field(192, ge=32, le=2048)
    method_settings: dict[str, Any] = Field(default_factory=dict)
    views: ViewSettings = ViewSettings()
    learning: LearningSettings = LearningSettings()

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(mode="json"))


def pretraining_names() -> list[str]:
    """Methods, and the recipes in the package that reproduce a publication."""
    found = [entry.name.removesuffix(".toml") for entry in files(_FOLDER).iterdir() if entry.name.endswith(".toml")]
    return [*METHODS.names(), *sorted(found)]


def load_pretraining(name_or_file: str, settings: Sequence[str] = ()) -> PretrainingRecipe:
    """A method with its usual settings, a recipe by name or from a TOML file, with `section.key=value` settings on top.

    Raises RecipeError for an unknown name, key or value, with the close ones.
    """
    path, names = Path(name_or_file), pretraining_names()
    if path.suffix == ".toml":
        document = _parsed(_read(path), name_or_file)
    elif name_or_file in METHODS.names():
        document = {"name": name_or_file, "method": name_or_file} | copy.deepcopy(
            getattr(METHODS.load(name_or_file), "usual", {})
        )
    elif name_or_file in names:
        document = _parsed(files(_FOLDER).joinpath(f"{name_or_file}.toml").read_text(encoding="utf-8"), name_or_file)
    else:
        raise RecipeError(
            f"--method: there is no '{name_or_file}'; expected one of {', '.join(names)}, or a .toml file."
            f"{did_you_mean(name_or_file, names)}"
        )
    for setting in settings:
        _apply(document, setting)
    try:
        recipe = PretrainingRecipe.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RecipeError(f"{name_or_file}: '{key}' is {first['input']!r}; {first['msg'].lower()}. Correct it.") from error
    METHODS.load(recipe.method)
    return recipe


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: the recipe can't be read ({error}); expected a TOML text file.") from error


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where}: not valid TOML ({error}); expected a recipe such as a run's recipe.toml.") from error


def _known_keys() -> list[str]:
    sections: dict[str, type[BaseModel]] = {"views": ViewSettings, "learning": LearningSettings}
    keys = [name for name in PretrainingRecipe.model_fields if name not in (*sections, "method_settings")]
    return keys + [f"{section}.{name}" for section, model in sections.items() for name in model.model_fields]


def _apply(document: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    known = _known_keys()
    if not equals:
        raise RecipeError(f"--set {setting}: found no '='; expected key=value such as learning.epochs=20. Add the value.")
    key = key.strip()
    is_exact = key in known or key.startswith("method_settings.")
    matches = [key] if is_exact else [name for name in known if key == name.split(".")[-1]]
    if len(matches) != 1:
        raise RecipeError(
            f"--set {setting}: there is no setting '{key}'.{did_you_mean(key, known)} Settings: {', '.join(known)}."
        )
    *sections, last = matches[0].split(".")
    for section in sections:
        document = document.setdefault(section, {})
    try:
        document[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        document[last] = value.strip()
