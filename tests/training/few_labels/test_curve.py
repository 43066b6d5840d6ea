"""Curves: groups on one side, the same labels for every encoder, more labels more accuracy, honest bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from morphoscope.errors import MorphoscopeError
from morphoscope.training.few_labels import curve, heads, softmax
from morphoscope.training.few_labels.curve import (
    LabelledFeatures,
    Plan,
    Trial,
    band,
    curve_rows,
    dealt,
    learning_curves,
    medoid,
    split_sides,
    typical,
)


def data(apart: float = 2.5, n: int = 180, seed: int = 0) -> LabelledFeatures:
    """Three classes, groups of three pictures of one class; `good` tells them apart, `noise` does not."""
    rng = np.random.default_rng(seed)
    labels, groups = np.arange(n) // 3 % 3, np.arange(n) // 3
    good = rng.normal(size=(n, 24)) + apart * np.eye(24)[labels]
    labels = np.where(np.arange(n) % 20 == 0, -1, labels)
    return LabelledFeatures("Shape", ("a", "b", "c"), labels, groups, {"good": good, "noise": rng.normal(size=(n, 24))})


def test_no_group_straddles_a_split_and_unlabelled_pictures_are_not_tested() -> None:
    found = data()
    for repeat in range(5):
        pool, test = split_sides(found, Plan(), repeat)
        assert not set(found.groups[pool]) & set(found.groups[test])
        assert (found.labels[test] >= 0).all()
    published = split_sides(found, Plan(protocol="as-published"), 0)
    assert len(published[1]) == pytest.approx(0.2 * (found.labels >= 0).sum(), abs=2)
    assert set(found.groups[published[0]]) & set(found.groups[published[1]])


def test_labels_come_from_different_groups_first() -> None:
    rows = np.arange(12)
    order = dealt(rows, np.repeat([0, 1], 6), np.repeat([5, 5, 6, 7], 3), np.random.default_rng(0))
    assert list(order) == [0, 1]
    groups = np.repeat([5, 5, 6, 7], 3)
    assert set(groups[order[1][:2]]) == {6, 7}
    assert sorted(order[0]) == list(range(6))


def test_a_curve_rises_where_there_is_something_to_learn_and_stays_at_chance_elsewhere() -> None:
    plan = Plan(per_class=(1, 4, 16), repeats=4)
    curves = learning_curves(data(), plan)
    mean = {
        (e, n): np.mean([t.balanced_accuracy for t in curves.trials if (t.encoder, t.per_class) == (e, n)])
        for e in ("good", "noise")
        for n in plan.per_class
    }
    assert mean["good", 1] + 0.1 < mean["good", 16]
    assert mean["good", 16] > 0.8
    assert mean["noise", 16] == pytest.approx(1 / 3, abs=0.12)
    rows = curve_rows([curves], plan)
    assert list(rows[0])[:8] == ["task", "encoder", "per_class", "repeat", "n_train", "n_test", "accuracy", "balanced_accuracy"]
    assert len(rows) == 2 * 3 * 4
    assert {row["n_train"] for row in rows if row["per_class"] == 4} == {12}


def test_the_band_holds_the_mean_and_is_wider_for_few_groups() -> None:
    found = data(apart=1.5)
    curves = learning_curves(found, Plan(per_class=(4,), repeats=6))
    trials = [t for t in curves.trials if t.encoder == "good"]
    grouped, single = band(trials, found.groups), band(trials, np.arange(len(found.labels)))
    assert grouped and single
    mean = np.mean([t.balanced_accuracy for t in trials])
    assert grouped[0] < mean < grouped[1]
    coarse = band(trials, found.groups // 6)
    assert coarse
    assert grouped[1] - grouped[0] > 0.02


def test_the_medoid_is_the_middle_and_beats_chance_for_one_shot() -> None:
    points = np.array([[0.0, 0], [1, 0], [0, 1], [0.3, 0.3], [9, 9]])
    assert medoid(points) == 3
    curves = learning_curves(data(), Plan(per_class=(1,), repeats=8))
    mean = {choice: _mean([t.balanced_accuracy for t in curves.one_shot if t.encoder == "good" and t.choice == choice])
            for choice in ("random", "medoid")}  # fmt: skip
    assert mean["medoid"] > mean["random"]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def test_the_published_protocol_flatters_and_one_class_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = data(apart=1.0)
    monkeypatch.setattr(curve, "ONE_SHOT_DRAWS", 0)  # nothing is asked of them here
    monkeypatch.setattr(softmax, "MAX_EPOCHS", 100)
    honest = learning_curves(found, Plan(per_class=(4,), repeats=4, head="softmax"))
    published = learning_curves(found, Plan(per_class=(4,), repeats=4, protocol="as-published"))
    assert _mean([t.accuracy for t in published.trials]) > _mean([t.accuracy for t in honest.trials]) - 0.03
    one = LabelledFeatures("Shape", ("a", "b"), np.zeros(30, int), np.arange(30), {"good": np.zeros((30, 4))})
    with pytest.raises(MorphoscopeError, match="one class only"):
        learning_curves(one, Plan())


@pytest.mark.parametrize("groups", [np.zeros(30, int), np.repeat([0, 1], 15)], ids=["one group", "a group is a class"])
def test_groups_that_leave_nothing_to_learn_or_test_are_a_sentence(groups: np.ndarray) -> None:
    found = LabelledFeatures(
        "Shape", ("a", "b"), np.repeat([0, 1], 15), groups, {"good": np.random.default_rng(0).normal(size=(30, 4))}
    )
    with pytest.raises(MorphoscopeError, match="Name a finer --group"):
        learning_curves(found, Plan(per_class=(1,), repeats=1))


def test_the_usual_penalty_where_no_inner_fold_can_be_asked() -> None:
    rows, labels = np.random.default_rng(0).normal(size=(12, 4)), np.repeat([0, 1], 6)
    assert heads._chosen_strength(rows, labels, labels, 0) == heads.USUAL_C


def test_the_typical_picture_of_a_class_is_its_medoid() -> None:
    labels = np.array([0, 0, 0, 1, -1])
    features = {"good": np.array([[0.0, 1], [1, 1], [9, 1], [5, 5], [0, 0]])}
    assert typical(LabelledFeatures("Shape", ("a", "b", "c"), labels, np.arange(5), features), "good") == {"a": 1, "b": 3}


def test_the_band_is_not_lifted_by_resamples_without_the_rare_class() -> None:
    truth = np.repeat([0, 1, 2], [40, 40, 1])
    right = truth < 2  # the one picture of the rare class is always wrong
    trials = [Trial("good", 8, repeat, np.arange(9), np.arange(81), truth, right) for repeat in range(5)]
    found = band(trials, np.arange(81))
    assert found is None or found[1] < 0.7
