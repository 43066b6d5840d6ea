"""Pretrain: unlabelled pictures become an encoder that `train --encoder` starts from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_path, as_paths, silent
from morphoscope.apps.verbs.output import claim_folder, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.time_budget import TimeBudget
from morphoscope.calibration.resolve import resolve
from morphoscope.data.catalogue import load_catalogue
from morphoscope.data.picture_file import PictureFile, delete_canvases, open_picture_file, write_picture_file
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import read
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import DEFAULT, ENCODER_DOCUMENT, ENCODER_WEIGHTS, RANDOM, described, resolved_encoder
from morphoscope.reporting.versions import versions
from morphoscope.training.selfsupervised import METHODS
from morphoscope.training.selfsupervised.looks import SHEET, LabelledPictures
from morphoscope.training.selfsupervised.pretraining import CHECKPOINT, Pace, Pretrained, decided, pretrain_encoder
from morphoscope.training.selfsupervised.recipe import PretrainingRecipe, load_pretraining

RECIPE = "recipe.toml"
OWN_RESULTS = (ENCODER_WEIGHTS, ENCODER_DOCUMENT, RECIPE)
SHEET_SHARE, SHEET_SECONDS = 0.05, 5.0
"""Kept back from a time budget for the sheet of neighbours: a share of it, at most so long."""


def pretrain(
    images: Paths,
    out: PathLike,
    *,
    method: PathLike = "simclr",
    backbone: str | None = None,
    encoder: str | None = None,
    epochs: int | None = None,
    time_budget_min: float | None = None,
    seed: int | None = None,
    labels: PathLike | None = None,
    group: str | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = 20.0,
    say: Say = silent,
    began: float | None = None,
) -> Path:
    """Learns from pictures without labels and writes encoder.safetensors, which `train --encoder out` starts from.

        morphoscope.pretrain("all_images", "encoder", method="simclr")

    The options are those of `morphoscope pretrain`. labels, group: a sheet for probes while it runs, from which nothing is
    learned. Returns the folder. Raises MorphoscopeError whose text is meant to be shown, and KeyboardInterrupt on Ctrl-C,
    after the finished epochs were kept for `resume`.
    """
    deadline = TimeBudget.since(began, time_budget_min).deadline(SHEET_SHARE, SHEET_SECONDS)
    folder = Path(out)
    options = {"backbone": backbone, "encoder": encoder, "learning.epochs": epochs, "seed": seed}
    wanted = [f"{name}={value}" for name, value in options.items() if value is not None]
    recipe = _with_known_start(load_pretraining(str(method), [*settings, *wanted]))
    _claim(folder, recipe, resume, overwrite)
    with writing(folder, "Make room there; the same command with --resume goes on from the last checkpoint."):
        pictures = _pictures(as_paths(images), folder, recipe, resume, say)
        recipe = decided(recipe, len(pictures))
        (folder / RECIPE).write_text(recipe.to_toml(), encoding="utf-8")
        labelled = _labelled(as_paths(images), as_path(labels), group, recipe, pictures) if labels else None
        say(
            f"{recipe.name or method}: {len(pictures)} pictures, {recipe.backbone} from {described(recipe.encoder)}, "
            f"{recipe.learning.epochs} epochs of batches of {recipe.learning.batch_size}."
        )
        pace = Pace(deadline, resume, checkpoint_seconds)
        found = pretrain_encoder(pictures, recipe, folder, pace, labelled, say)
        _write(folder, recipe, pictures, found)
    say(_summary(folder, found))
    return folder


def _with_known_start(recipe: PretrainingRecipe) -> PretrainingRecipe:
    """The recipe with its start decided. Raises MorphoscopeError for a start that can't be had, or a backbone that does not suit
    the method, before any picture is read."""
    start = resolved_encoder(recipe.encoder, recipe.backbone)
    METHODS.load(recipe.method).check(ImageBranch(recipe.backbone))
    return recipe.model_copy(update={"encoder": start if start in (RANDOM, DEFAULT) else str(Path(start).resolve())})


def _claim(folder: Path, recipe: PretrainingRecipe, resume: bool, overwrite: bool) -> None:
    if resume and overwrite:
        raise OutputError("--resume and --overwrite: both are given; expected one. Resume keeps what --overwrite replaces.")
    claim_folder(folder, OWN_RESULTS, may_replace=overwrite or resume, hint="--resume to go on with it, or --overwrite")
    if not resume:
        for name in (CHECKPOINT, *OWN_RESULTS):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)
        return
    if not (folder / CHECKPOINT).is_file():
        raise OutputError(
            f"--resume: --out {folder}: no interrupted run is there; expected {CHECKPOINT}. Leave --resume out to begin one."
        )
    began = load_pretraining(str(folder / RECIPE))
    left_open = {name: getattr(began.learning, name) for name in ("epochs", "batch_size") if not getattr(recipe.learning, name)}
    asked = recipe.model_copy(update={"learning": recipe.learning.model_copy(update=left_open)})
    if asked != began:
        raise OutputError(
            f"--resume: --out {folder}: the settings are not those that the run began with; expected the same. Give those "
            f"({folder / RECIPE} lists them), or begin anew with --overwrite."
        )


def _pictures(images: Sequence[Path], folder: Path, recipe: PretrainingRecipe, resume: bool, say: Say) -> PictureFile:
    """The pictures as one file of canvases: of the interrupted run, or read now."""
    if resume and (kept := open_picture_file(folder)):
        return kept
    paths = find_micrographs(images)
    with bar("Reading pictures", len(paths)) as progress:
        pictures = write_picture_file(paths, folder, recipe.side, progress)
    for sentence in pictures.unreadable[:20]:
        say(f"Left out: {sentence}")
    if len(pictures.unreadable) > 20:
        say(f"And {len(pictures.unreadable) - 20} more that can't be read.")
    if pictures.copies:
        say(f"Left out: {pictures.copies} exact copies of other pictures.")
    if len(pictures) < 2:
        raise MorphoscopeError(
            f"pretrain: all {len(paths)} files show the same picture; expected pictures that differ, since it learns to tell "
            "them apart. Add others."
        )
    return pictures


def _labelled(
    images: Sequence[Path], labels: Path | None, group: str | None, recipe: PretrainingRecipe, pictures: PictureFile
) -> LabelledPictures:
    """The labelled pictures for the probes, fitted into the canvas that views have."""
    catalogue, _ = load_catalogue(images, labels=[labels] if labels else [], group=group)
    preprocessing = Preprocessing(recipe.views.side, recipe.views.side)
    known = set(pictures.paths)
    entries = [entry for entry in catalogue.entries if entry.path in known]
    kept = catalogue.subset([i for i, entry in enumerate(catalogue.entries) if entry.path in known])
    canvases = [preprocessing.canvas(preprocessing.working_copy(resolve(read(entry.path), {}))) for entry in entries]
    truths = {task.name: kept.truth(task.name) for task in kept.schema.tasks}
    numbers = {name: np.where(truth.any(1), truth.argmax(1), -1) for name, truth in truths.items()}
    return LabelledPictures(np.stack(canvases), numbers, np.array([entry.group or entry.name for entry in entries]))


def _write(folder: Path, recipe: PretrainingRecipe, pictures: PictureFile, found: Pretrained) -> None:
    weights = {name: tensor.contiguous() for name, tensor in found.branch.backbone.state_dict().items()}
    save_file(weights, folder / ENCODER_WEIGHTS)
    document: dict[str, Any] = {
        "backbone": recipe.backbone,
        "method": recipe.method,
        "recipe": recipe.name,
        "start": recipe.encoder,
        "pictures": len(pictures),
        "epochs": found.epochs,
        "batch_size": found.batch_size,
        "seconds": round(found.seconds, 1),
        "looks": found.looks,
        "versions": versions(),
    }
    (folder / ENCODER_DOCUMENT).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    found.history.to_csv(folder / "history.csv", index=False)
    delete_canvases(folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def _summary(folder: Path, found: Pretrained) -> str:
    last = found.looks[-1]
    probes = [f"{name} {value:.2f}" for name, value in last.items() if name.startswith("linear[")]
    figures = f"spread {last['spread']:.2f}, effective rank {last['effective_rank']:.0f}" + (
        f"; {', '.join(probes)}" if probes else ""
    )
    rate = found.epochs and found.history["train_loss"].iloc[-1]
    return (
        f"Encoder after {found.epochs} epochs, loss {rate:.3f} ({figures}): {folder / ENCODER_WEIGHTS}. Nearest neighbours: "
        f"{folder / SHEET}. To start from it: morphoscope train IMAGES --encoder {folder}"
    )
