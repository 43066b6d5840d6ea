"""The figures of a task: their names, and what unlabelled pictures, repeats, parents and several labels do to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from morphoscope.prediction import ClassPrediction
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.schema import Task

CONTRACT = {
    "n", "accuracy", "accuracy_ci95", "majority_accuracy", "balanced_accuracy", "macro_f1", "skill", "ece", "coverage",
    "accuracy_at_coverage", "classes", "confusion", "per_class", "confused_pairs",
}  # fmt: skip

MakeOutcome = Callable[..., TaskOutcome]


def test_metrics_carry_the_names_of_the_contract(make_outcome: MakeOutcome) -> None:
    metrics = make_outcome().metrics()
    assert metrics.keys() >= CONTRACT | {"set_coverage", "mean_set_size", "balanced_accuracy_ci95"}
    assert metrics["per_class"]["Rod"].keys() == {"precision", "recall", "f1", "n"}
    assert metrics["confused_pairs"][0].keys() == {"true", "predicted", "n", "percent_of_true"}
    assert np.shape(metrics["confusion"]) == (3, 3)
    low, high = metrics["accuracy_ci95"]
    assert low < metrics["accuracy"] < high
    assert metrics["n"] == 60 == sum(score["n"] for score in metrics["per_class"].values())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_unlabelled": 60},
        {"right": 1.0},
        {"right": 0.0},
        {"classes": ("only",), "right": 1.0},
        {"is_multilabel": True},
        {"classes": ("Fibres/Polymer", "Fibres/Glass", "Tips")},
        {"groups": np.zeros(60, dtype=int)},
        {"images": np.arange(60) // 3},
        {"n": 1},
        {"n": 0},
    ],
)
def test_metrics_are_json_without_nan(make_outcome: MakeOutcome, settings: dict[str, Any]) -> None:
    json.dumps(make_outcome(**settings).metrics(), allow_nan=False)


def test_unlabelled_pictures_change_nothing(make_outcome: MakeOutcome) -> None:
    some = make_outcome(n_unlabelled=12)
    assert some.metrics() == some.subset(np.arange(48)).metrics()


def test_nothing_labelled_leaves_every_figure_none(make_outcome: MakeOutcome) -> None:
    metrics = make_outcome(n_unlabelled=60).metrics()
    assert metrics["n"] == 0
    assert {metrics[key] for key in ("accuracy", "accuracy_ci95", "skill", "ece", "coverage", "balanced_accuracy")} == {None}


def test_repeats_of_a_picture_count_once(make_outcome: MakeOutcome) -> None:
    once = make_outcome(groups=np.arange(60) // 3)
    repeated = once.subset(np.tile(np.arange(60), 4))
    repeated = TaskOutcome(
        repeated.prediction, repeated.truth, repeated.train_truth_counts, repeated.groups, np.tile(np.arange(60), 4)
    )
    one, many = once.metrics(), repeated.metrics()
    for key in ("n", "accuracy", "accuracy_ci95", "balanced_accuracy", "balanced_accuracy_ci95", "macro_f1_ci95", "per_class"):
        assert many[key] == pytest.approx(one[key]) if isinstance(one[key], float | tuple) else many[key] == one[key]


def test_groups_widen_the_interval(make_outcome: MakeOutcome) -> None:
    hits = make_outcome().hits
    low, high = make_outcome().accuracy_interval()
    grouped_low, grouped_high = make_outcome(groups=hits * 10 + np.arange(60) % 4).accuracy_interval()
    assert grouped_low < low and grouped_high > high


def test_a_sibling_is_right_one_level_up() -> None:
    task = Task("Kind", ("Fibres/Polymer", "Fibres/Glass", "Tips"))
    probabilities = np.array([[0.3, 0.25, 0.45], [0.6, 0.3, 0.1]])
    said = ClassPrediction(task, probabilities, probabilities > 0.28, np.array([True, False]))
    outcome = TaskOutcome(said, np.array([[0, 1, 0], [0, 1, 0]], dtype=bool), np.array([5, 3, 4]))
    metrics = outcome.metrics()
    assert metrics["accuracy"] == 0
    parents = metrics["parents"]
    assert parents["accuracy"] == 1
    assert parents["classes"] == ["Fibres", "Tips"]
    assert parents["majority_accuracy"] == 1
    above = outcome.at_parent_level().prediction
    np.testing.assert_allclose(above.probabilities, [[0.55, 0.45], [0.9, 0.1]])
    np.testing.assert_array_equal(above.in_set, [[True, True], [True, False]])


def test_a_multilabel_parent_is_as_likely_as_its_likeliest_child() -> None:
    task = Task("Kind", ("Fibres/Polymer", "Fibres/Glass", "Tips"), is_multilabel=True)
    said = ClassPrediction(task, np.array([[0.4, 0.8, 0.6]]), np.array([[False, True, False]]), np.array([True]))
    above = TaskOutcome(said, np.array([[1, 0, 1]], dtype=bool), np.array([1, 1, 1])).at_parent_level()
    np.testing.assert_allclose(above.prediction.probabilities, [[0.8, 0.6]])
    assert above.metrics()["accuracy"] == 1


def test_multilabel_calibration_asks_about_every_yes_and_no(make_outcome: MakeOutcome) -> None:
    outcome = make_outcome(is_multilabel=True, n_unlabelled=6)
    confidence, hits = outcome.answers()
    assert len(confidence) == len(hits) == 54 * 3
    assert outcome.metrics()["confusion"] is None


def test_a_class_without_a_test_picture_has_no_recall(make_outcome: MakeOutcome) -> None:
    outcome = make_outcome()
    metrics = outcome.subset(~outcome.truth[:, 2]).metrics()
    assert metrics["per_class"]["Wire"]["recall"] is None
    assert metrics["per_class"]["Wire"]["n"] == 0
    assert metrics["balanced_accuracy"] == pytest.approx(
        np.mean([metrics["per_class"][name]["recall"] for name in ("Sphere", "Rod")])
    )
