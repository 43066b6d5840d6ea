"""Probes against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from morphoscope.training.selfsupervised.probes import few_label_accuracy, knn_scores, ridge_scores


def blobs(n: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return rng.normal(size=(n, 20)) + apart * np.eye(20)[labels], labels


def test_neighbours_vote_as_scikit_learn_does() -> None:
    rows, labels = blobs(90, 1.5)
    asked, _ = blobs(30, 1.5, seed=1)
    weigh = lambda distance: np.exp(-distance / 0.07)  # noqa: E731
    theirs = KNeighborsClassifier(7, metric="cosine", weights=weigh).fit(rows, labels).predict_proba(asked)
    ours = knn_scores(rows, labels, asked, 3, k=7)
    assert np.allclose(ours / ours.sum(1, keepdims=True), theirs, atol=1e-6)


def test_the_linear_probe_is_ridge_regression() -> None:
    rows, labels = blobs(30, 1.0)
    asked, _ = blobs(9, 1.0, seed=2)
    centre, spread = rows.mean(0), rows.std(0) + 1e-6
    x, z = (np.clip((r - centre) / spread, -5, 5) / np.sqrt(20) for r in (rows, asked))
    model = Ridge(alpha=1 / 30, fit_intercept=False).fit(x, np.eye(3)[labels] - 1 / 3, sample_weight=np.full(30, 1 / 10))
    assert np.allclose(ridge_scores(rows, labels, asked, 3), model.predict(z), atol=1e-6)


def test_features_without_a_word_on_the_classes_give_chance_and_clear_ones_certainty() -> None:
    rows, labels = blobs(240, 6.0)
    groups = np.arange(240) // 2
    found = few_label_accuracy(rows, labels, groups)
    assert min(found.values()) > 0.97
    noise = few_label_accuracy(np.random.default_rng(3).normal(size=(240, 20)), labels, groups)
    assert noise["linear"] == pytest.approx(1 / 3, abs=0.08)
    assert few_label_accuracy(rows, labels, np.zeros(240)) == {}, "one group can't both teach and test"
    assert few_label_accuracy(rows, np.full(240, -1), groups) == few_label_accuracy(rows, np.zeros(240, int), groups) == {}
    labels[::2] = -1
    assert min(few_label_accuracy(rows, labels, groups).values()) > 0.97
