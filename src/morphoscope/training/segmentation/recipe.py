"""Every setting of a training on masks, with what was measured to work. TOML on disk, checked on the way in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.measure.mask_kinds import MaskKind

KIND = "objects"
"""What `kind` says in the recipe of a training on masks; a recipe of a training on labels has no such key."""


class MaskRecipe(BaseModel):
    """steps: 0 lets epochs or the time decide; a finished run records those it reached. epochs: passes over the pictures.
    batch_size: 0 is 4 on a processor and 16 on a GPU. learning_rate: 0 is 0.0001 from whole weights, else 0.001. look_pictures:
    validation pictures that weights are chosen by; 0 lets the time decide."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["objects"] = "objects"
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

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(mode="json"))


def is_mask_recipe(name_or_file: str) -> bool:
    """Whether a recipe is of a training on masks. An unreadable one is not: whoever loads it says what is wrong."""
    path = Path(name_or_file)
    if not path.is_file():
        return False
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("kind") == KIND
    except (OSError, ValueError):
        return False


def load_mask_recipe(file: str, settings: Sequence[str] = (), options: Mapping[str, Any] | None = None) -> MaskRecipe:
    """The recipe of a file, or the usual one for `default`, with options and `key=value` settings on top.

    Raises RecipeError."""
    document: dict[str, Any] = {}
    if is_mask_recipe(file):
        document = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    elif file != "default":
        raise RecipeError(
            f"--recipe {file}: it is none of a training on masks; expected the recipe.toml of one. Leave --recipe out, or name such."
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
