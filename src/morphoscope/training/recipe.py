"""A recipe: every setting of a training run, with the values that measurement chose. TOML on disk, checked on the way in."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.models.branches import BRANCHES, kind_of

_RULES = "morphoscope.recipes.measuring"
AS_PUBLISHED = "as-published"
"""The protocol with a publication's defects, and the table of a recipe's file that brings them back."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Side = Annotated[int, Field(ge=32, le=2048)]


class ModelSettings(_Section):
    """backbone: any timm name, or one of `morphoscope.models.backbones`. branches: what is fused."""

    backbone: str = "resnet10t"
    image_size: Side | tuple[Side, Side] = 128
    """Side in px of the square that has the canvas's area, whose aspect the pictures decide; or the canvas itself, as
    [height, width]."""
    stretch: bool = False
    """Whether pictures are distorted to fill the canvas, or fitted into it as they are."""
    grey_mean: float = Field(0.5, ge=0, le=1)
    grey_std: float = Field(0.25, gt=0, le=1)
    """What display values in [0, 1] are standardised by: 0.5 and 0.5 give [-1, 1]; 0.449 and 0.226 are ImageNet's in grey."""
    branches: tuple[str, ...] = ("image", "texture", "shape", "metadata", "spectrum", "diffraction", "picture")
    dropout: float = Field(0.2, ge=0, lt=1)
    metadata_hidden: int = Field(64, ge=0, le=1024)
    """Width of the metadata branch's hidden layer; 0: one linear layer alone."""
    metadata_drop: float = Field(0.2, ge=0, lt=1)
    magnification_divisor: float = Field(0.0, ge=0)
    """Above 0, the metadata branch reads magnification over this, unbounded, and nothing else."""
    autoencoder_kind: Literal["dense", "transformer"] = "dense"
    autoencoder_side: int = Field(64, ge=16, le=256, multiple_of=8)
    """px of the small picture that the autoencoder branch condenses and draws again."""
    autoencoder_code: int = Field(128, ge=8, le=2048)
    channel_drop: float = Field(0.3, ge=0, lt=1)
    """Share of the pictures that training shows without a channel, each channel for itself, so that none is relied on."""

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
    vertical_flip: bool = False
    zoom: float = Field(0.35, ge=0)
    shift: float = Field(0.1, ge=0, lt=1)
    shear_deg: float = Field(0.0, ge=0, lt=60)
    contrast: float = Field(0.3, ge=0)
    brightness: float = Field(0.05, ge=0)
    gamma: float = Field(0.3, ge=0)
    blur: float = Field(0.3, ge=0, le=1)
    noise: float = Field(0.5, ge=0, le=1)


class StageSettings(_Section):
    """A part of a fit: its share of the epochs, its learning rate, and which of the image backbone's layers stay as they are."""

    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    frozen_below: str = ""
    """The backbone's first layer that learns, by its name; "heads": none does. What comes from random weights is never frozen."""


class FitSettings(_Section):
    """epochs and batch_size: 0 lets the size of the data set decide. stopped_after: epochs a finished run really took;
    a repeat stops there and ignores the clock. logit_adjustment: tau of Menon et al. 2021; 0 aims at accuracy,
    1 at balanced accuracy. patience: share of the epochs without improvement after which training stops early; patience_epochs: the
    same as a number of epochs, 0 for the share."""

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
    patience_epochs: int = Field(0, ge=0)
    calibration_fits: int = Field(0, ge=0, le=9)
    """Further fits after the first, each of which holds back other training pictures to calibrate on; 0: as many as a time
    budget leaves room for, and none without one."""
    mixed_answers: bool = True
    """Whether each branch's own answer counts beside the fused one, as much as held-back pictures say."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    optimizer: Literal["adamw", "adam", "rmsprop", "sgd"] = "adamw"
    """AdamW spares biases and norms from weight decay; the others decay all, as their publications did."""
    momentum: float = Field(0.9, ge=0, lt=1)
    """Of SGD."""
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    averaging: float = Field(0.05, ge=0, lt=1)
    """Share of the run that the averaged weights, which are evaluated and kept, remember; 0: the weights themselves."""
    auxiliary_loss: float = Field(0.0, ge=0)
    """Weight of the loss of the backbone's auxiliary classifier, where it has one."""
    reconstruction_loss: float = Field(0.0, ge=0)
    """Weight of the mean square error of the pictures that the autoencoder branch draws."""
    pretraining_epochs: int = Field(0, ge=0)
    """Of the recipe's pretraining; 0: those that it has itself."""
    pretraining_stopped_after: int = Field(0, ge=0)
    stages: tuple[StageSettings, ...] = ()
    """One after the other; `epochs` above, if given, is divided among them in proportion to theirs."""

    @model_validator(mode="after")
    def _stages_have_their_own_rates(self) -> Self:
        if self.stages and self.schedule == "one-cycle":
            raise ValueError("stages go with the schedule constant or cosine, not one-cycle")
        return self


class SplitSettings(_Section):
    """chosen_on: the pictures that pick the epoch; with `test`, figures are those of the pictures that chose.
    keep_together: whether groups and near-duplicates stay on one side."""

    protocol: str = "80/20"
    chosen_on: Literal["validation", "test"] = "validation"
    keep_together: bool = True


class ReachedByFit(_Section):
    """What data and clock decided in one fit of a finished run; a repeat takes it as it stands."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    stopped_after: int = Field(ge=1)
    pretraining_stopped_after: int = Field(0, ge=0)


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
    channels: dict[str, str] = Field(default_factory=dict)
    lost_files: Literal["", "absent", "error"] = ""
    scale: Literal["", "auto", "header", "picture", "none"] = ""
    refit: bool = False
    ablate: bool = False
    fits: dict[str, ReachedByFit] = Field(default_factory=dict)


class Recipe(_Section):
    """All settings of a run. seed: the same seed gives the same numbers on one machine."""

    name: str = "default"
    source: str = ""
    """The publication that the settings come from."""
    reported: str = ""
    """The figures that it prints, and of what."""
    protocol: Literal["corrected", "as-published"] = "corrected"
    """Whether the publication's known defects are switched off, or repeated for like-for-like figures."""
    defects: tuple[str, ...] = ()
    """What makes the figures of this recipe optimistic or wrong: a sentence each."""
    seed: int = 0
    encoder: str = "auto"
    """Where the image branch starts: `auto` (the shipped encoder where it fits the backbone), random, default, or a path."""
    pretraining: str = ""
    """A method or recipe of `morphoscope pretrain` that the image branch goes through first, on the training pictures."""
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


def rule_names() -> list[str]:
    """The published rules in the package that measuring follows: nothing of them is learned."""
    return sorted(entry.name.removesuffix(".toml") for entry in files(_RULES).iterdir() if entry.name.endswith(".toml"))


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
        if name_or_file in rule_names():
            rule = tomllib.loads(files(_RULES).joinpath(f"{name_or_file}.toml").read_text(encoding="utf-8"))
            raise RecipeError(
                f"--recipe: '{name_or_file}' is a rule, by which nothing is trained; expected a recipe of a training. Run "
                f"`{rule['command']}`, which follows it."
            )
        raise RecipeError(
            f"--recipe: there is no recipe '{name_or_file}'; expected one of {', '.join(recipe_names())}, or a .toml file."
            f"{did_you_mean(name_or_file, recipe_names())}"
        )
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name_or_file}: not valid TOML ({error}); expected a recipe such as a run's recipe.toml.") from error
    published = document.pop(AS_PUBLISHED, {})
    wanted = _with_settings(document, settings)
    if wanted.get("protocol") == AS_PUBLISHED and not wanted.get("defects"):
        if not published:
            raise RecipeError(
                f"protocol: the recipe '{name_or_file}' states no protocol but its own; expected one of a publication, such as "
                "accords-resnet18, for as-published. Leave protocol out."
            )
        wanted = _with_settings(_merged(document, published), settings)
    return checked_recipe(wanted, name_or_file)


def _with_settings(document: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    wanted = copy.deepcopy(document)
    for setting in settings:
        _apply(wanted, setting)
    return wanted


def _merged(document: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """The document with the values of `over` in place of its own, section by section."""
    merged = dict(document)
    for name, value in over.items():
        merged[name] = _merged(merged.get(name, {}), value) if isinstance(value, dict) else value
    return merged


def checked_recipe(document: dict[str, Any], where: str) -> Recipe:
    """The recipe of a parsed TOML document. Raises RecipeError that names the first wrong key, what it may be, and where."""
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        known = _known_keys(Recipe)
        parts = [str(part) for part in first["loc"]]
        key = next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in known), ".".join(parts))
        if first["type"] == "extra_forbidden":
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
    key = key.strip()
    matches = [key] if key in known else [name for name in known if key == name.split(".")[-1]]
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


def setting_names() -> list[str]:
    """Every setting of a recipe, by its dotted name."""
    return _known_keys(Recipe)
