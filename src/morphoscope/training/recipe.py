"""A recipe: every setting of a training run, with the values that measurement chose. TOML on disk, checked on the way in."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.models.branches import BRANCHES, kind_of


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(_Section):
    """backbone: any timm name. image_size: side in px of the square that has the canvas's area. branches: what is fused."""

    backbone: str = "resnet10t"
    image_size: int = Field(128, ge=32, le=2048)
    branches: tuple[str, ...] = ("image", "texture", "shape", "metadata")
    dropout: float = Field(0.2, ge=0, lt=1)
    metadata_drop: float = Field(0.2, ge=0, lt=1)

    @field_validator("branches")
    @classmethod
    def _are_known(cls, branches: tuple[str, ...]) -> tuple[str, ...]:
        for name in branches:
            if kind_of(name) not in BRANCHES.names():
                raise ValueError(f"there is no branch '{name}', there are {', '.join(BRANCHES.names())}")
        return branches


class AugmentationSettings(_Section):
    """Strengths of `morphoscope.data.augmentation.Augmentation`; 0 switches a change off."""

    rotation_deg: float = Field(180.0, ge=0, le=180)
    flip: bool = True
    zoom: float = Field(0.35, ge=0)
    shift: float = Field(0.1, ge=0, lt=1)
    contrast: float = Field(0.3, ge=0)
    brightness: float = Field(0.05, ge=0)
    gamma: float = Field(0.3, ge=0)
    blur: float = Field(0.3, ge=0, le=1)
    noise: float = Field(0.5, ge=0, le=1)


class FitSettings(_Section):
    """epochs and batch_size: 0 lets the size of the data set decide. stopped_after: epochs a finished run really took;
    a repeat stops there and ignores the clock. logit_adjustment: tau of Menon et al. 2021; 0 aims at accuracy,
    1 at balanced accuracy. patience: share of the epochs without improvement after which training stops early."""

    epochs: int = Field(0, ge=0)
    stopped_after: int = Field(0, ge=0)
    batch_size: int = Field(0, ge=0)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    logit_adjustment: float = Field(0.0, ge=0)
    branch_loss: float = Field(0.5, ge=0)
    """Weight of the loss of each branch alone, beside the fused one's."""
    patience: float = Field(0.5, gt=0)
    calibration_fits: int = Field(0, ge=0, le=9)
    """Further fits after the first, each of which holds back other training pictures to calibrate on; 0: as many as a time
    budget leaves room for, and none without one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"


class SplitSettings(_Section):
    protocol: str = "80/20"


class ReachedByFit(_Section):
    """What data and clock decided in one fit of a finished run; a repeat takes it as it stands."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    stopped_after: int = Field(ge=1)


class DataRecord(_Section):
    """What a finished run was trained on: the options of its command line, empty where left out, and its fits by name."""

    images: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metadata: str = ""
    schema_file: str = ""
    group: str = ""
    sample: str = ""
    tasks: tuple[str, ...] = ()
    unmatched: Literal["", "error", "blank"] = ""
    scale: Literal["", "auto", "header", "picture", "none"] = ""
    refit: bool = False
    ablate: bool = False
    fits: dict[str, ReachedByFit] = Field(default_factory=dict)


class Recipe(_Section):
    """All settings of a run. seed: the same seed gives the same numbers on one machine."""

    name: str = "default"
    seed: int = 0
    encoder: str = "auto"
    """Where the image branch starts: `auto` (the shipped encoder where it fits the backbone), random, default, or a path."""
    model: ModelSettings = ModelSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    fit: FitSettings = FitSettings()
    split: SplitSettings = SplitSettings()
    data: DataRecord = DataRecord()

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(mode="json"))


def recipe_names() -> list[str]:
    """The recipes in the package."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in files("morphoscope.recipes").iterdir() if entry.name.endswith(".toml")
    )


def load_recipe(name_or_file: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe of the package by name, or from a TOML file, with `section.key=value` settings on top.

    Raises RecipeError for an unknown name, key or value, with the close ones.
    """
    path = Path(name_or_file)
    if path.suffix == ".toml" or path.is_file():
        text = _read(path)
    elif name_or_file in recipe_names():
        text = files("morphoscope.recipes").joinpath(f"{name_or_file}.toml").read_text(encoding="utf-8")
    else:
        raise RecipeError(
            f"--recipe: there is no recipe '{name_or_file}'; expected one of {', '.join(recipe_names())}, or a .toml file."
            f"{did_you_mean(name_or_file, recipe_names())}"
        )
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name_or_file}: not valid TOML ({error}); expected a recipe such as a run's recipe.toml.") from error
    for setting in settings:
        _apply(document, setting)
    return checked_recipe(document, name_or_file)


def checked_recipe(document: dict[str, Any], where: str) -> Recipe:
    """The recipe of a parsed TOML document. Raises RecipeError that names the first wrong key, what it may be, and where."""
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = _known_keys(Recipe)
            raise RecipeError(
                f"{where}: there is no setting '{key}'.{did_you_mean(key, known)} Settings: {', '.join(known)}."
            ) from error
        raise RecipeError(f"{where}: '{key}' is {first['input']!r}; {first['msg'].lower()}.") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: the recipe can't be read ({error}); expected a TOML text file.") from error


def _apply(document: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    known = _known_keys(Recipe)
    if not equals:
        raise RecipeError(f"--set {setting}: found no '='; expected key=value such as fit.epochs=20.")
    matches = [name for name in known if key.strip() in (name, name.split(".")[-1])]
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


def _known_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += _known_keys(field.annotation, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys
