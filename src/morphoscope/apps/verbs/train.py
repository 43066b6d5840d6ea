"""Train: a folder and its labels become a bundle, honest figures and a report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, silent
from morphoscope.apps.verbs.fits import FitSeries, ablated, trial_names
from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder
from morphoscope.apps.verbs.output import claim_folder, peak_memory_mb, writing
from morphoscope.apps.verbs.recorded import completed, repeating, without_stale_record
from morphoscope.apps.verbs.run_documents import write_documents
from morphoscope.apps.verbs.time_budget import TimeBudget
from morphoscope.apps.verbs.unfinished import (
    beginning_of,
    begun_branches,
    is_unfinished,
    mark_finished,
    refuse_another,
    refuse_resuming_nothing,
    source_scale,
    write_beginning,
)
from morphoscope.calibration.resolve import Scale
from morphoscope.data.leakage import LeakageAudit, audit
from morphoscope.data.split import Fold, calibration_turns, check_protocol, chosen_on_test
from morphoscope.data.split import split as split_pictures
from morphoscope.errors import OutputError
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import DEFAULT, ENCODER_WEIGHTS, RANDOM, resolved_encoder, start_from
from morphoscope.reporting.run_summary import RunSummary
from morphoscope.training.callbacks import CHECKPOINT_SECONDS
from morphoscope.training.experiment import Material, Trained, Trial, seconds_per_picture
from morphoscope.training.fit import Fitted
from morphoscope.training.optimisation import frozen_modules
from morphoscope.training.recipe import Recipe, load_recipe

FITS = "fits"
OWN_RESULTS = ("metrics.json", "recipe.toml", FITS, "model")
SCALE_SHARE, SHAPE_SHARE = 0.25, 0.3
"""Of a time budget, what reading scale bars from the pictures and measuring their objects may take."""
REPORT_SHARE, REPORT_SECONDS = 0.1, 8.0
"""Kept back from a time budget for the bundle and the report: a share of it, at most so long."""


@dataclass(frozen=True)
class TrainRequest:
    """The options of `morphoscope train`, resolved. command: the line that repeats the run."""

    source: FolderRequest
    recipe: Recipe
    out: Path
    refit: bool
    ablate: bool
    budget: TimeBudget
    resume: bool
    overwrite: bool
    checkpoint_seconds: float
    command: str

    @property
    def fits(self) -> Path:
        """Where checkpoints and TensorBoard events go."""
        return self.out / FITS


@dataclass(frozen=True)
class Training:
    """A finished run, before it is written. trials: one a fold. ablations: retrained without some branches, by name.
    final: what becomes the bundle; one of `trials`, or the refit on every picture. fitted: all fits by name."""

    request: TrainRequest
    folder: Folder
    material: Material
    folds: list[Fold]
    leakage: LeakageAudit
    trials: list[Trial]
    ablations: dict[str, list[Trial]]
    final: Trained
    fitted: dict[str, Fitted]
    started: datetime
    seconds: float
    seconds_per_picture: float
    peak_memory_mb: float


def train(
    images: Paths = (),
    *,
    labels: Paths = (),
    group: str | None = None,
    sample: str | None = None,
    metadata: PathLike | None = None,
    scale: Scale | None = None,
    channels: Sequence[str] = (),
    lost_files: Literal["absent", "error"] | None = None,
    schema: PathLike | None = None,
    tasks: Sequence[str] = (),
    unmatched: Literal["error", "blank"] | None = None,
    recipe: PathLike = "default",
    encoder: str | None = None,
    epochs: int | None = None,
    time_budget_min: float | None = None,
    seed: int | None = None,
    split: str | None = None,
    refit: bool | None = None,
    ablate: bool | None = None,
    settings: Sequence[str] = (),
    out: PathLike = "morphoscope-run",
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Say = silent,
    command: str | None = None,
    began: float | None = None,
) -> RunSummary:
    """Learns every column of a label sheet at once and writes model, figures and report under `out`.

        morphoscope.train("images", labels="labels.xlsx", group="Sample", epochs=20, out="run")

    The options are those of `morphoscope train`; settings are `key=value` as with --set, channels `name=column` as with
    --channel. What is left out comes from the recipe: that of a finished run records its pictures, sheets and options. say hears
    what the command line prints. began: on time.monotonic(), where the time budget counts from; now, if left out.

    Returns the figures on the held-out pictures, a TaskOutcome a task: `summary.outcomes[0].accuracy` (0 to 1, None where none
    is labelled), `.accuracy_interval()`, `.prediction.probabilities` (N, C) of `summary.names`. Raises MorphoscopeError whose
    text is meant to be shown, and KeyboardInterrupt on Ctrl-C, after the finished epochs were kept for `resume`.
    """
    budget = TimeBudget.since(began, time_budget_min)
    given = FolderRequest.of(images, labels, metadata, schema, group, sample, tasks, unmatched, scale, channels, lost_files)
    options = {"fit.epochs": epochs, "seed": seed, "split.protocol": split, "encoder": encoder}
    chosen = _chosen_recipe(recipe, options, settings)
    request = TrainRequest(
        source=completed(given, chosen),
        recipe=chosen,
        out=Path(out),
        refit=chosen.data.refit if refit is None else refit,
        ablate=chosen.data.ablate if ablate is None else ablate,
        budget=budget,
        resume=resume,
        overwrite=overwrite,
        checkpoint_seconds=checkpoint_seconds,
        command=command or repeating(Path(out)),
    )
    return _run(request, say)


def _run(request: TrainRequest, say: Say) -> RunSummary:
    """The folder is read, every fit made, and the run written."""
    _claim(request)
    if request.resume and source_scale(request.fits):
        request = replace(request, source=replace(request.source, scale=source_scale(request.fits)))
    folder = read_folder(request.source, request.recipe, say, request.budget.share_from_begin(SCALE_SHARE))
    request = _suited_to(request, folder, request.budget.share_from_now(SHAPE_SHARE), say)
    with writing(request.out, "Make room there; the same command with --resume goes on from the last checkpoint."):
        summary = write_documents(_trained(request, folder, say), say)
        _end(request)
    return summary


def _chosen_recipe(recipe: PathLike, options: Mapping[str, int | str | None], settings: Sequence[str]) -> Recipe:
    """The recipe with what was asked for on top. Raises MorphoscopeError for a protocol or network that there isn't."""
    wanted = [f"{name}={value}" for name, value in options.items() if value is not None]
    chosen = without_stale_record(load_recipe(str(recipe), [*wanted, *settings]))
    if (epochs := options["fit.epochs"]) is not None:
        chosen = _with_epochs(chosen, int(epochs))
    check_protocol(chosen.split.protocol)
    return with_known_network(chosen)


def _suited_to(request: TrainRequest, folder: Folder, shapes_until: float, say: Say) -> TrainRequest:
    """With the scale that the folder was read by in the end, and the branches that have something to tell of it."""
    if folder.scale != "auto":
        request = replace(request, source=replace(request.source, scale=folder.scale))
    return replace(request, recipe=_suited(request, folder, shapes_until, say))


def _suited(request: TrainRequest, folder: Folder, shapes_until: float, say: Say) -> Recipe:
    """The recipe without measured shape where that has nothing to tell or takes too long; decided once a run, so that a repeat
    or a resumed run takes what the first one took, whatever the clock."""
    recipe = request.recipe
    branches = begun_branches(request.fits) if request.resume else None
    if recipe.data.fits:
        branches = recipe.model.branches
    if branches is None:
        branches = recipe.model.branches
        if "shape" in branches and not folder.is_measurable(say, shapes_until):
            branches = tuple(name for name in branches if name != "shape")
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"branches": branches})})


def where_it_stopped(out: Path, command: str) -> str:
    """What to tell a person who stopped a training with Ctrl-C."""
    if not is_unfinished(out / FITS):
        return "Stopped before training began. The pictures that were read are in the cache; the same command starts again."
    return f"Stopped. {out / FITS} keeps the finished epochs, the best one among them. To go on: {command} --resume"


def with_known_network(recipe: Recipe) -> Recipe:
    """The recipe with its encoder decided. Raises MorphoscopeError for weights or a backbone that can't be had, before any
    picture is read."""
    if "image" not in recipe.model.branches:
        return recipe
    encoder = resolved_encoder(recipe.encoder, recipe.model.backbone)
    if encoder not in (RANDOM, DEFAULT):
        encoder = str(Path(encoder).resolve())  # the recipe of the run is to work from everywhere
    decided = recipe.model_copy(update={"encoder": encoder})
    branch = ImageBranch(recipe.model.backbone)
    start_from(decided.encoder, branch)
    for stage in decided.fit.stages:
        frozen_modules(branch, stage.frozen_below)
    return decided


def _with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe with `epochs` for each stage, pretraining included."""
    update = {"epochs": epochs * max(1, len(recipe.fit.stages))} | ({"pretraining_epochs": epochs} if recipe.pretraining else {})
    return recipe.model_copy(update={"fit": recipe.fit.model_copy(update=update)})


def _claim(request: TrainRequest) -> None:
    """Makes the output folder, or raises OutputError where that would lose something or there is nothing to resume."""
    if request.resume and request.overwrite:
        raise OutputError("--resume and --overwrite: both are given; expected one. Resume keeps what --overwrite replaces.")
    hint = (
        "--resume to go on with it, or --overwrite to replace it"
        if is_unfinished(request.fits)
        else "--overwrite to replace them"
    )
    claim_folder(request.out, OWN_RESULTS, may_replace=request.overwrite or request.resume, hint=hint)
    if request.resume:
        refuse_resuming_nothing(request.out, request.fits)


def _trained(request: TrainRequest, folder: Folder, say: Say) -> Training:
    """Every fit of the run, on the folder that was read."""
    started, recipe = datetime.now().astimezone() - timedelta(seconds=request.budget.seconds_spent), request.recipe
    groups = [entry.group for entry in folder.catalogue.entries]
    together = folder.effective_groups if recipe.split.keep_together else np.arange(len(groups))
    folds = split_pictures(folder.truths, together, recipe.split.protocol, recipe.seed, user_groups=groups)
    if recipe.split.chosen_on == "test":
        folds = [chosen_on_test(fold) for fold in folds]
    is_strict = recipe.split.keep_together and recipe.split.chosen_on == "validation"
    leakage = audit(folder.catalogue, folds, folder.effective_groups, folder.duplicates, is_strict=is_strict)
    say(leakage.to_text())
    _begin(request, folder)
    material = folder.material(recipe, say)
    subsets = ablated(recipe, material) if request.ablate else {}
    refits = request.refit or len(folds) > 1
    series = FitSeries(
        material,
        request.fits,
        n_left=len(folds) * (1 + len(subsets)) + refits,
        say=say,
        deadline=request.budget.deadline(REPORT_SHARE, REPORT_SECONDS),
        resume=request.resume,
        checkpoint_seconds=request.checkpoint_seconds,
    )
    named = list(zip(folds, trial_names(len(folds)), strict=True))
    trials = [series.trial(fold, recipe, name) for fold, name in named]
    ablations = {
        subset: [series.trial(fold, fewer, f"{name}, {subset}") for fold, name in named] for subset, fewer in subsets.items()
    }
    if not refits and recipe.split.chosen_on == "validation":
        turns = calibration_turns(folds[0], folder.truths, folder.effective_groups, recipe.seed)
        trials = [series.calibrated(trials[0], recipe, turns, named[0][1])]
    final = series.refit(trials, recipe) if refits else trials[0]
    seconds, timed = request.budget.seconds_spent, seconds_per_picture(final, material)
    return Training(
        request,
        folder,
        material,
        folds,
        leakage,
        trials,
        ablations,
        final,
        series.fitted,
        started,
        seconds,
        timed,
        peak_memory_mb(),
    )


def _begin(request: TrainRequest, folder: Folder) -> None:
    """Notes what the run begins with, or raises OutputError where it is not what the interrupted one began with."""
    now = beginning_of(request.recipe, request.source, request.refit, request.ablate, folder)
    if request.resume:
        refuse_another(request.out, request.fits, now)
        return
    shutil.rmtree(request.fits, ignore_errors=True)
    write_beginning(request.fits, now)


def _end(request: TrainRequest) -> None:
    """The bundle has what is worth keeping of the fits."""
    for name in ("weights.safetensors", ENCODER_WEIGHTS):
        for weights in request.fits.rglob(name):
            weights.unlink()
    mark_finished(request.fits)
