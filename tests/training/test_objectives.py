"""The masked multi-task loss against PyTorch's own, and with labels missing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from morphoscope.schema import Schema, Task
from morphoscope.training.objectives import MultitaskLoss, log_priors

SCHEMA = Schema((Task("One", ("a", "b", "c")), Task("Several", ("x", "y"), is_multilabel=True)))


def loss(truths: list[torch.Tensor], logits: list[torch.Tensor], **settings: float) -> torch.Tensor:
    return MultitaskLoss(SCHEMA, log_priors(SCHEMA, truths), **settings)(logits, truths)


def one_hot(classes: list[int], n: int) -> torch.Tensor:
    return F.one_hot(torch.tensor(classes), n).bool()


def test_equals_cross_entropy_plus_binary_cross_entropy() -> None:
    logits = [torch.randn(4, 3), torch.randn(4, 2)]
    truths = [one_hot([0, 1, 2, 2], 3), torch.tensor([[1, 1], [1, 0], [0, 1], [1, 0]]).bool()]
    expected = F.cross_entropy(logits[0], torch.tensor([0, 1, 2, 2])) + F.binary_cross_entropy_with_logits(
        logits[1], truths[1].float()
    )
    assert loss(truths, logits) == pytest.approx(float(expected))


def test_unlabelled_rows_do_not_count_and_a_batch_without_labels_is_zero_not_nan() -> None:
    logits = [torch.randn(3, 3, requires_grad=True), torch.randn(3, 2, requires_grad=True)]
    nothing = [torch.zeros(3, 3).bool(), torch.zeros(3, 2).bool()]
    empty = loss(nothing, logits)
    empty.backward()
    assert empty.item() == 0
    assert torch.isfinite(logits[0].grad).all()
    truths = [one_hot([0, 1, 2], 3), torch.zeros(3, 2).bool()]
    truths[0][1:] = False
    assert loss(truths, logits).item() == pytest.approx(F.cross_entropy(logits[0][:1], torch.tensor([0])).item())


def test_logit_adjustment_is_menons() -> None:
    truths = [one_hot([0, 0, 0, 1], 3), torch.zeros(4, 2).bool()]
    logits = [torch.zeros(4, 3), torch.zeros(4, 2)]
    priors = log_priors(SCHEMA, truths)[0]
    expected = F.cross_entropy(logits[0] + priors, torch.tensor([0, 0, 0, 1]))
    assert float(loss(truths, logits, logit_adjustment=1.0)) == pytest.approx(float(expected))
