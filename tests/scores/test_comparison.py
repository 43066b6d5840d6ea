"""The paired test and Holm's adjustment against other people's figures, and against data without any difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from morphoscope.scores.comparison import corrected_resampled_t_test, holm


def test_without_shared_training_pictures_it_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.80, 0.03, 12), rng.normal(0.78, 0.03, 12)
    found = corrected_resampled_t_test(first - second, 0.0)
    theirs = stats.ttest_rel(first, second)
    assert found
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.interval == pytest.approx(tuple(theirs.confidence_interval(0.95)))


def test_the_correction_widens_by_the_published_factor() -> None:
    """Ten splits of 90 % and 10 %: the variance grows from 1/10 to 1/10 + 1/9 (Nadeau & Bengio 2003)."""
    differences = np.array([0.02, 0.01, 0.03, -0.01, 0.02, 0.0, 0.04, 0.01, 0.02, 0.01])
    plain, corrected = (corrected_resampled_t_test(differences, share) for share in (0.0, 1 / 9))
    assert plain
    assert corrected
    widths = [high - low for low, high in (plain.interval, corrected.interval)]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt((1 / 10 + 1 / 9) / (1 / 10)))
    t = differences.mean() / np.sqrt((1 / 10 + 1 / 9) * differences.var(ddof=1))
    assert corrected.p == pytest.approx(2 * stats.t.sf(t, 9))


def test_it_seldom_finds_a_difference_that_is_not_there() -> None:
    """Two rules of equal merit, fitted on overlapping halves: the ordinary test errs often, the corrected one about as promised."""
    rng, errors = np.random.default_rng(1), {"plain": 0, "corrected": 0}
    for _ in range(300):
        x, y = rng.normal(size=(2, 60)), rng.normal(size=60)
        differences = []
        for _ in range(15):
            order = rng.permutation(60)
            train, test = order[:40], order[40:]
            losses = [np.mean((y[test] - np.polyval(np.polyfit(v[train], y[train], 1), v[test])) ** 2) for v in x]
            differences.append(losses[0] - losses[1])
        for name, ratio in (("plain", 0.0), ("corrected", 20 / 40)):
            found = corrected_resampled_t_test(np.array(differences), ratio)
            errors[name] += bool(found and found.p < 0.05)
    assert errors["corrected"] / 300 <= 0.05
    assert errors["plain"] / 300 > 0.1


@pytest.mark.parametrize(("differences", "p"), [([0.1], None), ([0.1, 0.1, 0.1], None), ([0.0, 0.0], 1.0)])
def test_differences_without_spread_are_not_called_certain(differences: list[float], p: float | None) -> None:
    found = corrected_resampled_t_test(np.array(differences), 0.5)
    assert (found.p if found else None) == p


def test_holm_gives_the_figures_of_r() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") and p.adjust(c(.6, .5), "holm") of R 4
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []
