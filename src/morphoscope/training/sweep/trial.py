"""One trial of a sweep: a fit that may be ended early, scored on the pictures that it stops by, never on test pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.data.split import Fold
from morphoscope.inference.forward import FUSED
from morphoscope.scores import classification
from morphoscope.training.comparison.run import answered_training
from morphoscope.training.experiment import Material, Pace, Trial, run_trial
from morphoscope.training.recipe import Recipe

NO_ROWS = np.array([], dtype=np.intp)
_TASK = "validation_accuracy["


@dataclass(frozen=True, eq=False)
class SweepRun:
    """number: of the trial. fold: with the untouched pictures as its test, which the search never sees. folder: of its fit.
    deadline: on time.monotonic(), for a trial without which there would be none."""

    number: int
    recipe: Recipe
    fold: Fold
    folder: Path
    deadline: float | None = None


@dataclass(frozen=True)
class SweepScore:
    """validation_accuracy: mean over tasks; the value that the search raises. by_task: the same a task. is_pruned: the fit was
    ended before its time."""

    validation_accuracy: float
    by_task: dict[str, float]
    train_accuracy: float
    validation_loss: float
    epochs: int
    best_epoch: int
    parameters: int
    minutes: float
    is_pruned: bool


def curve_value(figures: Mapping[str, float]) -> float | None:
    """The mean accuracy over tasks on the pictures to stop by, of an epoch's figures."""
    known = [value for name, value in figures.items() if name.startswith(_TASK)]
    return float(np.mean(known)) if known else None


def score_of(run: SweepRun, material: Material, may_go_on: Callable[[int, float], bool]) -> SweepScore:
    """Fits without test pictures. may_go_on: asked after each epoch, with its validation accuracy."""
    is_pruned, began = False, time.monotonic()

    def watch(epoch: int, figures: Mapping[str, float]) -> bool:
        nonlocal is_pruned
        value = curve_value(figures)
        if value is not None and not may_go_on(epoch, value):
            is_pruned = True
        return not is_pruned

    fold = Fold(run.fold.train, run.fold.validation, NO_ROWS, 0, 0)
    pace = Pace(run.deadline, resume=True, watch=watch)
    trial = run_trial(material, fold, run.recipe, run.folder, f"trial {run.number}", pace)
    by_task = _validation_accuracies(trial, material)
    training = answered_training(trial, material)
    truths = zip(material.schema.tasks, material.truths, strict=True)
    learned = [classification.accuracy(truth[training.rows], training.of(task)) for task, truth in truths]
    history = trial.fitted.history
    return SweepScore(
        _mean(list(by_task.values())),
        by_task,
        _mean([share for share in learned if share is not None]),
        float(history["validation_loss"].min()) if "validation_loss" in history else float("nan"),
        trial.fitted.stopped_after,
        trial.fitted.best_epoch,
        sum(p.numel() for p in trial.fitted.network.parameters()),
        (time.monotonic() - began) / 60,
        is_pruned,
    )


def untouched_trial(run: SweepRun, material: Material) -> Trial:
    """The finished fit of a trial with its answers to the untouched pictures."""
    return run_trial(material, run.fold, run.recipe, run.folder, f"trial {run.number}", Pace(resume=True))


def _validation_accuracies(trial: Trial, material: Material) -> dict[str, float]:
    rows, found = trial.fold.validation, {}
    asked = zip(material.schema.tasks, material.truths, trial.confidence[FUSED], trial.validation.logits[FUSED], strict=True)
    for task, truth, confidence, logits in asked:
        share = classification.accuracy(truth[rows], confidence.predict(task, logits).chosen())
        if share is not None:
            found[task.name] = share
    return found


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0
