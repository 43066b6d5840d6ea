"""A training on a folder with masks: who learns, who chooses, who is held out, how long it takes."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from morphoscope.data.masks import MaskedFolder
from morphoscope.data.split import Fold, split
from morphoscope.errors import MorphoscopeError, SplitError
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.models.encoders import RANDOM
from morphoscope.models.segmenter import Segmenter, SegmenterSpec
from morphoscope.models.segmenter_start import begun_segmenter, is_whole_start
from morphoscope.training.segmentation.choice import CHECKS, Choice
from morphoscope.training.segmentation.copies import MOST_LOOK_PX, MOST_WINDOWS, Copy, training_copy, windows_of
from morphoscope.training.segmentation.fit import FittedSegmenter, SegmentationSettings, Watch, fit_segmenter, seconds_per_step
from morphoscope.training.segmentation.recipe import MaskRecipe
from morphoscope.training.segmentation.samples import SegmentationSamples, segmentation_samples
from morphoscope.training.segmentation.targets import object_targets

PROTOCOLS = "80/20 or 70/20/10"
FEWEST_TO_CHOOSE = 5
"""Independent training pictures below which none are set aside to choose weights by."""
FEWEST_LOOKED_AT, MOST_TO_CHOOSE = 3, 16
LOOK_SHARE = 0.25
"""Validation pictures that a look takes in: as many as can be looked at in this share of the minutes, within bounds."""
MOST_STEPS = 4000
BUDGET_MARGIN = 0.85
"""Share of the minutes that the planned steps may take; the rest is for the looks and for what a short probe can't foresee."""
RATE_FROM_WEIGHTS, RATE_FROM_ENCODER = 1e-4, 1e-3
AVERAGING_SHARE = 0.08
LEAST_SHOWN_PX, MOST_SHOWN = 20.0, 0.5625
"""Sizes of typical objects in views: in px, and over the side of a view; as the shipped segmenter learned. A network that has
not seen large objects for a while takes them for several small ones, and the finder no longer steps back from them."""


def mask_fold(folder: MaskedFolder, recipe: MaskRecipe) -> Fold:
    """Who learns, chooses and is held out: groups stay whole, and pictures with few and many objects are on every side.

    With two groups one is held out; with one nothing is. Raises SplitError for a protocol of several folds.
    """
    if "/" not in recipe.split:
        raise SplitError(
            f"--split {recipe.split}: a training on masks holds out one part; expected {PROTOCOLS}, or other percentages. "
            "Leave --split out for 80/20."
        )
    rows, groups = np.arange(len(folder.pictures)), folder.groups
    nobody = rows[:0]
    names = np.unique(groups)
    if len(names) < 3:
        # The larger group learns.
        learns = groups == np.bincount(groups).argmax()
        return Fold(rows[learns], nobody, rows[~learns], 0, 0)
    counts = np.array([picture.n_objects for picture in folder.pictures])
    middle = np.median(counts[counts > 0])
    truth = np.column_stack([counts == 0, (counts > 0) & (counts <= middle), counts > middle])
    named = [picture.group for picture in folder.pictures]
    (fold,) = split([truth], groups, recipe.split, recipe.seed, user_groups=named)
    side = np.sort(np.concatenate([fold.train, fold.validation]))
    if len(np.unique(groups[side])) < FEWEST_TO_CHOOSE:
        return dataclasses.replace(fold, train=side, validation=nobody)
    return fold


@dataclass(frozen=True, eq=False)
class MaskTraining:
    """samples: windows of the training pictures. shares: how often each is drawn, the same for every picture. validation: copies
    that weights are chosen by."""

    samples: SegmentationSamples
    shares: np.ndarray
    validation: list[Copy]
    n_pictures: int

    @classmethod
    def of(cls, folder: MaskedFolder, fold: Fold, recipe: MaskRecipe) -> MaskTraining:
        """Reads the pictures again. Raises MorphoscopeError where none to learn from has an object."""
        if not any(folder.pictures[row].n_objects for row in fold.train):
            raise MorphoscopeError(
                f"--masks: none of the {len(fold.train)} pictures to learn from has an object; expected some. Mark objects in more "
                "pictures, or choose another --seed."
            )
        rng = np.random.default_rng(recipe.seed)
        most = max(1, MOST_WINDOWS // len(fold.train))
        windows, shares = [], []
        for row in fold.train:
            cut = windows_of(training_copy(*folder.read(int(row))), most, rng)
            windows += cut
            shares += [1 / len(cut)] * len(cut)
        pictures, maps = zip(*windows, strict=True)
        samples = segmentation_samples(pictures, [object_targets(numbers) for numbers in maps])
        chosen = np.sort(rng.permutation(fold.validation)[:MOST_TO_CHOOSE])
        validation = [training_copy(*folder.read(int(row)), MOST_LOOK_PX) for row in chosen]
        return cls(samples, np.array(shares), validation, len(fold.train))


@dataclass(frozen=True, eq=False)
class MaskPlan:
    """recipe: with steps, batch size and learning rate decided. minutes: when the fit ends at the latest. seconds: expected."""

    recipe: MaskRecipe
    settings: SegmentationSettings
    spec: SegmenterSpec
    start: dict[str, torch.Tensor]
    minutes: float
    seconds: float


def planned(material: MaskTraining, recipe: MaskRecipe, minutes: float) -> MaskPlan:
    """Steps from the recipe, from its epochs, or from the minutes, whichever is the first that is given; the minutes bound all."""
    torch.manual_seed(recipe.seed)
    network = begun_segmenter(recipe.encoder, recipe.spec)
    batch = recipe.batch_size or (16 if torch.cuda.is_available() else 4)
    rate = recipe.learning_rate or (RATE_FROM_WEIGHTS if is_whole_start(recipe.encoder) else RATE_FROM_ENCODER)
    settings = SegmentationSettings(
        batch_size=batch,
        view_px=recipe.view_px,
        sizes_px=(LEAST_SHOWN_PX, MOST_SHOWN * recipe.view_px),
        learning_rate=rate,
        weight_decay=recipe.weight_decay,
        averaging_share=AVERAGING_SHARE,
        encoder_rate=_encoder_rate(recipe),
        kept_statistics=_kept_statistics(recipe),
        is_dice_alone=recipe.loss == "dice",
        seed=recipe.seed,
    )
    seconds = seconds_per_step(material.samples, network.spec, settings)
    n_looks, look_seconds = _looks(material, recipe, network, minutes)
    affordable = max(0.0, BUDGET_MARGIN * 60 * minutes - look_seconds) / seconds
    if recipe.steps:
        steps = recipe.steps
    elif recipe.epochs:
        steps = math.ceil(recipe.epochs * material.n_pictures / batch)
    else:
        steps = MOST_STEPS
    # A repeat from a recipe's own steps has no minutes, and takes as many as were planned.
    steps = int(max(1, min(steps, affordable)))
    settled = {"steps": steps, "batch_size": batch, "learning_rate": rate, "look_pictures": n_looks}
    settings, expected = dataclasses.replace(settings, steps=steps), steps * seconds + look_seconds
    return MaskPlan(recipe.model_copy(update=settled), settings, network.spec, network.state_dict(), minutes, expected)


def _encoder_rate(recipe: MaskRecipe) -> float:
    """A random decoder's first steps would wreck what an encoder knows; whole weights learn as one."""
    if recipe.encoder == RANDOM:
        return 1.0
    if recipe.freeze_encoder:
        return 0.0
    return 1.0 if is_whole_start(recipe.encoder) else recipe.encoder_rate


def _kept_statistics(recipe: MaskRecipe) -> Literal["none", "encoder", "all"]:
    """Those that the start has learned."""
    if recipe.encoder == RANDOM:
        return "none"
    return "all" if is_whole_start(recipe.encoder) else "encoder"


def _looks(material: MaskTraining, recipe: MaskRecipe, network: Segmenter, minutes: float) -> tuple[int, float]:
    """Validation pictures a look takes in, and the seconds of all looks."""
    if not material.validation:
        return 0, 0.0
    began = time.perf_counter()
    ObjectFinder(network).find(material.validation[0][0])
    each = (CHECKS + 1) * (time.perf_counter() - began)
    affordable = max(FEWEST_LOOKED_AT, min(MOST_TO_CHOOSE, LOOK_SHARE * 60 * minutes / each))
    count = min(recipe.look_pictures or int(affordable), len(material.validation))
    return count, count * each


def trained(material: MaskTraining, plan: MaskPlan, watch: Watch) -> FittedSegmenter:
    """Fits, and keeps the weights that find the validation objects best, those of the start among them where they are whole."""
    first = 0.0 if is_whole_start(plan.recipe.encoder) else 1 / CHECKS
    looked_at = material.validation[: plan.recipe.look_pictures]
    choice = Choice(looked_at, first) if looked_at else None
    return fit_segmenter(
        material.samples,
        material.shares,
        plan.spec,
        plan.settings,
        start=plan.start,
        minutes=plan.minutes,
        watch=dataclasses.replace(watch, choice=choice),
    )
