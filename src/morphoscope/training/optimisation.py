"""How a recipe's weights move: the optimiser, its learning rate over the run, and which layers stay as they are for a while."""

from __future__ import annotations

import math
from itertools import accumulate

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import RANDOM
from morphoscope.models.network import MultimodalNetwork
from morphoscope.training.recipe import FitSettings, Recipe, StageSettings

WARM_UP_SHARE = 0.15
"""Of a one-cycle run, in which the learning rate rises."""
HEADS = "heads"
"""In place of a layer's name: none of the backbone's learns."""


def optimizer_for(network: nn.Module, fit: FitSettings) -> Optimizer:
    """The optimiser of a fit over all weights of a network."""
    weights, rate = list(network.parameters()), fit.learning_rate
    if fit.optimizer == "adamw":
        groups = [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": fit.weight_decay},
            {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=rate)
    if fit.optimizer == "adam":
        return torch.optim.Adam(weights, lr=rate, weight_decay=fit.weight_decay)
    if fit.optimizer == "rmsprop":
        # Keras' forgetting, 0.9, in place of PyTorch's 0.99: the recipes that ask for it were written in Keras.
        return torch.optim.RMSprop(weights, lr=rate, alpha=0.9, eps=1e-7, weight_decay=fit.weight_decay)
    return torch.optim.SGD(weights, lr=rate, momentum=fit.momentum, weight_decay=fit.weight_decay)


def schedule_for(optimizer: Optimizer, fit: FitSettings, steps: int) -> LRScheduler:
    """The learning rate over `steps` of a fit whose epochs are decided."""
    if fit.schedule == "one-cycle":
        rate, total = fit.learning_rate, max(2, steps)
        return OneCycleLR(optimizer, rate, total_steps=total, pct_start=WARM_UP_SHARE, final_div_factor=100)
    steps_per_epoch = max(1, steps // max(1, fit.epochs))

    def share(step: int) -> float:
        stage = stage_of(fit, step // steps_per_epoch)
        rate = (stage.learning_rate / fit.learning_rate) if stage else 1.0
        return rate if fit.schedule == "constant" else rate * (1 + math.cos(math.pi * min(1.0, step / max(1, steps)))) / 2

    return LambdaLR(optimizer, share)


def stage_of(fit: FitSettings, epoch: int) -> StageSettings | None:
    """The stage that an epoch, counted from 0, belongs to: the fit's epochs are divided in proportion to those of its stages."""
    if not fit.stages:
        return None
    wanted = sum(stage.epochs for stage in fit.stages)
    epochs = fit.epochs or wanted
    for stage, until in zip(fit.stages, accumulate(stage.epochs for stage in fit.stages), strict=True):
        if epoch < max(1, round(epochs * until / wanted)):
            return stage
    return fit.stages[-1]


def is_ever_frozen(recipe: Recipe) -> bool:
    """Whether some stage keeps layers as they are. What starts from random weights has nothing to keep."""
    is_learned = recipe.encoder != RANDOM or bool(recipe.pretraining)
    return is_learned and any(stage.frozen_below for stage in recipe.fit.stages)


def freeze(network: MultimodalNetwork, recipe: Recipe, epoch: int) -> None:
    """Freezes the layers of the image branch that stay as they are in an epoch, their normalisation included, and frees the others.

    Raises RecipeError for a layer that the backbone has not.
    """
    branch, stage = dict(network.branches.items()).get("image"), stage_of(recipe.fit, epoch)
    if not isinstance(branch, ImageBranch) or stage is None or not is_ever_frozen(recipe):
        return
    still = frozen_modules(branch, stage.frozen_below)
    for name, module in branch.backbone.named_modules():
        if not list(module.children()):
            module.train(name not in still)
        for weights in module.parameters(recurse=False):
            weights.requires_grad_(name not in still)


def frozen_modules(branch: ImageBranch, frozen_below: str) -> set[str]:
    """The names of the backbone's modules that come before a layer, itself among them as "". Raises RecipeError where there is
    no such layer."""
    modules = [name for name, _ in branch.backbone.named_modules()]
    if not frozen_below:
        return set()
    if frozen_below == HEADS:
        return set(modules)
    if frozen_below not in modules:
        known = [name for name, _ in branch.backbone.named_children()]
        raise RecipeError(
            f"fit.stages: {branch.name} has no layer '{frozen_below}'; expected one such as {', '.join(known[:3])} or "
            f"{known[-1]}, or {HEADS}.{did_you_mean(frozen_below, known)} Correct frozen_below."
        )
    return set(modules[: modules.index(frozen_below)])
