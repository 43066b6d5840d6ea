"""Weights of a mixture, from answers whose worth is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphoscope.models.network import Batch, MultimodalNetwork, NetworkSpec
from morphoscope.schema import Schema, Task
from morphoscope.training.mixture import FUSED_SHARE, mixture_weights

TASK = Task("shape", ("a", "b", "c"))


def answers(count: int, *worth: float) -> tuple[np.ndarray, np.ndarray]:
    """(W, N, 3) noisy logits, each of which holds the truth with its own weight, and the truth (N, 3)."""
    rng = np.random.default_rng(0)
    truth = np.eye(3, dtype=bool)[rng.integers(0, 3, count)]
    return np.stack([w * 4 * truth + rng.normal(0, 2, truth.shape) for w in worth]), truth


def test_what_keeps_its_word_counts_more() -> None:
    weights = mixture_weights(TASK, *answers(300, 0.2, 0.0, 1.0))
    assert weights[2] > 3 * weights[1]
    assert weights[2] > weights[0]


def test_few_pictures_leave_the_mixture_near_its_prior() -> None:
    prior = np.array([FUSED_SHARE, (1 - FUSED_SHARE) / 2, (1 - FUSED_SHARE) / 2])
    assert mixture_weights(TASK, *answers(1, 0.0, 0.0, 1.0)) == pytest.approx(prior, abs=0.2)
    assert mixture_weights(TASK, np.zeros((3, 0, 3)), np.zeros((0, 3), bool)) == pytest.approx(prior)


def test_several_labels_a_picture_are_weighed_too() -> None:
    several = Task("seen", ("a", "b", "c"), is_multilabel=True)
    given, truth = answers(300, 0.0, 1.0)
    assert mixture_weights(several, given - 2, truth)[1] > 0.3


def test_a_mixture_changes_answers_in_evaluation_only() -> None:
    torch.manual_seed(0)
    spec = NetworkSpec({"texture": {"width": 5}, "shape": {"width": 4}}, Schema((TASK,)), 0.0)
    network = MultimodalNetwork(spec).eval()
    batch = Batch({"texture": torch.randn(6, 5), "shape": torch.randn(6, 4)})
    with torch.no_grad():
        features = network.features(batch)
        fused, texture, shape = (network.logits(features, only)[0] for only in (None, {"texture"}, {"shape"}))
        network.mixture.copy_(torch.tensor([[0.5, 0.2, 0.7]]))
        assert torch.allclose(network(batch)[0], 0.5 * fused + 0.2 * texture + 0.7 * shape, atol=1e-6)
        assert torch.allclose(network(batch, {"shape"})[0], shape)
        assert torch.allclose(network.train().fused_logits(features)[0], fused)
