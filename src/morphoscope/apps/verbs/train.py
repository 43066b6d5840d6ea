"""Train: a folder and its labels become a bundle, honest figures and a report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder
from morphoscope.apps.verbs.output import claim_folder, peak_memory_mb
from morphoscope.apps.verbs.run_documents import write_documents
from morphoscope.data.leakage import LeakageAudit, audit
from morphoscope.data.split import Fold, split
from morphoscope.training.experiment import Material, Trial, run_trial, seconds_per_picture
from morphoscope.training.recipe import Recipe

OWN_RESULTS = ("metrics.json", "recipe.toml", "fits", "model")
REPORT_SECONDS = 15.0
"""Kept back from a time budget for calibration, the bundle and the report."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainRequest:
    """The options of `morphoscope train`. command: the line that repeats the run, for the report."""

    source: FolderRequest
    recipe: Recipe
    out: Path
    refit: bool = False
    ablate: bool = False
    time_budget_min: float | None = None
    resume: bool = False
    overwrite: bool = False
    command: str = "morphoscope train"


@dataclass(frozen=True)
class Training:
    """A finished run, before it is written. trials: one a fold. ablations: retrained without some branches, by name.
    final: the trial whose network is the bundle; one of `trials`, or the refit on every picture."""

    request: TrainRequest
    folder: Folder
    material: Material
    folds: list[Fold]
    leakage: LeakageAudit
    trials: list[Trial]
    ablations: dict[str, list[Trial]]
    final: Trial
    started: datetime
    seconds: float
    seconds_per_picture: float
    peak_memory_mb: float


def train(request: TrainRequest, say: Say = lambda line: None) -> Training:
    """Runs the whole training and writes everything under `request.out`. Raises MorphoscopeError.

    KeyboardInterrupt is raised on after the state was kept; the same command with `resume` goes on from there.
    """
    started, clock = datetime.now().astimezone(), time.monotonic()
    deadline = None if request.time_budget_min is None else clock + request.time_budget_min * 60 - REPORT_SECONDS
    claim_folder(
        request.out, OWN_RESULTS, may_replace=request.overwrite or request.resume, hint="--overwrite, or --resume to go on"
    )
    if request.overwrite and not request.resume:
        shutil.rmtree(request.out / "fits", ignore_errors=True)
    folder = read_folder(request.source, request.recipe, say)
    user_groups = [entry.group for entry in folder.catalogue.entries]
    recipe = request.recipe
    folds = split(folder.truths, folder.effective_groups, recipe.split.protocol, recipe.seed, user_groups=user_groups)
    leakage = audit(folder.catalogue, folds, folder.effective_groups, folder.duplicates)
    say(leakage.to_text())
    material = folder.material(recipe, say)
    (request.out / "fits").mkdir(parents=True, exist_ok=True)
    trials, ablations, final = _run_all(request, material, folds, deadline, say)
    seconds = time.monotonic() - clock
    timed = seconds_per_picture(final, material)
    training = Training(
        request, folder, material, folds, leakage, trials, ablations, final, started, seconds, timed, peak_memory_mb()
    )
    write_documents(training, say)
    for weights in (request.out / "fits").rglob("weights.safetensors"):
        weights.unlink()  # the bundle has what is worth keeping
    return training


def _run_all(
    request: TrainRequest, material: Material, folds: Sequence[Fold], deadline: float | None, say: Say
) -> tuple[list[Trial], dict[str, list[Trial]], Trial]:
    subsets = _ablated(request.recipe, material) if request.ablate else {}
    refits = request.refit or len(folds) > 1
    fits_left = len(folds) * (1 + len(subsets)) + refits

    def run(fold: Fold, recipe: Recipe, name: str) -> Trial:
        nonlocal fits_left
        now = time.monotonic()
        share = None if deadline is None else now + (deadline - now) / fits_left
        fits_left -= 1
        say(f"Training {name}: {len(fold.train)} pictures, {len(fold.validation)} to stop by, {len(fold.test)} held out.")
        return run_trial(material, fold, recipe, request.out / "fits" / name.replace(" ", "-"), name, share, request.resume)

    def label(index: int) -> str:
        return "model" if len(folds) == 1 else f"fold {index + 1} of {len(folds)}"

    trials = [run(fold, request.recipe, label(i)) for i, fold in enumerate(folds)]
    ablations = {
        name: [run(fold, recipe, f"{label(i)}, {name}") for i, fold in enumerate(folds)] for name, recipe in subsets.items()
    }
    if not refits:
        return trials, ablations, trials[0]
    return trials, ablations, run(_everything(len(material.truths[0])), _settled(request.recipe, trials), "final model")


def _everything(count: int) -> Fold:
    nothing = np.array([], dtype=int)
    return Fold(train=np.arange(count), validation=nothing, test=nothing, repeat=0, fold=0)


def _settled(recipe: Recipe, trials: Sequence[Trial]) -> Recipe:
    """The recipe of a refit, which has no pictures to stop by: as many epochs as the trials planned, ended where they did."""
    epochs = round(float(np.median([trial.fitted.epochs for trial in trials])))
    stop = round(float(np.median([trial.fitted.stopped_after for trial in trials])))
    return recipe.model_copy(update={"fit": recipe.fit.model_copy(update={"epochs": epochs, "stopped_after": min(stop, epochs)})})


def _ablated(recipe: Recipe, material: Material) -> dict[str, Recipe]:
    """The recipe with fewer branches, retrained: what each kind of input adds."""
    subsets = {
        "image only, retrained": tuple(name for name in recipe.model.branches if name != "metadata"),
        "metadata only, retrained": ("metadata",) if any(material.metadata) else (),
        "network only, retrained": ("image",),
    }
    wanted = {name: branches for name, branches in subsets.items() if branches and branches != recipe.model.branches}
    return {
        name: recipe.model_copy(update={"model": recipe.model.model_copy(update={"branches": branches})})
        for name, branches in wanted.items()
    }
