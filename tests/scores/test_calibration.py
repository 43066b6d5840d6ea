"""Calibration scores against torchmetrics and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

from morphoscope.scores import calibration


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """(N, C) probabilities and truth drawn from them, so that they are calibrated."""
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet([0.7, 0.5, 0.3, 0.3], size=500)
    labels = [rng.choice(4, p=p) for p in probabilities]
    return probabilities, np.eye(4, dtype=bool)[labels]


def test_expected_calibration_error_agrees_with_torchmetrics(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, truth = drawn
    hits = truth[np.arange(500), probabilities.argmax(axis=1)]
    expected = multiclass_calibration_error(torch.tensor(probabilities), torch.tensor(truth.argmax(axis=1)), 4, n_bins=15)
    found = calibration.expected_calibration_error(probabilities.max(axis=1), hits)
    assert found == pytest.approx(float(expected), abs=1e-6)
    assert found < 0.07


def test_reliability_bins_hold_every_answer_once(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    confidence = np.append(drawn[0].max(axis=1), [0.0, 1.0])
    bins = calibration.reliability(confidence, np.ones(len(confidence), dtype=bool))
    assert sum(b.n for b in bins) == len(confidence)
    assert all(b.low - 1e-9 <= b.confidence <= b.high + 1e-9 for b in bins)


def test_likelihood_and_brier_agree_with_scikit_learn(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, truth = drawn
    found = calibration.negative_log_likelihood(probabilities, truth, is_multilabel=False)
    assert found == pytest.approx(metrics.log_loss(truth.argmax(axis=1), probabilities))
    expected = metrics.brier_score_loss(truth.argmax(axis=1), probabilities, scale_by_half=False)
    assert calibration.brier_score(probabilities, truth) == pytest.approx(expected)


def test_a_certain_mistake_costs_much_but_not_infinity() -> None:
    assert 30 < calibration.negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([[False, True]]), False) < 40


def test_multilabel_likelihood_sums_over_yes_and_no() -> None:
    probabilities, truth = np.array([[0.9, 0.2, 0.6]]), np.array([[True, False, False]])
    expected = -np.log([0.9, 0.8, 0.4]).sum()
    assert calibration.negative_log_likelihood(probabilities, truth, is_multilabel=True) == pytest.approx(expected)


def test_conformal_sets_must_hold_every_true_class() -> None:
    in_set = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    truth = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    assert calibration.set_coverage(in_set, truth) == pytest.approx(1 / 3)
    assert calibration.mean_set_size(in_set) == 1.0


def test_abstaining_leaves_the_confident_answers() -> None:
    confidence, hits = np.array([0.9, 0.5, 0.8, 0.5]), np.array([True, False, True, True])
    coverage, accuracy = calibration.risk_coverage(confidence, hits)
    np.testing.assert_allclose(coverage, [0.25, 0.5, 1.0])
    np.testing.assert_allclose(accuracy, [1, 1, 0.75])
    assert calibration.accuracy_at_coverage(hits, confidence > 0.7) == 1.0
    assert calibration.accuracy_at_coverage(hits, confidence > 1) is None


def test_nothing_gives_none() -> None:
    nothing = np.zeros((0, 3), dtype=bool)
    assert calibration.expected_calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) is None
    assert calibration.set_coverage(nothing, nothing) is None
    assert calibration.mean_set_size(nothing) is None
    assert calibration.brier_score(nothing, nothing) is None
    assert calibration.negative_log_likelihood(nothing, nothing, is_multilabel=False) is None
    assert [len(a) for a in calibration.risk_coverage(np.zeros(0), np.zeros(0, dtype=bool))] == [0, 0]
