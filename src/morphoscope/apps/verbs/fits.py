"""The fits of a run, one after the other: a trial a fold, those of the ablations, and the refit that becomes the bundle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from morphoscope.apps.verbs.arguments import Say
from morphoscope.apps.verbs.recorded import as_recorded
from morphoscope.data.split import Fold
from morphoscope.models.branches import OF_THE_PICTURE, is_channel, kind_of
from morphoscope.training.experiment import (
    IMAGE_ONLY,
    Material,
    Pace,
    Trained,
    Trial,
    alone,
    calibrated_on_all,
    run_refit,
    run_trial,
    run_turn,
)
from morphoscope.training.fit import Fitted, what_is_left_of
from morphoscope.training.recipe import Recipe

FINAL = "final model"
CALIBRATION_MARGIN = 1.2
"""Times as long as the first fit took that must be left of a time budget for one more of its kind."""


@dataclass
class FitSeries:
    """Runs fits that share the time to a deadline, each in its own sub-folder. n_left: fits that are still to come.

    fitted: what came out, by the name of the fit, in order.
    """

    material: Material
    folder: Path
    n_left: int
    say: Say
    deadline: float | None = None
    resume: bool = False
    checkpoint_seconds: float = 0.0
    fitted: dict[str, Fitted] = field(default_factory=dict)

    def trial(self, fold: Fold, recipe: Recipe, name: str) -> Trial:
        """One split."""
        self._say(name, f"{len(fold.train)} pictures, {len(fold.validation)} to stop by, {len(fold.test)} held out.")
        found = run_trial(self.material, fold, as_recorded(recipe, name), self._folder(name), name, self._pace())
        self.fitted[name] = found.fitted
        return found

    def refit(self, trials: Sequence[Trial], recipe: Recipe) -> Trained:
        """On every picture, as long as the trials took."""
        self._say(FINAL, f"all {len(self.material.canvases)} pictures.")
        settled = as_recorded(_settled(recipe, trials), FINAL)
        found = run_refit(self.material, trials, settled, self._folder(FINAL), FINAL, self._pace())
        self.fitted[FINAL] = found.fitted
        return found

    def calibrated(self, trial: Trial, recipe: Recipe, turns: Sequence[Fold], name: str) -> Trial:
        """The trial with its confidence fitted on the pictures of as many turns as the recipe, or the time left, allows."""
        answered = []
        for number, turn in enumerate(turns, start=1):
            turn_name = f"{name}, calibration {number}"
            if not self._is_wanted(number, turn_name, recipe, trial.fitted):
                break
            self._say(turn_name, f"{len(turn.train)} pictures, {len(turn.validation)} held back.")
            alike = as_recorded(_alike(recipe, trial.fitted), turn_name)
            pace = Pace(self.deadline, self.resume, self.checkpoint_seconds)
            rows, found, fitted = run_turn(self.material, turn, alike, self._folder(turn_name), turn_name, pace)
            answered.append((rows, found))
            self.fitted[turn_name] = fitted
        self.fitted[name] = self.fitted.pop(name)  # what becomes the bundle is at the end
        return calibrated_on_all(trial, self.material, answered) if answered else trial

    def _is_wanted(self, number: int, name: str, recipe: Recipe, first: Fitted) -> bool:
        """Whether one more fit for calibration is: the one that a repeat repeats, that was asked for, or that has the time."""
        if recipe.data.fits:
            return name in recipe.data.fits
        if recipe.fit.calibration_fits:
            return number <= recipe.fit.calibration_fits
        return self.deadline is not None and time.monotonic() + CALIBRATION_MARGIN * first.seconds < self.deadline

    def _say(self, name: str, pictures: str) -> None:
        self.say(f"Training {name}: {pictures}")
        if self.resume:
            self.say(f"  It {what_is_left_of(self._folder(name))}.")

    def _folder(self, name: str) -> Path:
        return self.folder / name.replace(",", "").replace(" ", "-")

    def _pace(self) -> Pace:
        """With an equal share of the time that remains."""
        now = time.monotonic()
        deadline = None if self.deadline is None else now + (self.deadline - now) / self.n_left
        self.n_left -= 1
        return Pace(deadline, self.resume, self.checkpoint_seconds)


def trial_names(n_folds: int) -> list[str]:
    """A name a fold."""
    return ["model"] if n_folds == 1 else [f"fold {number} of {n_folds}" for number in range(1, n_folds + 1)]


def ablated(recipe: Recipe, material: Material) -> dict[str, Recipe]:
    """The recipe with fewer of the branches that have something to read, by name: retraining tells what each input adds."""
    asked = recipe.model.branches
    channels = tuple(name for name in material.channels if {name, kind_of(name)} & set(asked))
    branches = tuple(name for name in asked if not is_channel(name) and (name != "metadata" or any(material.metadata)))
    branches += channels
    subsets = {
        f"{IMAGE_ONLY}, retrained": tuple(name for name in branches if name in OF_THE_PICTURE),
        **{f"{alone(one)}, retrained": (one,) for one in ("metadata", *channels) if one in branches},
        f"{alone('image')}, retrained": tuple(name for name in branches if name == "image"),
    }
    return {
        name: recipe.model_copy(update={"model": recipe.model.model_copy(update={"branches": fewer})})
        for name, fewer in subsets.items()
        if fewer and fewer != branches
    }


def _alike(recipe: Recipe, fitted: Fitted) -> Recipe:
    """The recipe with the epochs and batch size that the first fit decided on."""
    plan = {"epochs": fitted.epochs, "batch_size": fitted.batch_size, "stopped_after": 0}
    return recipe.model_copy(update={"fit": recipe.fit.model_copy(update=plan)})


def _settled(recipe: Recipe, trials: Sequence[Trial]) -> Recipe:
    """The recipe of a refit, which has no pictures to stop by: as many epochs as the trials planned, ended where they did."""
    epochs = round(float(np.median([trial.fitted.epochs for trial in trials])))
    stop = round(float(np.median([trial.fitted.stopped_after for trial in trials])))
    return recipe.model_copy(update={"fit": recipe.fit.model_copy(update={"epochs": epochs, "stopped_after": min(stop, epochs)})})
