"""Kappa against scikit-learn and the published example; intervals that hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from morphoscope.scores.agreement import (
    class_kappas,
    cohens_kappa,
    fleiss_kappa,
    pooled_cohens_kappa,
    pooled_fleiss_kappa,
    yes_or_no,
)

# Ten pictures, fourteen annotators, five classes: the textbook table whose kappa is 0.210.
TEXTBOOK = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


@pytest.mark.parametrize("seed", range(5))
def test_cohens_kappa_is_that_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    first = random.integers(0, 4, 57)
    second = np.where(random.random(57) < 0.6, first, random.integers(0, 4, 57))
    found = cohens_kappa(first, second, 4)
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert found.ci95 is not None and found.ci95[0] < found.kappa < found.ci95[1]  # type: ignore[operator]


def test_a_published_kappa_and_about_its_error() -> None:
    # Fleiss, Cohen & Everitt 1969, the worked example of 200 cases: kappa .429, standard error .054.
    shares = np.array([[0.53, 0.05, 0.02], [0.11, 0.14, 0.05], [0.01, 0.06, 0.03]])
    counts = np.rint(200 * shares).astype(int)
    first, second = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices((3, 3)))
    found = cohens_kappa(first, second, 3)
    assert found.kappa == pytest.approx(0.429, abs=5e-4)
    assert found.ci95 is not None
    assert found.ci95[1] - found.ci95[0] == pytest.approx(2 * 1.96 * 0.054, rel=0.15)


def test_fleiss_kappa_is_that_of_the_textbook() -> None:
    found = fleiss_kappa(TEXTBOOK)
    assert found.kappa == pytest.approx(0.210, abs=5e-4) and found.n == 10
    assert found.ci95 is not None and found.ci95[0] < 0.21 < found.ci95[1]


def test_two_classes_mirror_each_other_and_classes_average_to_the_whole() -> None:
    of_classes = class_kappas(TEXTBOOK)
    share = TEXTBOOK.sum(0) / TEXTBOOK.sum()
    weight = share * (1 - share)
    mean = sum(w * one.kappa for w, one in zip(weight, of_classes, strict=True)) / weight.sum()  # type: ignore[operator]
    assert mean == pytest.approx(fleiss_kappa(TEXTBOOK).kappa), "Fleiss 1971"
    first, second = class_kappas(TEXTBOOK[:, :2])
    assert first.kappa == pytest.approx(second.kappa)


def test_pooled_over_one_class_is_the_plain_kappa_and_over_more_averages_agreement_and_chance() -> None:
    random = np.random.default_rng(3)
    first = random.random((60, 3)) < (0.2, 0.5, 0.7)
    second = np.where(random.random((60, 3)) < 0.8, first, random.random((60, 3)) < 0.5)
    for i in range(3):
        alone = pooled_cohens_kappa(first[:, i : i + 1], second[:, i : i + 1])
        assert alone.kappa == pytest.approx(cohens_kappa(first[:, i].astype(int), second[:, i].astype(int), 2).kappa)
        assert alone.kappa == pytest.approx(cohen_kappa_score(first[:, i], second[:, i]))
    observed = (first == second).mean()
    chance = np.mean([a * b + (1 - a) * (1 - b) for a, b in zip(first.mean(0), second.mean(0), strict=True)])
    assert pooled_cohens_kappa(first, second).kappa == pytest.approx((observed - chance) / (1 - chance)), "De Vries et al. 2008"
    questions = yes_or_no(first + second.astype(float), np.full(60, 2))
    assert pooled_fleiss_kappa(questions[:1]) == class_kappas(first + second.astype(float), np.full(60, 2))[0]
    assert pooled_fleiss_kappa(questions).kappa == pytest.approx(pooled_cohens_kappa(first, second).kappa, abs=0.02)


def test_full_agreement_is_one_and_no_certainty() -> None:
    classes = np.array([0, 1, 2, 0, 1, 2])
    found = cohens_kappa(classes, classes, 3)
    assert found.kappa == pytest.approx(1)
    assert found.ci95 is not None and found.ci95[0] < 0.7 and found.ci95[1] == 1
    both = fleiss_kappa(2 * np.eye(3)[classes])
    assert both.kappa == pytest.approx(1) and both.ci95 is not None and both.ci95[0] < 0.7


def test_what_is_not_defined_is_none() -> None:
    assert cohens_kappa(np.zeros(0, int), np.zeros(0, int), 2).kappa is None
    assert cohens_kappa(np.zeros(9, int), np.zeros(9, int), 2).kappa is None
    assert fleiss_kappa(np.array([[1, 0], [0, 1]])).n == 0
    assert fleiss_kappa(np.array([[2, 0], [3, 0]])).kappa is None


def test_pictures_with_one_answer_do_not_count_and_annotators_may_differ() -> None:
    counts = np.array([[2, 0], [0, 2], [1, 1], [3, 0]])
    assert fleiss_kappa(np.vstack([counts, [[1, 0], [0, 1]]])) == fleiss_kappa(counts)


@pytest.mark.parametrize(("annotators", "n", "agree"), [(2, 25, 0.7), (2, 25, 0.95), (3, 40, 0.7), (6, 25, 0.5)])
def test_the_interval_holds_the_true_kappa_about_as_often_as_it_says(annotators: int, n: int, agree: float) -> None:
    """Everyone says the truth with a known chance, else draws by lot, so that the true kappa is its square."""
    random = np.random.default_rng(n)
    hits = 0
    for _ in range(300):
        truth = random.integers(0, 3, n)
        said = [np.where(random.random(n) < agree, truth, random.integers(0, 3, n)) for _ in range(annotators)]
        counts = sum(np.eye(3)[answers] for answers in said)
        found = cohens_kappa(*said, 3) if annotators == 2 else fleiss_kappa(counts)  # type: ignore[arg-type]
        assert found.ci95 is not None
        hits += found.ci95[0] <= agree**2 <= found.ci95[1]
    assert hits / 300 >= 0.91
