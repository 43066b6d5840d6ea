"""Pretrain: unlabelled pictures become an encoder that `train --encoder` starts from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_path, as_paths, silent
from morphoscope.apps.verbs.output import claim_folder, write_whole, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.time_budget import TimeBudget
from morphoscope.apps.verbs.unfinished import (
    UNFINISHED,
    Beginning,
    flat_settings,
    is_unfinished,
    mark_finished,
    refuse_another,
    write_beginning,
)
from morphoscope.apps.verbs.unlabelled import unlabelled_pictures
from morphoscope.calibration.resolve import resolve
from morphoscope.data.cache import content_hash
from morphoscope.data.catalogue import load_catalogue
from morphoscope.data.picture_file import PictureFile, delete_canvases, open_picture_file, write_picture_file
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import DivergenceError, MorphoscopeError, OutputError
from morphoscope.io.read import read
from morphoscope.models.encoders import DEFAULT, ENCODER_DOCUMENT, ENCODER_WEIGHTS, RANDOM, described, resolved_encoder
from morphoscope.reporting.versions import versions
from morphoscope.training.selfsupervised.looks import SHEET, LabelledPictures
from morphoscope.training.selfsupervised.pretraining import CHECKPOINT, Pace, Pretrained, beginning, decided, pretrain_encoder
from morphoscope.training.selfsupervised.recipe import PretrainingRecipe, load_pretraining

RECIPE = "recipe.toml"
OWN_RESULTS = (ENCODER_WEIGHTS, ENCODER_DOCUMENT, RECIPE)
SHEET_SHARE, SHEET_SECONDS = 0.05, 5.0
"""Kept back from a time budget for the sheet of neighbours: a share of it, at most so long."""

HASHERS = 2
"""Threads that read the files once more, to know them again."""


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
    forgotten = ["learning.stopped_after_steps=0"] if epochs is not None else []  # of a recipe that is to run otherwise
    recipe = _with_known_start(load_pretraining(str(method), [*forgotten, *settings, *wanted]))
    _claim(folder, resume, overwrite)
    with writing(folder, "Make room there; the same command with --resume goes on from the last checkpoint."):
        files = unlabelled_pictures(as_paths(images), say)
        pictures = _pictures(files, folder, recipe, resume, say)
        recipe = decided(recipe, len(pictures))
        labelled = _labelled(as_paths(images), as_path(labels), group, recipe, pictures) if labels else None
        _begin(folder, recipe, files, resume)
        say(_plan(recipe, len(pictures)))
        pace = Pace(deadline, resume, checkpoint_seconds, by_clock=True)
        try:
            found = pretrain_encoder(pictures, recipe, folder, pace, labelled, say)
        except DivergenceError:
            _forget(folder)  # going on would lead there again
            raise
        _write(folder, recipe, pictures, found)
    say(_summary(folder, found))
    return folder


def _with_known_start(recipe: PretrainingRecipe) -> PretrainingRecipe:
    """The recipe with its start decided. Raises MorphoscopeError for a start that can't be had, or settings that do not suit the
    method, before any picture is read."""
    start = resolved_encoder(recipe.encoder, recipe.backbone)
    recipe = recipe.model_copy(update={"encoder": start if start in (RANDOM, DEFAULT) else str(Path(start).resolve())})
    beginning(recipe)
    return recipe


def _claim(folder: Path, resume: bool, overwrite: bool) -> None:
    """Makes the folder, or raises OutputError where that would lose something or there is nothing to resume."""
    if resume and overwrite:
        raise OutputError("--resume and --overwrite: both are given; expected one. Resume keeps what --overwrite replaces.")
    goes_on = "--resume to go on with it, or --overwrite to replace it"
    hint = goes_on if is_unfinished(folder) else "--overwrite to replace them"
    claim_folder(folder, (*OWN_RESULTS, UNFINISHED), may_replace=overwrite or resume, hint=hint)
    if resume and not is_unfinished(folder):
        found, remedy = "no interrupted run is there", "Leave --resume out to begin one"
        if (folder / ENCODER_DOCUMENT).is_file():
            found, remedy = "the run there is finished", "Begin anew with --overwrite"
        raise OutputError(f"--resume: --out {folder}: {found}; expected an interrupted run. {remedy}.")


def _begin(folder: Path, recipe: PretrainingRecipe, files: Sequence[Path], resume: bool) -> None:
    """Notes what the run begins with, or raises OutputError where the interrupted one began with something else. An encoder that
    is there stays until the new one is written."""
    with ThreadPoolExecutor(HASHERS) as pool:
        pictures = dict(zip((str(path.resolve()) for path in files), pool.map(_digest, files), strict=True))
    now = Beginning(flat_settings(recipe.model_dump(mode="json")), pictures)
    if resume:
        refuse_another(folder, folder, now)
        return
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)
    write_beginning(folder, now)


def _digest(path: Path) -> str:
    """Of a file's content; empty for one that can't be opened, which is left out anyway."""
    try:
        return content_hash(path)[:16]
    except OSError:
        return ""


def _forget(folder: Path) -> None:
    """Nothing is left to resume."""
    mark_finished(folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    delete_canvases(folder)


def _pictures(paths: Sequence[Path], folder: Path, recipe: PretrainingRecipe, resume: bool, say: Say) -> PictureFile:
    """The pictures as one file of canvases: of the interrupted run, or read now, in place of those of any other."""
    if resume and (kept := open_picture_file(folder)):
        return kept
    if not resume:
        _forget(folder)
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
    known = {path.resolve() for path in pictures.paths}  # a resumed run may have been told of them otherwise
    rows = [i for i, entry in enumerate(catalogue.entries) if entry.path.resolve() in known]
    kept = catalogue.subset(rows)
    entries = kept.entries
    if not entries:
        raise MorphoscopeError(
            f"--labels {labels}: none of the labelled pictures is among those to learn from; expected some. Name their folder "
            "too, or leave --labels out."
        )
    canvases = [preprocessing.canvas(preprocessing.working_copy(resolve(read(entry.path), {}))) for entry in entries]
    truths = {task.name: kept.truth(task.name) for task in kept.schema.tasks}
    numbers = {name: np.where(truth.any(1), truth.argmax(1), -1) for name, truth in truths.items()}
    return LabelledPictures(np.stack(canvases), numbers, np.array([entry.group or entry.name for entry in entries]))


def _write(folder: Path, recipe: PretrainingRecipe, pictures: PictureFile, found: Pretrained) -> None:
    """The encoder and its documents, each in place of an older one only when it is whole."""
    weights = {name: tensor.contiguous() for name, tensor in found.branch.backbone.state_dict().items()}
    part = folder / f"{ENCODER_WEIGHTS}.part"
    save_file(weights, part)
    part.replace(folder / ENCODER_WEIGHTS)
    document: dict[str, Any] = {
        "backbone": recipe.backbone,
        "method": recipe.method,
        "recipe": recipe.name,
        "start": recipe.encoder,
        "side": recipe.views.side,
        "pictures": len(pictures),
        "epochs": found.epochs,
        "batch_size": found.batch_size,
        "seconds": round(found.seconds, 1),
        "looks": found.looks,
        "versions": versions(),
    }
    write_whole(folder / ENCODER_DOCUMENT, json.dumps(document, indent=1) + "\n")
    learning = recipe.learning.model_copy(update={"stopped_after_steps": found.stopped_after_steps})
    write_whole(folder / RECIPE, recipe.model_copy(update={"learning": learning}).to_toml())
    found.history.to_csv(folder / "history.csv", index=False)
    _forget(folder)


def _plan(recipe: PretrainingRecipe, n_pictures: int) -> str:
    learning = recipe.learning
    limit = f", {learning.stopped_after_steps} steps at most" if learning.stopped_after_steps else ""
    return (
        f"{recipe.name or recipe.method}: {n_pictures} pictures, {recipe.backbone} from {described(recipe.encoder)}, "
        f"{learning.epochs} epochs of batches of {learning.batch_size}{limit}."
    )


def _summary(folder: Path, found: Pretrained) -> str:
    last = found.looks[-1]
    probes = [f"{name} {value:.2f}" for name, value in last.items() if name.startswith("linear[")]
    figures = f"spread {last['spread']:.2f}, effective rank {last['effective_rank']:.0f}" + (
        f"; {', '.join(probes)}" if probes else ""
    )
    stopped = f" (stopped after {found.stopped_after_steps} steps)" if found.stopped_after_steps else ""
    rate = found.epochs and found.history["train_loss"].iloc[-1]
    return (
        f"Encoder after {found.epochs} epochs{stopped}, loss {rate:.3f} ({figures}): {folder / ENCODER_WEIGHTS}. Nearest neighbours: "
        f"{folder / SHEET}. To start from it: morphoscope train IMAGES --encoder {folder}"
    )
