"""Light heads: against scikit-learn, with classes missing, and with one class only."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from morphoscope.errors import MorphoscopeError
from morphoscope.training.few_labels import heads
from morphoscope.training.few_labels.heads import HEADS, check_classes, logistic, standardiser
from morphoscope.training.few_labels.softmax import published_softmax, softmax


def blobs(each: int, apart: float = 4.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), each)
    return (rng.normal(size=(3 * each, 40)) + apart * np.eye(40)[labels]) / np.sqrt(40), labels


@pytest.mark.parametrize("name", HEADS.names())
@pytest.mark.parametrize("each", [1, 8])
def test_every_head_tells_clear_classes_apart(name: str, each: int) -> None:
    rows, labels = blobs(each)
    asked, truth = blobs(30, seed=1)
    scores = HEADS.load(name)(rows, labels, np.arange(len(rows)), asked, 3, 0)
    assert scores.shape == (90, 3)
    assert (scores.argmax(1) == truth).mean() > (0.45 if each == 1 else 0.9)


def test_the_span_of_the_rows_gives_the_same_answer_as_all_features() -> None:
    rows, labels = blobs(3)
    asked, _ = blobs(5, seed=2)
    ours = logistic(rows, labels, np.arange(9), asked, 3, 0)
    whole = LogisticRegression(C=heads.USUAL_C, max_iter=3000, tol=1e-8).fit(rows, labels).predict_log_proba(asked)
    assert np.allclose(ours, whole, atol=2e-2)


def test_inner_validation_keeps_groups_whole_and_penalises_noise() -> None:
    rng = np.random.default_rng(0)
    labels, groups = np.repeat(np.arange(2), 20), np.arange(40) // 2
    fold = heads._inner_folds(labels, groups, 0)
    assert all(len(set(fold[groups == group])) == 1 for group in range(20))
    assert heads._chosen_strength(rng.normal(size=(40, 30)), labels, groups, 0) == min(heads.C_GRID)


def test_a_constant_feature_and_an_odd_picture_do_no_harm() -> None:
    pool = np.random.default_rng(0).normal(size=(50, 3))
    pool[:, 1] = 7
    scaled = standardiser(pool)(np.vstack([pool, [1e6, 7.1, 0]]))
    assert (scaled[:, 1] == 0).all()
    assert np.abs(scaled).max() == pytest.approx(5 / np.sqrt(3))


def test_one_class_only_is_a_sentence() -> None:
    with pytest.raises(MorphoscopeError, match="'Shape': labels of one class only; expected at least two"):
        check_classes("Shape", np.array([2, 2, 2]))


def test_stopping_by_the_test_side_flatters() -> None:
    rows, labels = blobs(2, apart=0.0)
    asked, truth = blobs(20, apart=0.0, seed=3)
    honest = (softmax(rows, labels, np.arange(6), asked, 3, 0).argmax(1) == truth).mean()
    published = (published_softmax(rows, labels, asked, truth, 3, 0).argmax(1) == truth).mean()
    assert published >= honest - 0.05
