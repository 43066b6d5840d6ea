"""Losses that leave missing labels out: one term a task, averaged over the pictures that carry its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from morphoscope.schema import Schema


@dataclass(frozen=True)
class MultitaskLoss:
    """Sum over tasks of cross-entropy (one class) or binary cross-entropy (multi-label).

    log_priors: (C,) a task, of the labelled training pictures; with `logit_adjustment` tau the training logits are raised
    by tau · log prior (Menon et al. 2021), so that rare classes are not outvoted at prediction.
    """

    schema: Schema
    log_priors: Sequence[Tensor]
    logit_adjustment: float = 0.0
    label_smoothing: float = 0.0

    def __call__(self, logits: Sequence[Tensor], truths: Sequence[Tensor]) -> Tensor:
        """Scalar, zero where no picture is labelled. logits, truths: (B, C) a task; an all-zero truth row is unlabelled."""
        total = logits[0].sum() * 0
        for task, task_logits, truth, log_prior in zip(self.schema.tasks, logits, truths, self.log_priors, strict=True):
            labelled = truth.any(1)
            if not labelled.any():
                continue
            scores = task_logits[labelled].float() + self.logit_adjustment * log_prior.to(task_logits.device)
            target = truth[labelled].float()
            if task.is_multilabel:
                total = total + F.binary_cross_entropy_with_logits(scores, _smoothed(target, self.label_smoothing, 2))
            else:
                total = total + F.cross_entropy(scores, _smoothed(target, self.label_smoothing, len(task.classes)))
        return total


def _smoothed(target: Tensor, amount: float, outcomes: int) -> Tensor:
    return target * (1 - amount) + amount / outcomes


def log_priors(schema: Schema, truths: Sequence[Tensor]) -> list[Tensor]:
    """(C,) log share of each class among the labelled pictures, by task; log odds for a multi-label task."""
    priors = []
    for task, truth in zip(schema.tasks, truths, strict=True):
        counts = truth.float().sum(0) + 0.5
        n_labelled = truth.any(1).float().sum() + 1.0
        priors.append(torch.log(counts / (n_labelled - counts + 1.0)) if task.is_multilabel else torch.log(counts / counts.sum()))
    return priors
