"""Classification scores against scikit-learn, and on cases small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from morphoscope.scores import classification as cl


def one_hot(labels: list[int], n_classes: int = 3) -> np.ndarray:
    """(N, C) bool; a label of -1 is an unlabelled picture."""
    return np.array([[label == c for c in range(n_classes)] for label in labels], dtype=bool).reshape(-1, n_classes)


labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@settings(deadline=None)
@given(labels)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.filterwarnings("ignore:The number of unique classes is greater than 50%")
def test_single_label_scores_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    y, z = [list(column) for column in zip(*pairs, strict=True)]
    truth, chosen = one_hot(y, 4), one_hot(z, 4)
    assert cl.accuracy(truth, chosen) == pytest.approx(metrics.accuracy_score(y, z))
    assert cl.balanced_accuracy(truth, chosen) == pytest.approx(metrics.balanced_accuracy_score(y, z))
    assert cl.macro_f1(truth, chosen) == pytest.approx(metrics.f1_score(y, z, average="macro"))
    np.testing.assert_array_equal(cl.confusion(truth, chosen), metrics.confusion_matrix(y, z, labels=range(4)))
    precision, recall, f1, n = metrics.precision_recall_fscore_support(y, z, labels=range(4), zero_division=0)
    for c, score in enumerate(cl.class_scores(truth, chosen)):
        assert (score.precision or 0, score.recall or 0, score.f1 or 0, score.n) == pytest.approx(
            (precision[c], recall[c], f1[c], n[c])
        )


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_multilabel_scores_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, chosen = rng.random((25, 3)) < 0.5, rng.random((25, 3)) < 0.5
    keep = truth.any(axis=1)
    assert cl.accuracy(truth, chosen) == pytest.approx(metrics.accuracy_score(truth[keep], chosen[keep]))
    assert cl.macro_f1(truth, chosen) == pytest.approx(
        metrics.f1_score(truth[keep], chosen[keep], average="macro", zero_division=0)
    )
    per_class = [metrics.balanced_accuracy_score(truth[keep, c], chosen[keep, c]) for c in range(3)]
    assert cl.balanced_accuracy(truth, chosen, is_multilabel=True) == pytest.approx(np.mean(per_class))


def test_unlabelled_pictures_count_nowhere() -> None:
    truth, chosen = one_hot([0, 0, 1, -1, -1]), one_hot([0, 1, 1, 2, 2])
    assert cl.accuracy(truth, chosen) == pytest.approx(2 / 3)
    assert cl.confusion(truth, chosen).sum() == 3
    assert cl.class_scores(truth, chosen)[2] == cl.ClassScore(None, None, None, 0)


def test_nothing_labelled_gives_none_not_zero() -> None:
    truth, chosen = one_hot([-1, -1]), one_hot([0, 1])
    assert cl.accuracy(truth, chosen) is None
    assert cl.balanced_accuracy(truth, chosen) is None
    assert cl.macro_f1(truth, chosen) is None
    assert cl.majority_accuracy(truth) is None
    assert cl.confused_pairs(truth, chosen, "abc") == []


def test_the_majority_class_is_that_of_training() -> None:
    truth = one_hot([0, 0, 0, 1])
    assert cl.majority_accuracy(truth, np.array([3, 10, 0])) == 0.25
    assert cl.majority_accuracy(truth) == 0.75
    assert cl.majority_accuracy(truth, np.zeros(3, dtype=int)) == 0.75


def test_the_majority_of_a_multilabel_task_is_its_most_frequent_combination() -> None:
    truth = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=bool)
    assert cl.majority_accuracy(truth, np.array([9, 1, 1]), is_multilabel=True) == 0.5


def test_skill_is_none_where_the_majority_class_is_perfect() -> None:
    assert cl.skill(1.0, 1.0) is None
    assert cl.skill(0.9, 0.8) == pytest.approx(0.5)
    assert cl.skill(0.7, 0.8) == pytest.approx(-0.5)


def test_confused_pairs_show_both_directions_as_percent_of_the_true_class() -> None:
    """Four of 100 Patterned are taken for MEMS, and 9 of 250 MEMS for Patterned: 4.0 % and 3.6 %, not shares of all errors."""
    truth = one_hot([0] * 100 + [1] * 250)
    chosen = one_hot([1] * 4 + [0] * 96 + [0] * 9 + [1] * 241)
    forward, backward = cl.confused_pairs(truth, chosen, ["Patterned", "MEMS", "Tips"])
    assert forward == cl.ConfusedPair("Patterned", "MEMS", 4, 4.0)
    assert backward == cl.ConfusedPair("MEMS", "Patterned", 9, pytest.approx(3.6))


def test_a_multilabel_confusion_needs_one_class_missed_and_another_made_up() -> None:
    truth = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    chosen = np.array([[1, 0, 1], [1, 1, 0]], dtype=bool)
    assert cl.confused_pairs(truth, chosen, "abc") == [cl.ConfusedPair("b", "c", 1, 100.0)]
