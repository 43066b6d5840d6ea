"""How far a segmenter's maps are from their targets."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from morphoscope.training.segmentation.views import Views

EDGE_WEIGHT = 4.0
"""Edges are a few per cent of the pixels; more weight than this widens them."""
WEIGHTS = {"foreground": 1.0, "dice": 0.5, "edge": 0.5, "depth": 1.0, "size": 0.2, "offset": 0.5}


def segmentation_losses(maps: Tensor, views: Views) -> dict[str, Tensor]:
    """A scalar each of WEIGHTS' names. maps: (B, 6, v, v) as the network gives them.

    Dice is soft and of one picture (Milletari et al. 2016, with the mean over pictures). Within objects pixels weigh the inverse
    of their object's size, so that a large object counts more than a small one, but not by its area.
    """
    foreground, edge, depth, size, *_ = maps.unbind(1)
    seen, inside = views.is_seen.float(), (views.numbers > 0).float()
    probability = foreground.sigmoid() * seen
    overlap = 2 * (probability * inside).sum((1, 2)) + 1
    dice = 1 - overlap / (probability.sum((1, 2)) + inside.sum((1, 2)) + 1)
    weight = inside * torch.exp2(-views.size.clamp(-3, 4))
    total = weight.sum().clamp(min=1)
    distance = F.smooth_l1_loss(maps[:, 4:6], views.offsets.clamp(-4, 4), reduction="none", beta=0.1).sum(1)
    return {
        "foreground": _mean(F.binary_cross_entropy_with_logits(foreground, inside, reduction="none"), seen),
        "dice": dice.mean(),
        "edge": _mean(_edge_loss(edge, views.numbers), seen),
        "depth": ((depth.sigmoid() - views.depth).abs() * weight).sum() / total,
        "size": ((size - views.size).abs() * weight).sum() / total,
        "offset": (distance * weight).sum() / total,
    }


def total_loss(losses: dict[str, Tensor], is_dice_alone: bool = False) -> Tensor:
    """The weighed sum. is_dice_alone: of the foreground's two losses only the soft Dice, as Lu et al. 2022 have it."""
    weights = WEIGHTS | ({"foreground": 0.0, "dice": 1.0} if is_dice_alone else {})
    return torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()


def edges(numbers: Tensor) -> Tensor:
    """(B, v, v) bool: pixels of an object that have a neighbour of another number, up to a pixel away."""
    framed = F.pad(numbers[:, None].float(), (1, 1, 1, 1), mode="replicate")
    highest, lowest = F.max_pool2d(framed, 3, 1)[:, 0], -F.max_pool2d(-framed, 3, 1)[:, 0]
    return (highest != lowest) & (numbers > 0)


def _edge_loss(logits: Tensor, numbers: Tensor) -> Tensor:
    truth = edges(numbers).float()
    loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return loss * (1 + (EDGE_WEIGHT - 1) * truth)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1)
