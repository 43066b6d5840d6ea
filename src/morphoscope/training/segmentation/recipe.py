"""Every setting of a training on masks, with what was measured to work. TOML on disk, checked on the way in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.measure.mask_kinds import MaskKind
from morphoscope.models.segmenter import SegmenterSpec, Upsampling

_FOLDER = "morphoscope.recipes.segmentation"

KIND = "objects"
"""What `kind` says in the recipe of a training on masks; a recipe of a training on labels has no such key."""


class MaskRecipe(BaseModel):
    """name, source, reported: of a publication's recipe. steps: 0 lets epochs or the time decide; a finished run records those it reached.
    epochs: passes over the pictures. batch_size: 0 is 4 on a processor and 16 on a GPU. learning_rate: 0 is 0.0001 from whole
    weights, else 0.001. look_pictures: validation pictures that weights are chosen by; 0 lets the time decide. backbone, decoder,
    upsampling: of the network, where it does not start from whole weights. loss: `dice` spares the foreground its cross-entropy.
    freeze_encoder, encoder_rate: whether its weights stay, or the share of the learning rate at which they follow a random decoder;
    of learned ones alone, random ones always learn like the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["objects"] = "objects"
    name: str = "default"
    source: str = ""
    reported: str = ""
    images: tuple[str, ...] = ()
    masks: str = ""
    labels: tuple[str, ...] = ()
    group: str = ""
    sample: str = ""
    mask_kind: Literal["auto"] | MaskKind = "auto"
    encoder: str = "auto"
    seed: int = Field(0, ge=0)
    split: str = "80/20"
    epochs: int = Field(0, ge=0)
    steps: int = Field(0, ge=0)
    batch_size: int = Field(0, ge=0)
    look_pictures: int = Field(0, ge=0)
    view_px: int = Field(320, ge=64, le=1024, multiple_of=32)
    learning_rate: float = Field(0.0, ge=0)
    weight_decay: float = Field(0.02, ge=0)
    freeze_encoder: bool = False
    encoder_rate: float = Field(0.1, gt=0)
    backbone: str = SegmenterSpec.backbone
    decoder: tuple[int, ...] = SegmenterSpec.decoder
    upsampling: Upsampling = "unet"
    loss: Literal["all", "dice"] = "all"

    @property
    def spec(self) -> SegmenterSpec:
        """The network."""
        return SegmenterSpec(self.backbone, self.decoder, self.upsampling)

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(mode="json"))


def mask_recipe_names() -> list[str]:
    """The recipes of trainings on masks in the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in files(_FOLDER).iterdir() if entry.name.endswith(".toml"))


def is_mask_recipe(name_or_file: str) -> bool:
    """Whether a recipe is of a training on masks. An unreadable one is not: whoever loads it says what is wrong."""
    if name_or_file in mask_recipe_names():
        return True
    path = Path(name_or_file)
    if not path.is_file():
        return False
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("kind") == KIND
    except (OSError, ValueError):
        return False


def load_mask_recipe(file: str, settings: Sequence[str] = (), options: Mapping[str, Any] | None = None) -> MaskRecipe:
    """The recipe of a file or of the package, or the usual one for `default`, with options and `key=value` settings on top.

    Raises RecipeError."""
    document: dict[str, Any] = {}
    if file in mask_recipe_names():
        document = tomllib.loads(files(_FOLDER).joinpath(f"{file}.toml").read_text(encoding="utf-8"))
    elif is_mask_recipe(file):
        document = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    elif file != "default":
        raise RecipeError(
            f"--recipe {file}: it is none of a training on masks; expected {', '.join(mask_recipe_names())} or the recipe.toml of such a "
            f"run.{did_you_mean(file, mask_recipe_names())} Leave --recipe out, or name one of these."
        )
    document |= options or {}
    known = list(MaskRecipe.model_fields)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key.strip() not in known:
            raise RecipeError(
                f"--set {setting}: found no setting '{key}' of a training on masks; expected key=value with one of "
                f"{', '.join(known)}.{did_you_mean(key, known)} Correct it."
            )
        try:
            document[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            document[key.strip()] = value.strip()
    try:
        return MaskRecipe.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where, key = file, ".".join(str(part) for part in first["loc"])
        raise RecipeError(
            f"{where}: '{key}' is {first['input']!r}; {first['msg'].lower()}; expected one of the settings {', '.join(known)}. "
            "Correct it."
        ) from error
