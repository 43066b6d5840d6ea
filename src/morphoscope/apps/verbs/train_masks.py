"""Train on masks: a folder of pictures and masks becomes a segmenter of a user's own objects, with honest figures."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_path, as_paths, silent
from morphoscope.apps.verbs.mask_documents import Gallery, MaskSummary, write_mask_documents
from morphoscope.apps.verbs.masked import read_masked
from morphoscope.apps.verbs.output import claim_folder, peak_memory_mb, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.recorded import repeating
from morphoscope.apps.verbs.time_budget import TimeBudget
from morphoscope.data.masks import MaskedFolder, MaskRequest
from morphoscope.data.split import Fold
from morphoscope.errors import RecipeError
from morphoscope.models.segmenter_file import CONTENT_DIGITS, save_segmenter
from morphoscope.models.segmenter_start import described_start, resolved_start
from morphoscope.training.interrupts import StopAfterStep
from morphoscope.training.segmentation.experiment import MaskPlan, MaskTraining, mask_fold, planned, trained
from morphoscope.training.segmentation.fit import FittedSegmenter, Watch
from morphoscope.training.segmentation.held_out import Tested, tested
from morphoscope.training.segmentation.recipe import MaskRecipe, load_mask_recipe

MODEL = "model"
DOCUMENTS = ("metrics.json", "recipe.toml", "report.html", "predictions.csv", "splits.csv", "history.csv")
OWN_RESULTS = ("metrics.json", "recipe.toml", MODEL)
DEFAULT_MINUTES = 6.0
"""Of the fit alone, where neither --epochs nor --time-budget bounds it."""
LEAST_MINUTES = 0.05
TEST_SHARE, REPORT_SECONDS = 0.3, 5.0
"""Kept back from what is left of a time budget, for the test and the report."""


@dataclass(frozen=True, eq=False)
class MaskRun:
    """A finished training on masks, before it is written."""

    recipe: MaskRecipe
    folder: MaskedFolder
    fold: Fold
    fitted: FittedSegmenter
    tests: dict[str, Tested]
    out: Path
    command: str
    seconds: float
    peak_memory_mb: float


def train_masks(
    images: Paths = (),
    masks: PathLike | None = None,
    *,
    labels: Paths = (),
    group: str | None = None,
    sample: str | None = None,
    mask_kind: str | None = None,
    recipe: PathLike = "default",
    encoder: str | None = None,
    epochs: int | None = None,
    time_budget_min: float | None = None,
    seed: int | None = None,
    split: str | None = None,
    settings: Sequence[str] = (),
    out: PathLike = "morphoscope-run",
    overwrite: bool = False,
    say: Say = silent,
    command: str | None = None,
    began: float | None = None,
) -> MaskSummary:
    """Learns the objects that masks mark; writes model, figures and report under `out`.

        morphoscope.train_masks("images", "masks", out="run")

    The options are those of `morphoscope train --masks`. labels: a sheet that has the column `group`. mask_kind: instance,
    binary or multi-class; left out, a rule decides over all masks. What is left out comes from the recipe: that of a finished
    run repeats it. Returns the figures: `summary.figures["ap50"]`. Raises MorphoscopeError whose text is meant to be shown, and
    KeyboardInterrupt on Ctrl-C, after the best weights so far were written into `out`/model.
    """
    budget = TimeBudget.since(began, time_budget_min)
    options: dict[str, object] = {"epochs": epochs, "seed": seed, "split": split, "encoder": encoder}
    options |= {"group": group, "sample": sample, "mask_kind": mask_kind}
    given = {name: value for name, value in options.items() if value is not None}
    if epochs is not None or time_budget_min is not None:
        given |= {"steps": 0, "look_pictures": 0}  # those on record were of another plan
    chosen = load_mask_recipe(str(recipe), settings, given)
    chosen = _placed(chosen, as_paths(images), as_path(masks), as_paths(labels))
    target = Path(out)
    claim_folder(target, OWN_RESULTS, may_replace=overwrite, hint="--overwrite to replace them")
    with writing(target, "Make room there and start again with --overwrite."):
        return _run(chosen, target, command or repeating(target), budget, say)


def _run(recipe: MaskRecipe, out: Path, command: str, budget: TimeBudget, say: Say) -> MaskSummary:
    folder = _read(recipe, say)
    fold = mask_fold(folder, recipe)
    _say_fold(fold, say)
    material = MaskTraining.of(folder, fold, recipe)
    plan = planned(material, recipe, _fit_minutes(budget, recipe))
    fitted = _fitted(material, plan, say)
    _clear(out)
    save_segmenter(fitted.network, out / MODEL, _card(plan, folder, fold, fitted))
    if fitted.was_stopped:
        say(
            f"Stopped after {fitted.steps} steps. {out / 'model'} keeps the best weights so far, of step {fitted.kept_step}; they "
            f"were not tested. `morphoscope segment PICTURES --model {out} --out instance_maps` takes them."
        )
        raise KeyboardInterrupt
    tests, gallery = _tested(folder, fold, fitted, say)
    is_cut = fitted.seconds / 60 >= plan.minutes
    reached = plan.recipe.model_copy(update={"steps": fitted.steps}) if is_cut else plan.recipe
    run = MaskRun(reached, folder, fold, fitted, tests, out, command, budget.seconds_spent, peak_memory_mb())
    return write_mask_documents(run, gallery, say)


def _clear(out: Path) -> None:
    """Removes an earlier run, now that there is something to put in its place."""
    shutil.rmtree(out / MODEL, ignore_errors=True)
    for name in DOCUMENTS:
        (out / name).unlink(missing_ok=True)


def _fit_minutes(budget: TimeBudget, recipe: MaskRecipe) -> float:
    """Minutes that the fit may take."""
    if budget.minutes is None:
        return math.inf if recipe.epochs or recipe.steps else DEFAULT_MINUTES
    return max(LEAST_MINUTES, (budget.seconds_left * (1 - TEST_SHARE) - REPORT_SECONDS) / 60)


def _placed(recipe: MaskRecipe, images: Sequence[Path], masks: Path | None, labels: Sequence[Path]) -> MaskRecipe:
    """The recipe with absolute places. Raises RecipeError where pictures or masks are neither given nor recorded."""
    found = {
        "images": tuple(str(path.resolve()) for path in images) or recipe.images,
        "labels": tuple(str(path.resolve()) for path in labels) or recipe.labels,
        "masks": str(masks.resolve()) if masks else recipe.masks,
    }
    if not found["images"]:
        raise RecipeError("IMAGES: no folder of pictures is given, and the recipe records none; expected one. Name it.")
    if not found["masks"]:
        raise RecipeError("--masks: no folder of masks is given, and the recipe records none; expected one. Add --masks DIR.")
    return recipe.model_copy(update=found | {"encoder": resolved_start(recipe.encoder)})


def _read(recipe: MaskRecipe, say: Say) -> MaskedFolder:
    request = MaskRequest(
        tuple(map(Path, recipe.images)),
        Path(recipe.masks),
        tuple(map(Path, recipe.labels)),
        recipe.group or None,
        recipe.sample or None,
        None if recipe.mask_kind == "auto" else recipe.mask_kind,
    )
    return read_masked(request, say)


def _say_fold(fold: Fold, say: Say) -> None:
    say(f"Pictures: {len(fold.train)} to learn from, {len(fold.validation)} to choose weights by, {len(fold.test)} held out.")
    if not len(fold.validation):
        say("Note: too few independent pictures to choose weights by, so the weights of the last step are kept.")
    if not len(fold.test):
        say("Note: no independent picture is left to test on, so nothing is known of how good the model is. Mark more.")


def _fitted(material: MaskTraining, plan: MaskPlan, say: Say) -> FittedSegmenter:
    say(
        f"Training from {described_start(plan.recipe.encoder)}: {plan.recipe.steps} steps of {plan.recipe.batch_size} views, "
        f"about {plan.seconds / 60:.1f} min."
    )
    with bar("Training", plan.recipe.steps) as progress, StopAfterStep() as stop:
        share = lambda done: progress(round(done * plan.recipe.steps))  # noqa: E731
        return trained(material, plan, Watch(progress=share, is_stopped=lambda: stop.was_asked))


def _tested(folder: MaskedFolder, fold: Fold, fitted: FittedSegmenter, say: Say) -> tuple[dict[str, Tested], Gallery]:
    gallery = Gallery()
    if not len(fold.test):
        return {}, gallery
    say(f"Testing on {len(fold.test)} held-out pictures.")
    show = lambda row, *found: gallery.add(folder.pictures[row].name, *found)  # noqa: E731
    with bar("Testing", len(fold.test)) as progress:
        return tested(folder, fold.test, fitted.network, show, progress), gallery


def _card(plan: MaskPlan, folder: MaskedFolder, fold: Fold, fitted: FittedSegmenter) -> dict[str, object]:
    """What segmenter.json says beside the network's spec."""
    return {
        "photographs": len(fold.train),
        "masks": folder.kind,
        "start": plan.recipe.encoder,
        "steps": fitted.steps,
        "kept_step": fitted.kept_step,
        "batch_size": plan.recipe.batch_size,
        "seed": plan.recipe.seed,
        "seconds": round(fitted.seconds, 1),
        "pictures": sorted(
            {folder.pictures[row].content[:CONTENT_DIGITS] for row in np.concatenate([fold.train, fold.validation])}
        ),
    }
