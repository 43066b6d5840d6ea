"""What a number of masks gives: segmenters that learned from few and from many, all asked about the same held-out pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.data.masks import MaskedFolder
from morphoscope.data.split import Fold
from morphoscope.errors import MorphoscopeError
from morphoscope.models.encoders import RANDOM
from morphoscope.models.segmenter_start import resolved_start
from morphoscope.scores.instances import score_picture
from morphoscope.scores.intervals import Interval, crossed_bootstrap_interval
from morphoscope.training.segmentation.experiment import MaskPlan, MaskTraining, mask_fold, planned
from morphoscope.training.segmentation.held_out import Find
from morphoscope.training.segmentation.recipe import MaskRecipe

FIGURES = ("ap50", "iou", "dice")
MOST_TESTED = 60
"""Held-out pictures that are looked at: beyond these the draw of masks blurs a curve more than the pictures do."""
FROZEN, OTSU = "frozen:", "otsu"

Figures = dict[str, list[float]]
"""FIGURES to a value each held-out picture, in order."""


@dataclass(frozen=True)
class Start:
    """Where fits begin: a resolved start, and whether its encoder stays as it is."""

    name: str
    is_frozen: bool = False

    @classmethod
    def parsed(cls, text: str) -> Start:
        """`default`, `frozen:default`, a folder, … Raises MorphoscopeError for what is none."""
        is_frozen, name = text.startswith(FROZEN), resolved_start(text.removeprefix(FROZEN), "--encoders")
        if is_frozen and name == RANDOM:
            raise MorphoscopeError(
                f"--encoders {text}: random weights can't stay as they are; expected learned ones. Leave '{FROZEN}' out."
            )
        return cls(name, is_frozen)

    def __str__(self) -> str:
        return (FROZEN if self.is_frozen else "") + self.name


@dataclass(frozen=True)
class MaskTrial:
    """A point of a repeat's curve."""

    start: Start
    masks: int
    repeat: int


@dataclass(frozen=True)
class MaskCurvePlan:
    """What is asked. Every fit takes the same number of steps, each of batch_size views. seed: a repeat draws the same masks for every
    start, and smaller sets of masks are part of larger ones."""

    starts: tuple[Start, ...]
    masks: tuple[int, ...]
    repeats: int = 2
    steps: int = 400
    batch_size: int = 4
    view_px: int = 320
    seed: int = 0

    @property
    def trials(self) -> list[MaskTrial]:
        """Repeat by repeat, so that the whole curve is seen early."""
        numbers = range(self.repeats)
        return [MaskTrial(start, masks, repeat) for repeat in numbers for masks in self.masks for start in self.starts]


@dataclass(frozen=True, eq=False)
class MaskSides:
    """pool: rows whose masks are drawn, each with an object. test: held-out rows. No group is on both sides."""

    folder: MaskedFolder
    pool: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, folder: MaskedFolder, seed: int = 0) -> MaskSides:
        """Raises MorphoscopeError where nothing can be held out, or nothing learned."""
        fold = mask_fold(folder, MaskRecipe(seed=seed))
        side = np.concatenate([fold.train, fold.validation])
        pool = np.array([row for row in side if folder.pictures[row].n_objects], dtype=np.intp)
        if not len(fold.test) or not len(pool):
            raise MorphoscopeError(
                f"--masks: {len(folder.pictures)} pictures in {len(np.unique(folder.groups))} groups leave "
                f"{len(pool)} with objects to learn from and {len(fold.test)} to test on; expected some of both. Mark more pictures."
            )
        looked_at = np.random.default_rng(seed).permutation(fold.test)[:MOST_TESTED]
        return cls(folder, pool, np.sort(looked_at))

    @property
    def test_groups(self) -> np.ndarray:
        return self.folder.groups[self.test]

    def drawn(self, trial: MaskTrial, plan: MaskCurvePlan) -> np.ndarray:
        """Rows of the masks that a trial learns from."""
        rng = np.random.default_rng(plan.seed + trial.repeat)
        return np.sort(rng.permutation(self.pool)[: trial.masks])

    def planned(self, trial: MaskTrial, plan: MaskCurvePlan) -> tuple[MaskTraining, MaskPlan]:
        """The trial's fit. With so few masks none is spared to choose weights by: the last ones count."""
        recipe = MaskRecipe(
            encoder=trial.start.name,
            freeze_encoder=trial.start.is_frozen,
            steps=plan.steps,
            batch_size=plan.batch_size,
            view_px=plan.view_px,
            seed=plan.seed + trial.repeat,
        )
        rows = self.drawn(trial, plan)
        training = MaskTraining.of(self.folder, Fold(rows, rows[:0], rows[:0], 0, 0), recipe)
        return training, planned(training, recipe, np.inf)

    def figures(self, find: Find) -> Figures:
        """What is right of what was found in the held-out pictures."""
        scores = []
        for row in self.test:
            micrograph, true = self.folder.read(int(row))
            scores.append(score_picture(true, find(micrograph)))
        return {figure: [float(getattr(score, figure)) for score in scores] for figure in FIGURES}


def mean_and_band(repeats: Sequence[Figures], groups: np.ndarray, figure: str) -> tuple[float, Interval | None]:
    """The mean over repeats and pictures, with a 95 % interval that draws repeats and groups of pictures anew."""
    values = np.array([each[figure] for each in repeats])
    _, group_of = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(values), group_of.max() + 1, 2))
    for repeat, row in enumerate(values):
        np.add.at(sums[repeat], group_of, np.column_stack([row, np.ones_like(row)]))
    return float(values.mean()), crossed_bootstrap_interval(sums, lambda totals: totals[:, 0] / totals[:, 1])
