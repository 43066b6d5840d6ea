"""What is chosen: certain answers last, every cluster once, nothing twice."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Task
from morphoscope.training.few_labels import selection
from morphoscope.training.few_labels.selection import STRATEGIES, choose, farthest_first, typical, typicality, uncertainty


def clusters(n: int = 6, each: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(n), each)
    return 8 * rng.normal(size=(n, 5))[of] + rng.normal(size=(n * each, 5)), of


def test_uncertainty_is_one_for_the_uniform_answer_and_zero_for_a_certain_one() -> None:
    task = Task("a", ("x", "y", "z"))
    p = np.array([[1 / 3] * 3, [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    found = uncertainty([ClassPrediction(task, p, p > 0, p.max(1) > 0.5)])
    assert found == pytest.approx([1, 0, 1])


def test_typical_takes_one_of_every_cluster_and_leaves_out_those_with_a_label() -> None:
    features, of = clusters()
    nothing = np.zeros(len(features), bool)
    assert sorted(of[typical(features, nothing, 6)]) == list(range(6))
    labelled = nothing.copy()
    labelled[[3, 40]] = True  # of clusters 0 and 1
    assert sorted(of[typical(features, labelled, 4)]) == [2, 3, 4, 5]
    middle = np.array([features[of == c].mean(0) for c in range(6)])
    rows = typical(features, nothing, 6)
    far = np.linalg.norm(features - middle[of], axis=1)
    assert far[rows].mean() < 0.8 * far.mean()


@pytest.mark.parametrize("at_once", [1, 400, 4_000_000])
def test_typicality_is_less_the_mean_distance_to_the_nearest_twenty(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "DISTANCES_AT_ONCE", at_once)
    features, _ = clusters(3, 25)
    for n in (75, 22, 21, 5, 2):
        distances = np.sort(cdist(features[:n], features[:n]), axis=1)
        assert typicality(features[:n]) == pytest.approx(-distances[:, 1:21].mean(axis=1), rel=1e-9)
    assert typicality(features[:1]) == 0


def test_a_choice_among_many_pictures_takes_little_memory() -> None:
    features = np.random.default_rng(0).normal(size=(6000, 8))
    tracemalloc.start()
    try:
        (row,) = typical(features, np.zeros(6000, bool), 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200e6, "a matrix of all distances is 288 MB"
    assert np.linalg.norm(features[row]) < 2, "the picture is not among the typical ones"


def test_copies_are_chosen_without_a_warning() -> None:
    features = np.repeat(np.eye(3), 5, axis=0)
    rows = typical(features, np.zeros(15, bool), 7)
    assert len(set(rows)) == 7
    assert set(rows[:3] // 5) == {0, 1, 2}, "one of each comes first"


def test_what_is_labelled_is_covered_by_typical_and_coverage() -> None:
    features, of = clusters()
    labelled, unsure = (of == 0) & (np.arange(len(of)) > 0), (of == 0).astype(float)
    assert 0 not in of[choose("typical", features, unsure, labelled, 2)]
    assert 0 not in of[choose("mix", features, None, labelled, 2)], "typical, before there is a model"
    assert 0 not in of[choose("coverage", features, unsure, labelled, 2)]
    assert list(choose("uncertainty", features, unsure, labelled, 1)) == [0]


def test_farthest_first_halves_the_radius_of_what_is_covered() -> None:
    features, of = clusters()
    rows = farthest_first(features, np.zeros(len(features), bool), 8)
    assert set(of[rows]) == set(range(6))
    assert len(set(rows)) == 8


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_gives_distinct_unlabelled_rows_as_many_as_there_are(strategy: str) -> None:
    features, _ = clusters(3, 10)
    unsure = np.random.default_rng(0).random(30)
    labelled = np.arange(30) % 3 == 0
    for count in (5, 20, 100):
        rows = choose(strategy, features, unsure, labelled, count)
        assert len(rows) == len(set(rows)) == min(count, 20)
        assert not labelled[rows].any()
    assert np.array_equal(choose(strategy, features, unsure, labelled, 5), choose(strategy, features, unsure, labelled, 5))


def test_uncertainty_comes_first_and_mix_keeps_to_the_unsure_half() -> None:
    features, _ = clusters()
    unsure = np.linspace(0, 1, len(features))
    nothing = np.zeros(len(features), bool)
    assert list(choose("uncertainty", features, unsure, nothing, 3)) == [179, 178, 177]
    assert (choose("mix", features, unsure, nothing, 10) >= 90).all()
    assert (choose("mix", features, unsure, nothing, 10, known=500) >= 130).all()
