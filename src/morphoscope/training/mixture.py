"""How much each branch's own answer counts beside the fused one, a task, learned from pictures held back from training.

The fused head trusts a branch as much as the training pictures make it look trustworthy. On new pictures some branches keep their
word better than others; a few weights a task, drawn towards a fixed mixture, tell (stacking, Wolpert 1992).
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import logsumexp

from morphoscope.inference.forward import FUSED, Answers
from morphoscope.models.network import MultimodalNetwork
from morphoscope.schema import Task

FUSED_SHARE = 0.4
"""Of the mixture that weights are drawn to; the branches share the rest."""
WORTH_OF_PRIOR = 4.0
"""In pictures: how hard weights are drawn there."""
MOST_WEIGHT = 3.0


def fit_mixture(network: MultimodalNetwork, held_back: Answers, truths: list[np.ndarray]) -> None:
    """Sets the network's mixture. held_back: logits of N pictures as fused and, by its name, of each branch alone, made with the
    mixture that a new network has; truths: (N, C) bool a task."""
    branches = list(network.branches)
    rows = []
    for number, (task, truth) in enumerate(zip(network.spec.schema.tasks, truths, strict=True)):
        answers = np.stack([held_back.logits[way][number] for way in (FUSED, *branches)])
        known = truth.any(1)
        rows.append(mixture_weights(task, answers[:, known], truth[known]))
    network.mixture.copy_(torch.tensor(np.stack(rows), dtype=network.mixture.dtype))


def mixture_weights(task: Task, answers: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(W,) weights of W answers' logits (W, N, C), the first of them fused, that make the truth (N, C) most likely."""
    ways = len(answers)
    prior = np.r_[FUSED_SHARE, np.full(ways - 1, (1 - FUSED_SHARE) / max(1, ways - 1))]
    if not len(truth):
        return prior

    def cost(weights: np.ndarray) -> float:
        logits = np.tensordot(weights, answers.astype(np.float64), 1)
        each = np.logaddexp(0, np.where(truth, -logits, logits)).sum(1)
        loss = each if task.is_multilabel else logsumexp(logits, 1) - logits[truth]
        return float(loss.mean() + WORTH_OF_PRIOR / len(truth) * ((weights - prior) ** 2).sum())

    return np.asarray(minimize(cost, prior, bounds=[(0, MOST_WEIGHT)] * ways, method="L-BFGS-B").x)
