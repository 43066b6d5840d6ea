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
from morphoscope.training.experiment import Material, Pace, Trained, Trial, run_refit, run_trial
from morphoscope.training.fit import Fitted, what_is_left_of
from morphoscope.training.recipe import Recipe

FINAL = "final model"


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
    branches = tuple(name for name in recipe.model.branches if name != "metadata" or any(material.metadata))
    subsets = {
        "image only, retrained": tuple(name for name in branches if name != "metadata"),
        "metadata only, retrained": tuple(name for name in branches if name == "metadata"),
        "network only, retrained": tuple(name for name in branches if name == "image"),
    }
    return {
        name: recipe.model_copy(update={"model": recipe.model.model_copy(update={"branches": fewer})})
        for name, fewer in subsets.items()
        if fewer and fewer != branches
    }


def _settled(recipe: Recipe, trials: Sequence[Trial]) -> Recipe:
    """The recipe of a refit, which has no pictures to stop by: as many epochs as the trials planned, ended where they did."""
    epochs = round(float(np.median([trial.fitted.epochs for trial in trials])))
    stop = round(float(np.median([trial.fitted.stopped_after for trial in trials])))
    return recipe.model_copy(update={"fit": recipe.fit.model_copy(update={"epochs": epochs, "stopped_after": min(stop, epochs)})})
