"""Which weights of a fit are kept: those with which most validation objects are found."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.models.segmenter import Segmenter
from morphoscope.scores.instances import foreground_iou, match_instances
from morphoscope.training.segmentation.copies import Copy

CHECKS, PATIENCE = 10, 7
"""How often a fit is looked at, and after how many looks without improvement it ends: late, since the last steps, with a small
learning rate, are often the best."""


@dataclass
class Choice:
    """pictures: validation copies. first: the share of the fit at which the first look is taken; 0 lets the start stand too.

    A look's score is the mean of AP at IoU 0.5 and foreground IoU, both means over pictures: AP alone is coarse on a few.
    """

    pictures: Sequence[Copy]
    first: float = 0.0
    step: int = 0
    score: float = -1.0
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    _looks: int = 0
    _best_look: int = 0

    def is_due(self, progress: float) -> bool:
        """Whether a look is to be taken at this share of the fit."""
        return progress >= min(1.0, self.first + self._looks * (1 - self.first) / CHECKS)

    @property
    def is_over(self) -> bool:
        """Whether the best look is long ago."""
        return self._looks - self._best_look > PATIENCE

    def look(self, network: Segmenter, step: int) -> dict[str, float]:
        """Scores the network, and keeps its weights where no earlier ones were as good."""
        ap50, iou = self._scores(network)
        self._looks += 1
        if (ap50 + iou) / 2 > self.score:
            self.step, self.score, self._best_look = step, (ap50 + iou) / 2, self._looks
            self.weights = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
        return {"validation_ap50": ap50, "validation_iou": iou}

    def _scores(self, network: Segmenter) -> tuple[float, float]:
        """AP at IoU 0.5 and foreground IoU."""
        finder = ObjectFinder(copy.deepcopy(network))
        pairs = [(numbers, finder.find(grey)) for grey, numbers in self.pictures]
        ap50 = np.mean([match_instances(true, found).average_precision for true, found in pairs])
        return float(ap50), float(np.mean([foreground_iou(true, found) for true, found in pairs]))
