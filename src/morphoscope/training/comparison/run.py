"""One run of a comparison: a recipe fitted on one split with one seed, and its answers on both sides."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.data.split import Fold
from morphoscope.inference.forward import FUSED
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema
from morphoscope.training.callbacks import CHECKPOINT_SECONDS
from morphoscope.training.comparison.result import Answered, RunResult
from morphoscope.training.experiment import Material, Pace, Trial, answers, run_trial, seconds_per_picture
from morphoscope.training.recipe import Recipe

_SPENT = "seconds.json"
EVERY = 20_000
"""Training pictures whose answers are kept, evenly picked: enough for a training accuracy."""


@dataclass(frozen=True, eq=False)
class Run:
    """label: the recipe's name in the comparison. recipe: with the seed of this run. number: of the fold, or None for the
    fit on all of the development part that answers the untouched pictures. key: tells runs apart by content. folder: where it
    lives. minutes: that the fit may take, where there is a limit."""

    label: str
    recipe: Recipe
    fold: Fold
    number: int | None
    key: str
    folder: Path
    minutes: float | None = None

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.label}, seed {self.seed}, {'untouched' if self.number is None else f'fold {self.number}'}"


def run_once(run: Run, material: Material) -> RunResult:
    """Fits and answers; goes on from the folder's checkpoint where the same run was interrupted. Raises what training raises."""
    spent = _Spent(run.folder / _SPENT)
    deadline = None if run.minutes is None else time.monotonic() + max(1.0, 60 * run.minutes - spent.before)
    pace = Pace(deadline, resume=True, checkpoint_seconds=CHECKPOINT_SECONDS, watch=spent.watch)
    trial = run_trial(material, run.fold, run.recipe, run.folder / "fit", run.name, pace)
    seconds = max(spent.total, 1e-6)
    learned = trial.fitted.stopped_after * len(run.fold.train)
    return RunResult(
        key=run.key,
        recipe=run.label,
        seed=run.seed,
        fold=run.number,
        n_train=len(run.fold.train),
        n_validation=len(run.fold.validation),
        parameters=sum(p.numel() for p in trial.fitted.network.parameters()),
        images_per_second=1 / seconds_per_picture(trial, material),
        training_images_per_second=learned / seconds,
        minutes=seconds / 60,
        epochs=trial.fitted.stopped_after,
        best_epoch=trial.fitted.best_epoch,
        train=answered_training(trial, material),
        test=_answered(material.schema, run.fold.test, trial.predictions(material.schema)),
    )


def answered_training(trial: Trial, material: Material) -> Answered:
    """The trial's answers to the pictures that it learned from."""
    rows = trial.fold.train[:: max(1, len(trial.fold.train) // EVERY)]
    samples = material.samples(trial.metadata_encoder, trial.fitted.network.spec.branches)
    logits = answers(trial.fitted, samples, rows, {}).logits[FUSED]
    asked = zip(material.schema.tasks, trial.confidence[FUSED], logits, strict=True)
    return _answered(material.schema, rows, [confidence.predict(task, one) for task, confidence, one in asked])


def _answered(schema: Schema, rows: np.ndarray, predictions: Sequence[ClassPrediction]) -> Answered:
    chosen = {}
    for task, prediction in zip(schema.tasks, predictions, strict=True):
        picked = prediction.chosen()
        chosen[task.name] = [np.flatnonzero(row).tolist() for row in picked]
    return Answered(rows=rows.tolist(), chosen=chosen)


class _Spent:
    """Seconds that earlier attempts at a run took, kept epoch by epoch for the next one."""

    def __init__(self, path: Path) -> None:
        self._path, self._began = path, time.monotonic()
        try:
            self.before = float(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            self.before = 0.0
        self.total = self.before

    def watch(self, epoch: int, figures: Mapping[str, float]) -> bool:
        self.total = self.before + time.monotonic() - self._began
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self.total), encoding="utf-8")
        part.replace(self._path)
        return True
