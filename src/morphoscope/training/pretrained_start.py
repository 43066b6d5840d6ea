"""Where a fit starts whose recipe pretrains: an encoder learned from the fit's own training pictures, without their labels."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from morphoscope.data.picture_file import PictureFile
from morphoscope.models.encoders import DEFAULT, ENCODER_DOCUMENT, ENCODER_WEIGHTS, RANDOM
from morphoscope.training.recipe import Recipe
from morphoscope.training.selfsupervised.pretraining import CHECKPOINT, Pace, decided, pretrain_encoder
from morphoscope.training.selfsupervised.recipe import PretrainingRecipe, load_pretraining

FOLDER = "pretraining"
PRETRAINING_SHARE = 0.6
"""Of a fit's time, where that is limited."""
LOOKS = 3


@dataclass(frozen=True)
class FitPace:
    """deadline: of the whole fit, on time.monotonic(). resume: from what an interrupted run left."""

    deadline: float | None
    resume: bool
    checkpoint_seconds: float


def pretrains(recipe: Recipe) -> bool:
    """Whether a fit of the recipe begins with pretraining: an encoder of one's own takes its place."""
    return bool(recipe.pretraining) and recipe.encoder in (RANDOM, DEFAULT)


def pretrained_start(recipe: Recipe, canvases: np.ndarray, folder: Path, pace: FitPace) -> tuple[Recipe, int]:
    """The recipe that starts from the pretrained encoder, and after how many epochs that stopped; of an interrupted run, what
    it left is taken or gone on with. canvases: (N, Y, X) uint8 of the pictures to learn from. folder: of the fit.

    Raises MorphoscopeError for too few pictures, OSError where the folder can't be written."""
    place = folder / FOLDER
    if not (pace.resume and (place / ENCODER_DOCUMENT).is_file()):
        _pretrain(recipe, canvases, place, pace)
    epochs = json.loads((place / ENCODER_DOCUMENT).read_text(encoding="utf-8"))["epochs"]
    return recipe.model_copy(update={"encoder": str(place)}), epochs


def pretraining_recipe(recipe: Recipe, shape: tuple[int, int], count: int) -> PretrainingRecipe:
    """The settings of the pretraining of a fit, on `count` pictures of a shape (Y, X), which bound its views and batches."""
    found = load_pretraining(recipe.pretraining)
    learning, views = found.learning, found.views
    batch_size = min(learning.batch_size or count, 2 ** int(np.log2(max(1, count))))
    update = {"batch_size": batch_size} | ({"epochs": recipe.fit.pretraining_epochs} if recipe.fit.pretraining_epochs else {})
    return found.model_copy(
        update={
            "backbone": recipe.model.backbone,
            "encoder": recipe.encoder,
            "seed": recipe.seed,
            "views": views.model_copy(update={"side": min(views.side, max(shape))}),
            "learning": learning.model_copy(update=update),
        }
    )


def _pretrain(recipe: Recipe, canvases: np.ndarray, place: Path, pace: FitPace) -> None:
    wanted = decided(pretraining_recipe(recipe, canvases.shape[1:], len(canvases)), len(canvases))
    place.mkdir(parents=True, exist_ok=True)
    if not pace.resume:
        (place / CHECKPOINT).unlink(missing_ok=True)
    now = time.monotonic()
    stop_after = recipe.fit.pretraining_stopped_after or None
    limited = pace.deadline is not None and stop_after is None
    deadline = now + PRETRAINING_SHARE * (pace.deadline - now) if limited and pace.deadline is not None else None
    pictures = PictureFile(canvases, [Path(str(i)) for i in range(len(canvases))], np.full(len(canvases), np.nan), [], 0)
    found = pretrain_encoder(pictures, wanted, place, Pace(deadline, pace.resume, pace.checkpoint_seconds, LOOKS, stop_after))
    save_file({name: tensor.contiguous() for name, tensor in found.branch.backbone.state_dict().items()}, place / ENCODER_WEIGHTS)
    document = {"backbone": wanted.backbone, "method": wanted.method, "recipe": wanted.name, "epochs": found.epochs}
    (place / ENCODER_DOCUMENT).write_text(json.dumps(document), encoding="utf-8")
    (place / CHECKPOINT).unlink(missing_ok=True)
