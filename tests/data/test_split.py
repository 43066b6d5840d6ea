from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from morphoscope.data.split import Fold, calibration_turns, effective_groups, split, split_rows
from morphoscope.data.stratify import stratify
from morphoscope.errors import SplitError


def drawn(
    seed: int, n: int, n_groups: int, shares: tuple[float, ...] = (0.5, 0.3, 0.15, 0.05)
) -> tuple[list[np.ndarray], np.ndarray]:
    """Two tasks with a tenth of the labels blank, and random groups."""
    rng = np.random.default_rng(seed)
    truths = [np.eye(len(shares), dtype=bool)[rng.choice(len(shares), n, p=shares)] for _ in range(2)]
    return [truth & (rng.random((n, 1)) > 0.1) for truth in truths], rng.integers(0, n_groups, n)


def assert_sound(fold: Fold, groups: np.ndarray) -> None:
    parts = fold.parts()
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(groups)))
    for a, b in combinations(parts.values(), 2):
        assert not set(groups[a]) & set(groups[b])


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(6, 80),
    n_groups=st.integers(3, 80),
    protocol=st.sampled_from(["80/20", "70/20/10", "kfold:2", "kfold:3x2"]),
    calibration=st.sampled_from([0.0, 0.2]),
)
def test_parts_share_no_image_and_no_group(seed: int, n: int, n_groups: int, protocol: str, calibration: float) -> None:
    truths, groups = drawn(seed, n, n_groups)
    assume(len(np.unique(groups)) >= 12)
    folds = split(truths, groups, protocol, seed, calibration_fraction=calibration)
    for fold in folds:
        assert_sound(fold, groups)
        assert len(fold.train) and len(fold.validation) and len(fold.test)
        assert bool(len(fold.calibration)) == bool(calibration)


@pytest.mark.parametrize(
    ("protocol", "expected"), [("80/20", (0.64, 0.16, 0.2)), ("70/20/10", (0.7, 0.2, 0.1)), ("kfold:5", (0.64, 0.16, 0.2))]
)
def test_parts_have_their_share_of_images_and_of_every_label(protocol: str, expected: tuple[float, ...]) -> None:
    truths, groups = drawn(0, 1000, 400)
    for fold in split(truths, groups, protocol, 0):
        parts = (fold.train, fold.validation, fold.test)
        assert np.allclose([len(part) / 1000 for part in parts], expected, atol=0.01)
        for part in parts:
            for truth in truths:
                assert np.allclose(truth[part].mean(axis=0), truth.mean(axis=0), atol=0.02)  # blanks are what is missing to 1


def test_every_class_with_two_groups_is_learnt_and_tested() -> None:
    truth = np.zeros((40, 4), dtype=bool)
    truth[np.arange(40), np.r_[np.zeros(34, int), 1, 1, 2, 2, 2, 3]] = True
    for seed in range(20):
        for protocol in ("80/20", "70/20/10"):
            (fold,) = split([truth], np.arange(40), protocol, seed)
            assert truth[fold.train].any(axis=0).all()
            assert truth[fold.test].any(axis=0)[:3].all()


def test_the_same_seed_gives_the_same_folds() -> None:
    truths, groups = drawn(1, 120, 60)
    first, second, other = (split(truths, groups, "kfold:3x2", seed) for seed in (5, 5, 6))
    assert all(
        np.array_equal(a.train, b.train) and np.array_equal(a.validation, b.validation)
        for a, b in zip(first, second, strict=True)
    )
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))
    assert not np.array_equal(first[0].test, first[3].test)  # repeats differ


def test_k_folds_test_every_image_once_a_repeat() -> None:
    truths, groups = drawn(2, 100, 50)
    folds = split(truths, groups, "kfold:4x3", 0)
    assert [(fold.repeat, fold.fold) for fold in folds] == [(r, f) for r in range(3) for f in range(4)]
    for repeat in range(3):
        tested = np.concatenate([fold.test for fold in folds if fold.repeat == repeat])
        assert np.array_equal(np.sort(tested), np.arange(100))


def test_leaving_one_group_out() -> None:
    truths, _ = drawn(3, 12, 4)
    users = ["a", "a", "b", "b", "c", "c", None, "", "d", "d", "d", "d"]
    likeness = [0, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11]  # an image of a and one of b are near-duplicates
    groups = effective_groups(users, likeness)
    folds = split(truths, groups, "logo", 0, user_groups=users)
    assert [fold.test.tolist() for fold in folds] == [[0, 1, 2, 3], [4, 5], [8, 9, 10, 11]]
    for fold in folds:
        assert_sound(fold, groups)
        assert {6, 7} <= {*fold.train, *fold.validation}


@pytest.mark.parametrize("protocol", ["80/20", "70/20/10", "kfold:3", "kfold:6"])
def test_six_images_are_enough(protocol: str) -> None:
    truth = np.eye(2, dtype=bool)[[0, 1, 0, 1, 0, 1]]
    for fold in split([truth], np.arange(6), protocol, 0):
        assert_sound(fold, np.arange(6))
        assert truth[fold.train].any(axis=0).all()


def test_a_large_group_trains() -> None:
    truths, _ = drawn(4, 100, 1)
    groups = np.r_[np.zeros(60, int), np.arange(1, 41)]
    (fold,) = split(truths, groups, "80/20", 0)
    assert 0 in groups[fold.train] and 15 <= len(fold.test) <= 25


@pytest.mark.parametrize(
    ("protocol", "n_groups", "expected"),
    [
        ("80/30", 9, "split '80/30' is no protocol; expected 80/20"),
        ("100/0", 9, "no protocol"),
        ("kfold:1", 9, "no protocol"),
        ("leave one out", 9, "no protocol"),
        ("logo", 9, "Name the column of the groups with --group"),
        ("80/20", 2, "the images form 2 groups"),
        ("kfold:5", 4, "expected at least 5"),
    ],
)
def test_what_cannot_be_split_is_told(protocol: str, n_groups: int, expected: str) -> None:
    truth = np.ones((18, 1), dtype=bool)
    with pytest.raises(SplitError, match=expected):
        split([truth], np.arange(18) % n_groups, protocol, 0)


def test_twenty_thousand_images() -> None:
    truths, groups = drawn(5, 20_000, 12_000)
    (fold,) = split(truths, groups, "80/20", 0)
    assert not set(groups[fold.train]) & set(groups[fold.test])
    assert abs(len(fold.test) - 4_000) < 200


def test_stratify_fills_every_part() -> None:
    counts = np.ones((4, 1), dtype=int)
    part = stratify(counts, np.ones(4, dtype=int), [0.97, 0.01, 0.01, 0.01], np.random.default_rng(0))
    assert sorted(part.tolist()) == [0, 1, 2, 3]


def test_effective_groups_join_over_all_constraints() -> None:
    groups = effective_groups(["p", "p", None, "", "q", None], [0, 1, 2, 2, 3, 4], ["f", "g", "h", "i", "g", "j"])
    assert len(set(groups[[0, 1, 4]])) == 1 and groups[2] == groups[3]
    assert len(set(groups)) == 3


def test_rows_of_the_split_table() -> None:
    fold = Fold(np.array([0]), np.array([1]), np.array([2]), repeat=0, fold=1)
    rows = split_rows([fold], ["a", "b", "c"], ["g", None, "h"])
    assert rows[0] == {"filename": "a", "split": "train", "fold": 1, "repeat": 0, "group": "g"}
    assert [(row["split"], row["group"]) for row in rows[1:]] == [("validation", ""), ("test", "h")]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), n=st.integers(20, 120), n_groups=st.integers(12, 120))
def test_turns_hold_back_every_training_picture_once_and_no_other(seed: int, n: int, n_groups: int) -> None:
    truths, groups = drawn(seed, n, n_groups)
    assume(len(np.unique(groups)) >= 12)
    (fold,) = split(truths, groups, "80/20", seed)
    turns = calibration_turns(fold, truths, groups, seed)
    side = np.sort(np.concatenate([fold.train, fold.validation]))
    if turns:
        np.testing.assert_array_equal(np.sort(np.concatenate([turn.validation for turn in turns])), fold.train)
    for turn in turns:
        np.testing.assert_array_equal(np.sort(np.concatenate([turn.train, turn.validation])), side)
        assert not set(groups[turn.train]) & set(groups[turn.validation])
        assert len(turn.train) and len(turn.validation) and not len(turn.test)


def test_turns_are_about_as_large_as_the_validation_part_and_the_same_again() -> None:
    truths, groups = drawn(0, 1000, 400)
    (fold,) = split(truths, groups, "80/20", 0)
    turns, again = (calibration_turns(fold, truths, groups, 0) for _ in range(2))
    assert [len(turn.validation) for turn in turns] == pytest.approx([160] * 4, abs=6)
    for one, other in zip(turns, again, strict=True):
        np.testing.assert_array_equal(one.validation, other.validation)
