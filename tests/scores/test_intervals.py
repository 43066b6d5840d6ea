"""Intervals against SciPy and textbook values, and their coverage on drawn truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from morphoscope.scores.classification import f1_sums, macro_f1, macro_f1_of_sums
from morphoscope.scores.intervals import (
    accuracy_interval,
    cluster_bootstrap_interval,
    effective_sample_size,
    mean_interval,
    wilson_interval,
)


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(case: tuple[int, int]) -> None:
    k, n = case
    expected = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(k / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(4), 5), np.zeros(20, dtype=int)])
def test_all_right_or_all_wrong_is_no_certainty(value: float, groups: np.ndarray | None) -> None:
    low, high = accuracy_interval(np.full(20, value), groups)
    assert low <= value <= high
    assert high - low > 0.1


def test_pictures_that_agree_within_groups_are_worth_fewer() -> None:
    groups = np.repeat(np.arange(30), 4)
    alike = np.repeat(np.arange(30) % 3 > 0, 4).astype(float)
    assert effective_sample_size(alike, groups) == pytest.approx(30, rel=0.15)
    low, high = accuracy_interval(alike, groups)
    plain_low, plain_high = accuracy_interval(alike)
    assert low < plain_low and high > plain_high


def test_groups_never_make_an_interval_narrower() -> None:
    hits = np.tile([1.0, 0.0, 1.0, 1.0], 25)
    assert effective_sample_size(hits, np.repeat(np.arange(25), 4)) <= len(hits)


def test_two_groups_are_hardly_any_evidence() -> None:
    hits = np.ones(100)
    hits[3] = 0
    low, _ = accuracy_interval(hits, np.repeat([0, 1], 50))
    assert low < 0.6


def test_a_repeat_is_not_a_new_picture() -> None:
    hits, images = np.tile([1.0, 1, 0, 1], 5), np.tile(np.arange(4), 5)
    assert accuracy_interval(hits, images=images) == accuracy_interval(hits[:4])
    groups = np.tile([7, 7, 8, 9], 5)
    assert accuracy_interval(hits, groups, images) == accuracy_interval(hits[:4], groups[:4])


def test_nothing_gives_no_interval() -> None:
    assert accuracy_interval(np.zeros(0)) is None
    assert mean_interval([], []) is None


def test_the_interval_holds_the_truth_in_95_percent_of_clustered_samples() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(600):
        rate = rng.beta(0.8 * 3, 0.2 * 3, size=25)
        groups = rng.integers(25, size=100)
        low, high = accuracy_interval(rng.random(100) < rate[groups], groups)
        covered += low <= 0.8 <= high
    assert covered / 600 == pytest.approx(0.955, abs=0.03)


def test_mean_interval_is_as_wide_as_its_rarest_class_makes_it() -> None:
    shares = [0.9, 1.0]
    both_known = mean_interval(shares, [wilson_interval(0.9, 500), wilson_interval(1.0, 500)])
    one_picture = mean_interval(shares, [wilson_interval(0.9, 500), wilson_interval(1.0, 1)])
    assert both_known[1] - both_known[0] < 0.05
    assert one_picture[0] < 0.6


def test_bootstrap_of_a_mean_agrees_with_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(5, 2, size=(400, 1))
    sums = np.hstack([values, np.ones((400, 1))])
    low, high = cluster_bootstrap_interval(sums, lambda totals: totals[:, 0] / totals[:, 1], np.arange(400))
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.1)
    assert low < 5 < high


def test_bootstrap_resamples_whole_clusters() -> None:
    hits = np.repeat(np.arange(40) % 2, 10).astype(float)[:, None]
    wide = cluster_bootstrap_interval(hits, lambda t: t[:, 0] / 400, np.repeat(np.arange(40), 10))
    narrow = cluster_bootstrap_interval(hits, lambda t: t[:, 0] / 400, np.arange(400))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_bootstrap_of_macro_f1_brackets_it_and_is_none_without_spread() -> None:
    rng = np.random.default_rng(2)
    truth = np.eye(3, dtype=bool)[rng.integers(3, size=90)]
    chosen = np.where((rng.random(90) < 0.7)[:, None], truth, np.eye(3, dtype=bool)[rng.integers(3, size=90)])
    low, high = cluster_bootstrap_interval(f1_sums(truth, chosen), macro_f1_of_sums, np.arange(90))
    assert low < macro_f1(truth, chosen) < high
    assert cluster_bootstrap_interval(f1_sums(truth, truth), macro_f1_of_sums, np.arange(90)) is None
    assert cluster_bootstrap_interval(f1_sums(truth, chosen), macro_f1_of_sums, np.zeros(90)) is None
