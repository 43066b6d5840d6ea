"""What a comparison makes of runs: each picture once, the majority beside it, who differs, and which one is best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from morphoscope.data.split import Fold
from morphoscope.reporting.bar_chart import Bar, BarGroup, grouped_bars
from morphoscope.reporting.compare_report import ComparePage, write_compare_report
from morphoscope.reporting.comparison import Comparison
from morphoscope.schema import Schema, Task
from morphoscope.scores.comparison import corrected_resampled_t_test
from morphoscope.training.comparison.division import Division, divided
from morphoscope.training.comparison.result import Answered, RunResult

SHAPE, LOOK = Task("Shape", ("Rod", "Sphere")), Task("Look <b>", ("Dark", "Bright", "Striped"), is_multilabel=True)
SCHEMA = Schema((SHAPE, LOOK))
N = 40
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def truths() -> list[np.ndarray]:
    """30 rods, 10 spheres, the last of them unlabelled; looks of one class, or of two."""
    rod = ROWS % 4 != 0
    shape = np.column_stack([rod, ~rod])
    shape[36] = False
    look = np.column_stack([ROWS % 2 == 0, ROWS % 2 == 1, ROWS % 5 == 0])
    return [shape, look]


def answered(rows: np.ndarray, truths: list[np.ndarray], share: float, seed: int) -> Answered:
    """Answers that are right in about that share."""
    rng = np.random.default_rng(seed)
    is_right = rng.random(len(rows)) < share
    chosen = {}
    for task, truth in zip(SCHEMA.tasks, truths, strict=True):
        said = np.where(is_right[:, None], truth[rows], ~truth[rows])
        chosen[task.name] = [np.flatnonzero(row).tolist() for row in said]
    return Answered(rows=rows.tolist(), chosen=chosen)


def result(recipe: str, seed: int, fold: int | None, share: float, truths: list[np.ndarray], parameters: int = 100) -> RunResult:
    number = 3 if fold is None else fold
    test = np.flatnonzero(np.equal(ROWS % 4, number)) if fold is not None else ROWS[:8]
    train = np.setdiff1d(ROWS, test)
    own = sum(map(ord, recipe)) + 10 * seed + number
    return RunResult(
        key="k",
        recipe=recipe,
        seed=seed,
        fold=fold,
        n_train=len(train),
        n_validation=4,
        parameters=parameters,
        images_per_second=50.0,
        training_images_per_second=20.0,
        minutes=0.5,
        epochs=3,
        best_epoch=2,
        train=answered(train, truths, 1.0, own),
        test=answered(test, truths, share, own),
    )


@pytest.fixture(scope="module")
def comparison(truths: list[np.ndarray]) -> Comparison:
    shares = {"good": 0.9, "poor": 0.3, "same": 0.9}
    results = [
        result(name, seed, fold, share, truths) for name, share in shares.items() for seed in range(3) for fold in range(4)
    ]
    untouched = [result("good", seed, None, 0.9, truths) for seed in range(3)]
    return Comparison(
        SCHEMA, truths, ROWS // 2, ["good", "broken", "poor", "same"], results, untouched, {"broken": "broken: no room"}
    )


def test_each_picture_counts_once_beside_the_majority_class(comparison: Comparison) -> None:
    good, poor = (next(s for s in comparison.standings(0) if s.recipe == name) for name in ("good", "poor"))
    assert comparison.finished == ["good", "poor", "same"]
    assert good.test.n == good.training.n == N - 1
    assert good.training.accuracy == 1.0
    assert good.test.accuracy
    assert poor.test.accuracy
    assert good.test.accuracy > 0.75 > 0.5 > poor.test.accuracy
    # Fold 0 tests spheres alone, the others rods alone: the majority class of training is right in three of four folds.
    assert good.majority == pytest.approx(0.75)
    rows = [row for row in comparison.rows() if row["recipe"] == "good" and row["task"] == "Shape"]
    assert [(row["seed"], row["fold"]) for row in rows] == [(seed, fold) for seed in range(3) for fold in range(4)]
    weights = [row["n_test"] for row in rows]
    assert np.average([row["test_accuracy"] for row in rows], weights=weights) == pytest.approx(good.test.accuracy)


def test_pairs_are_judged_over_all_runs_and_adjusted_for_their_number(comparison: Comparison) -> None:
    pairs = {(pair.first, pair.second): pair for pair in comparison.pairs(0)}
    assert set(pairs) == {("good", "poor"), ("good", "same"), ("poor", "same")}
    by_name = {name: [r for r in comparison.rows() if (r["recipe"], r["task"]) == (name, "Shape")] for name in ("good", "poor")}
    differences = np.array([a["test_accuracy"] - b["test_accuracy"] for a, b in zip(*by_name.values(), strict=True)])
    found, expected = pairs["good", "poor"].test, corrected_resampled_t_test(differences, 10 / 30)
    assert found
    assert expected
    assert [found.mean, found.p, *found.interval] == pytest.approx([expected.mean, expected.p, *expected.interval])
    assert pairs["good", "poor"].is_clear
    assert not pairs["good", "same"].is_clear
    for pair in pairs.values():
        assert pair.test
        assert pair.adjusted_p
        assert pair.test.p <= pair.adjusted_p <= 1


def test_of_equal_recipes_the_smaller_is_best(truths: list[np.ndarray]) -> None:
    results = [result(name, 0, fold, 1.0, truths, size) for name, size in (("large", 900), ("little", 90)) for fold in range(4)]
    assert Comparison(SCHEMA, truths, ROWS, ["large", "little"], results).best == "little"
    one = Comparison(SCHEMA, truths, ROWS, ["large", "little"], [results[0], results[4]])
    assert [pair.test for pair in one.pairs(0)] == [None]
    assert Comparison(SCHEMA, truths, ROWS, ["large"], []).best is None


def test_the_page_names_the_best_the_failed_and_the_protocol(comparison: Comparison) -> None:
    rest = np.arange(8, N)
    division = Division(
        Fold(rest[8:], rest[:8], ROWS[:8], 0, 0), {seed: [Fold(rest, rest[:0], rest[:0], 0, 0)] * 4 for seed in range(3)}
    )
    page = ComparePage(comparison, division, "kfold:4", [0, 1, 2], 20, 5, 0.5, "random", 2, "Sample", ["torn.tif: truncated"])
    text = write_compare_report(page)
    for said in (
        "broken: no room",
        "torn.tif: truncated",
        "8 untouched pictures",
        "kfold:4",
        "5 epochs for every recipe",
        "At most 0.5 min",
        "not told apart",
    ):
        assert said in text
    assert "Look &lt;b&gt;" in text
    assert "<b>Look" not in text
    assert "No untouched picture" in write_compare_report(replace(page, comparison=replace(comparison, untouched=())))


def test_the_untouched_part_is_the_same_for_all_seeds_and_in_no_fold() -> None:
    truth = np.eye(3, dtype=bool)[np.arange(120) % 3]
    groups = np.arange(120) // 4
    division = divided([truth], groups, [str(group) for group in groups], "kfold:3", [0, 5], 20)
    untouched = set(division.final.test)
    assert 20 <= len(untouched) <= 28
    tested = {seed: np.concatenate([fold.test for fold in folds]) for seed, folds in division.folds.items()}
    for seed, folds in division.folds.items():
        assert sorted(tested[seed]) == sorted(division.development)
        for fold in folds:
            everything = np.concatenate([fold.train, fold.validation, fold.test])
            assert not untouched & set(everything)
            assert not set(groups[fold.test]) & set(groups[np.concatenate([fold.train, fold.validation])])
    assert not set(groups[division.final.test]) & set(groups[division.development])
    assert any(a.test.tolist() != b.test.tolist() for a, b in zip(*division.folds.values(), strict=True))
    nothing = divided([truth], groups, [None] * 120, "80/20", [0], 0)
    assert not nothing.has_untouched
    assert len(nothing.development) == 120


def test_bars_stand_on_zero_with_their_interval_and_level() -> None:
    chart = grouped_bars([BarGroup("A & B", [Bar("one", 0.5, (0.4, 0.7)), Bar("two", 1.0, None)], 0.25)], "Accuracy", alone=True)
    assert "A &amp; B" in chart
    assert "one: 50.0 %, 95 % interval 40.0 to 70.0 %" in chart
    assert "majority class 25.0 %" in chart
    assert chart.count("<rect") == 2
    heights = [float(part.split('"')[0]) for part in chart.split(' height="')[2:]]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
