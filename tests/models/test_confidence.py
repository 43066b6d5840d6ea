"""Temperature, conformal sets and abstention against drawn probabilities whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax

from morphoscope.models.confidence import TaskConfidence
from morphoscope.schema import Task

TASK = Task("Shape", ("Rod", "Sphere", "Cube", "Plate"))


def drawn(n: int, sharpness: float, overconfidence: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, 4) that state the true log-probabilities times `overconfidence`, and truths drawn from those probabilities."""
    rng = np.random.default_rng(seed)
    true_logits = log_softmax(rng.normal(size=(n, 4)) * sharpness, axis=1)
    classes = np.array([rng.choice(4, p=np.exp(row)) for row in true_logits])
    return true_logits * overconfidence, np.eye(4, dtype=bool)[classes]


def test_temperature_undoes_known_overconfidence() -> None:
    logits, truth = drawn(4000, 1.5, overconfidence=3.0, seed=0)
    assert TaskConfidence.fit(TASK, logits, truth).temperature == pytest.approx(3.0, rel=0.1)


def test_a_few_right_answers_are_no_certainty() -> None:
    """Of 30 pictures all answered rightly, the next may still be wrong once in 32."""
    truth = np.eye(4, dtype=bool)[np.arange(30) % 4]
    confidence = TaskConfidence.fit(TASK, np.where(truth, 6.0, 0.0), truth).predict(TASK, np.where(truth, 6.0, 0.0)).confidence
    assert confidence == pytest.approx(31 / 32, abs=1e-3)


@pytest.mark.parametrize("sharpness", [0.5, 1.5, 4.0])
def test_sets_hold_the_truth_nine_times_in_ten(sharpness: float) -> None:
    """Averaged over repeats, as the guarantee is: 90 % or a little more (1 / (n + 1))."""
    covered = []
    for seed in range(30):
        logits, truth = drawn(400, sharpness, 2.0, seed)
        confidence = TaskConfidence.fit(TASK, logits[:100], truth[:100])
        covered.append(confidence.predict(TASK, logits[100:]).in_set[truth[100:]].mean())
    assert 0.89 <= np.mean(covered) <= 0.925


def test_answers_above_the_threshold_are_right_in_95_percent() -> None:
    logits, truth = drawn(2000, 3.0, 1.0, seed=3)
    prediction = TaskConfidence.fit(TASK, logits, truth).predict(TASK, logits)
    sure = prediction.is_sure
    assert 0.2 < sure.mean() < 1
    assert (prediction.chosen() == truth).all(1)[sure].mean() >= 0.95


def test_abstains_always_where_no_threshold_is_good_enough() -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(50, 4)), np.eye(4, dtype=bool)[rng.integers(0, 4, 50)]
    logits[np.arange(50), truth.argmax(1)] = -5  # always wrong
    confidence = TaskConfidence.fit(TASK, logits, truth)
    assert not confidence.predict(TASK, logits).is_sure.any()
    assert math.isinf(TaskConfidence.from_dict(confidence.to_dict()).sure_threshold)


def test_unlabelled_rows_and_empty_calibration_are_no_error() -> None:
    logits = np.zeros((3, 4))
    confidence = TaskConfidence.fit(TASK, logits, np.zeros((3, 4), bool))
    prediction = confidence.predict(TASK, logits)
    assert confidence.n_calibration == 0
    assert prediction.in_set.all()
    assert not prediction.is_sure.any()


def test_multilabel_probabilities_are_independent() -> None:
    task = Task("Seen", ("Particles", "Nanowires"), is_multilabel=True)
    logits = np.array([[4.0, 4.0], [4.0, -4.0], [-4.0, 4.0]] * 20)
    truth = logits > 0
    prediction = TaskConfidence.fit(task, logits, truth).predict(task, logits)
    assert (prediction.chosen() == truth).all()
    assert (prediction.in_set[truth]).mean() >= 0.9
