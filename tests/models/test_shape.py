"""Measured shape as a branch: what is missing is an ordinary input, and standardisation knows only what is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphoscope.models.branches.shape import ShapeBranch


@pytest.fixture
def branch() -> ShapeBranch:
    torch.manual_seed(0)
    branch = ShapeBranch(width=4)
    rng = np.random.default_rng(0)
    training = rng.normal([5, -2, 0, 7], [2, 0.1, 1, 0], (60, 4))
    training[::3, 1] = np.nan
    training[:, 2] = np.nan
    branch.standardise_by(torch.tensor(training, dtype=torch.float32))
    return branch


def test_mean_and_spread_are_those_of_the_known(branch: ShapeBranch) -> None:
    assert branch.centre.tolist() == pytest.approx([5, -2, 0, 7], abs=0.6)
    assert branch.spread.tolist() == pytest.approx([2, 0.1, 1, 1], rel=0.3)  # 1 where nothing varies or is known


def test_missing_statistics_are_told_from_average_ones(branch: ShapeBranch) -> None:
    branch.eval()
    average = branch.centre.repeat(2, 1)
    average[1, 0] = torch.nan
    features = branch(average)
    assert torch.isfinite(features).all()
    assert not torch.allclose(features[0], features[1])


def test_all_missing_and_extreme_values_train(branch: ShapeBranch) -> None:
    branch.train()
    rows = torch.tensor([[torch.nan] * 4, [1e9, -1e9, 0, 3], [5, -2, 1, 7]])
    loss = branch(rows).square().mean()
    loss.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in branch.parameters())
    assert branch(rows).shape == (3, branch.out_features)
