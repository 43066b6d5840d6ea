"""Training, validation and test images by the usual protocols, with groups kept whole and every task stratified."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from morphoscope.data.duplicates import connected_groups
from morphoscope.data.stratify import stratify
from morphoscope.errors import SplitError

PROTOCOLS = "80/20, 70/20/10, kfold:K, kfold:KxR or logo"
VALIDATION_SHARE = 0.2
"""Part of the training side that early stopping and every choice may look at, where the protocol names none."""


def _no_images() -> np.ndarray:
    return np.array([], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Fold:
    """Sorted, disjoint indices of images. validation and calibration are cut from the training side, never from the test, but
    where a recipe repeats a publication that chose on its test pictures (`chosen_on_test`)."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    repeat: int
    fold: int
    calibration: np.ndarray = field(default_factory=_no_images)

    def parts(self) -> dict[str, np.ndarray]:
        """Part to indices."""
        return {"train": self.train, "validation": self.validation, "calibration": self.calibration, "test": self.test}


@dataclass(frozen=True)
class _Protocol:
    """text: as the user wrote it. test_share: of all images, for one held-out part. n_folds 0: not k-fold."""

    text: str
    test_share: float = 0.0
    validation_share: float = VALIDATION_SHARE
    n_folds: int = 0
    n_repeats: int = 1


@dataclass(frozen=True, eq=False)
class _Units:
    """Groups as units. of_image: (N,) unit of each image. counts: (U, L) images a label. is_named: (U,) has a user's group."""

    of_image: np.ndarray
    counts: np.ndarray
    sizes: np.ndarray
    is_named: np.ndarray


def split(
    truths: Sequence[np.ndarray],
    groups: np.ndarray,
    protocol: str,
    seed: int,
    *,
    user_groups: Sequence[str | None] | None = None,
    calibration_fraction: float = 0.0,
) -> list[Fold]:
    """The folds of a protocol; the same seed gives the same folds.

    truths: a (N, C) bool array for each task, a row of False where not labelled. groups: (N,) int, never divided.
    protocol: `80/20` 80 % training side, 20 % test; `70/20/10` 70 % train, 20 % validation, 10 % test; `kfold:KxR` K folds,
    each the test once, repeated R times (default 1); `logo` each of the user's groups the test once.
    user_groups: (N,) for `logo`; images that no group of the user holds always train. calibration_fraction: part of the
    training side set aside for temperatures and conformal sets.
    Raises SplitError for an unknown protocol, too few groups, or `logo` without groups.
    """
    plan = _parsed(protocol)
    units = _units(truths, groups, user_groups)
    shares = [1 - plan.validation_share - calibration_fraction, plan.validation_share, calibration_fraction]
    return [
        _fold(units, is_test, shares, plan.text, np.random.default_rng([seed, repeat, fold, 1]), repeat, fold)
        for repeat, fold, is_test in _test_sides(plan, units, seed)
    ]


def check_protocol(protocol: str) -> None:
    """Raises SplitError for an unknown protocol: a reason to stop before any picture is read."""
    _parsed(protocol)


def _parsed(protocol: str) -> _Protocol:
    text = protocol.strip().lower()
    if held_out := re.fullmatch(r"(\d+)/(\d+)(?:/(\d+))?", text):
        percent = [int(number) for number in held_out.groups() if number]
        if sum(percent) == 100 and all(percent):
            share = percent[1] / (percent[0] + percent[1]) if len(percent) == 3 else VALIDATION_SHARE
            return _Protocol(text, test_share=percent[-1] / 100, validation_share=share)
    elif folds := re.fullmatch(r"kfold:(\d+)(?:x(\d+))?", text):
        n_folds, n_repeats = int(folds[1]), int(folds[2] or 1)
        if n_folds >= 2 and n_repeats >= 1:
            return _Protocol(text, n_folds=n_folds, n_repeats=n_repeats)
    elif text == "logo":
        return _Protocol(text)
    raise SplitError(
        f"split '{protocol}' is no protocol; expected {PROTOCOLS}, with K at least 2, or percentages that add to 100. Correct it."
    )


def _units(truths: Sequence[np.ndarray], groups: np.ndarray, user_groups: Sequence[str | None] | None) -> _Units:
    """Groups with their labels; not being labelled for a task counts as a label, so that blanks are spread as well."""
    sizes, of_image = np.unique_counts(groups).counts, np.unique_inverse(groups).inverse_indices
    labels = np.hstack([np.column_stack([truth, ~truth.any(axis=1)]) for truth in truths])
    counts = np.zeros((len(sizes), labels.shape[1]), dtype=np.intp)
    np.add.at(counts, of_image, labels)
    is_named = np.zeros(len(sizes), dtype=bool)
    if user_groups is not None:
        is_named[of_image[[bool(name) for name in user_groups]]] = True
    return _Units(of_image, counts, sizes, is_named)


def _test_sides(plan: _Protocol, units: _Units, seed: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Repeat, fold and the (U,) mask of test units."""
    n_units = len(units.sizes)
    if plan.test_share:
        _require(n_units, 3, plan.text)
        rng = np.random.default_rng([seed, 0])
        side = stratify(units.counts, units.sizes, [1 - plan.test_share, plan.test_share], rng, essential=(0, 1))
        yield 0, 0, side == 1
    elif plan.n_folds:
        _require(n_units, max(3, plan.n_folds), plan.text)
        for repeat in range(plan.n_repeats):
            rng = np.random.default_rng([seed, repeat])
            side = stratify(units.counts, units.sizes, [1] * plan.n_folds, rng)
            yield from ((repeat, fold, side == fold) for fold in range(plan.n_folds))
    else:
        named = np.flatnonzero(units.is_named)
        if len(named) < 2:
            raise SplitError(
                f"split logo: found {len(named)} groups; expected two or more to leave each out in turn. "
                "Name the column of the groups with --group."
            )
        yield from ((0, fold, np.arange(n_units) == unit) for fold, unit in enumerate(named))


def _require(n_units: int, n_needed: int, protocol: str) -> None:
    if n_units < n_needed:
        raise SplitError(
            f"split {protocol}: the images form {n_units} groups that can't be divided (by group column, file or likeness); "
            f"expected at least {n_needed}. Add images, or group them less."
        )


def _fold(
    units: _Units, is_test: np.ndarray, shares: Sequence[float], protocol: str, rng: np.random.Generator, repeat: int, fold: int
) -> Fold:
    """The training side of a test side, divided by shares into train, validation and calibration."""
    rest = np.flatnonzero(~is_test)
    used = np.flatnonzero(np.array(shares) > 0)
    _require(len(rest), len(used), f"{protocol}, training side of fold {fold + 1}")
    part = np.full(len(is_test), -1)
    part[rest] = used[stratify(units.counts[rest], units.sizes[rest], np.array(shares)[used], rng, essential=(0,))]
    test, train, validation, calibration = (np.flatnonzero(part[units.of_image] == number) for number in (-1, 0, 1, 2))
    return Fold(train, validation, test, repeat, fold, calibration)


def chosen_on_test(fold: Fold) -> Fold:
    """The fold as many publications have it: all of the training side trains, and the test pictures are looked at for choices."""
    side = np.sort(np.concatenate([fold.train, fold.validation, fold.calibration]))
    return dataclasses.replace(fold, train=side, validation=fold.test, calibration=_no_images())


def calibration_turns(fold: Fold, truths: Sequence[np.ndarray], groups: np.ndarray, seed: int) -> list[Fold]:
    """The training side of a fold divided anew, so that in each turn other pictures are held back: all but those of
    `fold.validation` once, in parts of about its size. truths, groups: as in `split`. The turns have no test pictures.
    """
    side = np.sort(np.concatenate([fold.train, fold.validation]))
    n_turns = round(len(fold.train) / max(1, len(fold.validation)))
    units = _units([truth[fold.train] for truth in truths], groups[fold.train], None)
    n_turns = min(n_turns, len(units.sizes))
    if n_turns < 2:
        return []
    part = stratify(units.counts, units.sizes, [1] * n_turns, np.random.default_rng([seed, 2]))
    held_back = [fold.train[part[units.of_image] == turn] for turn in range(n_turns)]
    return [Fold(np.setdiff1d(side, rows), rows, _no_images(), fold.repeat, fold.fold) for rows in held_back if len(rows)]


def effective_groups(*constraints: Sequence[Any] | np.ndarray) -> np.ndarray:
    """(N,) group numbers that join images sharing a value in any of the constraints (N,); None and "" join nothing."""
    n = len(constraints[0])
    pairs = [np.empty((0, 2), dtype=np.intp)]
    for values in constraints:
        codes = pd.factorize(pd.Series([None if value == "" else value for value in values], dtype=object))[0]
        order = np.argsort(codes, kind="stable")
        is_same = (codes[order][1:] == codes[order][:-1]) & (codes[order][1:] >= 0)
        pairs.append(np.column_stack([order[:-1][is_same], order[1:][is_same]]))
    return connected_groups(n, np.concatenate(pairs))


def split_rows(folds: Sequence[Fold], names: Sequence[str], groups: Sequence[str | None]) -> list[dict[str, Any]]:
    """The rows of splits.csv: an image and fold a row."""
    return [
        {"filename": names[i], "split": part, "fold": fold.fold, "repeat": fold.repeat, "group": groups[i] or ""}
        for fold in folds
        for part, indices in fold.parts().items()
        for i in indices
    ]
