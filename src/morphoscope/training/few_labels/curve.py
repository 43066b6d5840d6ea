"""Accuracy against labels a class: frozen features, repeated grouped splits, and how sure the curve is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from morphoscope.data.stratify import stratify
from morphoscope.errors import MorphoscopeError
from morphoscope.scores.intervals import Interval, crossed_bootstrap_interval
from morphoscope.training.few_labels.heads import HEADS, Head, check_classes, standardiser
from morphoscope.training.few_labels.softmax import published_softmax

Protocol = Literal["grouped", "as-published"]
TEST_SHARE: dict[Protocol, float] = {"grouped": 0.4, "as-published": 0.2}
"""As published: of 100 pictures a class 80 could be learned from."""
CHOICES = ("random", "medoid")
ONE_SHOT_DRAWS = 5
"""Random anchors a split, so that their spread shows how much the choice matters."""


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """One task of a folder. labels: (N,) class numbers, -1 where unknown. groups: (N,) never divided. features: by encoder (N, F)."""

    task: str
    classes: tuple[str, ...]
    labels: np.ndarray
    groups: np.ndarray
    features: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Trial:
    """One point: a row of curve.csv. learned, test: rows of the pictures; truth, is_right: class numbers and hits on the test rows."""

    encoder: str
    per_class: int
    repeat: int
    learned: np.ndarray
    test: np.ndarray
    truth: np.ndarray
    is_right: np.ndarray
    choice: str = ""

    @property
    def n_train(self) -> int:
        return len(self.learned)

    @property
    def accuracy(self) -> float:
        return float(self.is_right.mean())

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over the classes of the test side."""
        return float(np.mean([self.is_right[self.truth == c].mean() for c in np.unique(self.truth)]))


@dataclass(frozen=True)
class Plan:
    """What is asked. repeats: splits. seed: the same splits and labels for every encoder."""

    per_class: tuple[int, ...] = (1, 2, 4, 8, 16)
    repeats: int = 10
    head: str = "logistic"
    protocol: Protocol = "grouped"
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Curves:
    """trials: of the curve. one_shot: with one label a class, chosen by chance or as the class's medoid."""

    task: str
    classes: tuple[str, ...]
    trials: list[Trial]
    one_shot: list[Trial] = field(default_factory=list)


def learning_curves(data: LabelledFeatures, plan: Plan, tick: Callable[[], None] = lambda: None) -> Curves:
    """Every encoder at every number of labels, on the same splits with the same labels.

    Raises MorphoscopeError for one class, and where groups leave nothing to tell apart or to test on."""
    check_classes(data.task, data.labels[data.labels >= 0])
    trials, one_shot = [], []
    groups = kept_together(data, plan.protocol)
    for repeat in range(plan.repeats):
        pool, test = split_sides(data, plan, repeat)
        _check_sides(data, pool, test)
        rng = np.random.default_rng([plan.seed, repeat, 1])
        order = dealt(pool, data.labels[pool], groups[pool], rng)
        for encoder, features in data.features.items():
            scaled = features if plan.protocol == "as-published" else standardiser(features[pool])(features)
            known = pool[data.labels[pool] >= 0]
            for per_class in plan.per_class:
                chosen = np.concatenate([rows[:per_class] for rows in order.values()])
                trials.append(_trial(data, scaled, encoder, per_class, repeat, chosen, test, plan))
            one_shot += [
                _trial(data, scaled, encoder, 1, repeat, anchors, test, plan, choice)
                for choice, anchors in _anchors(data, scaled, known, repeat, plan)
            ]
            tick()
    return Curves(data.task, data.classes, trials, one_shot)


def kept_together(data: LabelledFeatures, protocol: Protocol) -> np.ndarray:
    """(N,) groups that no split divides; as published, every picture is its own."""
    return np.arange(len(data.labels)) if protocol == "as-published" else data.groups


def _check_sides(data: LabelledFeatures, pool: np.ndarray, test: np.ndarray) -> None:
    classes = np.unique(data.labels[pool][data.labels[pool] >= 0])
    n_asked = int(np.isin(data.labels[test], classes).sum())
    if len(classes) < 2 or not n_asked:
        n_groups = len(np.unique(data.groups[data.labels >= 0]))
        raise MorphoscopeError(
            f"'{data.task}': its labelled pictures are {n_groups} groups (specimens, copies and near-duplicates stay together), which "
            f"leave {len(classes)} classes to learn and {n_asked} pictures of them to test on; expected two classes and some. "
            "Name a finer --group, or label pictures of more specimens."
        )


def split_sides(data: LabelledFeatures, plan: Plan, repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from (labelled or not) and labelled rows to test on; groups whole, unless as published."""
    groups, share = kept_together(data, plan.protocol), TEST_SHARE[plan.protocol]
    units, unit_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(units), len(data.classes)), dtype=np.intp)
    known = data.labels >= 0
    np.add.at(counts, (unit_of[known], data.labels[known]), 1)
    rng = np.random.default_rng([plan.seed, repeat, 0])
    side = stratify(counts, np.bincount(unit_of), [1 - share, share], rng, essential=(0, 1))
    is_test = side[unit_of] == 1
    return np.flatnonzero(~is_test), np.flatnonzero(is_test & known)


def dealt(rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """A class's rows in the order in which they are labelled: by chance, another group each time as long as there is one."""
    order = {}
    for number in np.unique(labels[labels >= 0]):
        mine = rng.permutation(np.flatnonzero(labels == number))
        turn = np.empty(len(mine), int)
        for group in np.unique(groups[mine]):
            turn[groups[mine] == group] = np.arange((groups[mine] == group).sum())
        order[int(number)] = rows[mine[np.argsort(turn, kind="stable")]]
    return order


def _anchors(
    data: LabelledFeatures, scaled: np.ndarray, known: np.ndarray, repeat: int, plan: Plan
) -> Iterator[tuple[str, np.ndarray]]:
    """One row a class: some by chance, and the medoids."""
    rng = np.random.default_rng([plan.seed, repeat, 2])
    by_class = [known[data.labels[known] == c] for c in np.unique(data.labels[known])]
    for _ in range(ONE_SHOT_DRAWS):
        yield "random", np.array([rng.choice(rows) for rows in by_class])
    yield "medoid", np.array([rows[medoid(scaled[rows])] for rows in by_class])


def typical(data: LabelledFeatures, encoder: str) -> dict[str, int]:
    """Class to the row of its most typical labelled picture, by an encoder."""
    features = standardiser(data.features[encoder])(data.features[encoder])
    rows = {name: np.flatnonzero(data.labels == number) for number, name in enumerate(data.classes)}
    return {name: int(mine[medoid(features[mine])]) for name, mine in rows.items() if len(mine)}


def medoid(features: np.ndarray) -> int:
    """Row of (N, F) with the smallest sum of distances to the others."""
    squares = (features**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * features @ features.T, 0))
    return int(distance.sum(axis=1).argmin())


def _trial(
    data: LabelledFeatures,
    scaled: np.ndarray,
    encoder: str,
    per_class: int,
    repeat: int,
    chosen: np.ndarray,
    test: np.ndarray,
    plan: Plan,
    choice: str = "",
) -> Trial:
    """Learns from the chosen rows and answers the test rows whose class it could know."""
    numbers, labels = np.unique(data.labels[chosen], return_inverse=True)
    test = test[np.isin(data.labels[test], numbers)]
    truth, rows, asked = np.searchsorted(numbers, data.labels[test]), scaled[chosen], scaled[test]
    seed = plan.seed * 1000 + repeat
    if plan.protocol == "as-published":
        scores = published_softmax(rows, labels, asked, truth, len(numbers), seed)
    else:
        head: Head = HEADS.load(plan.head)
        scores = head(rows, labels, data.groups[chosen], asked, len(numbers), seed)
    is_right = scores.argmax(axis=1) == truth
    return Trial(encoder, per_class, repeat, chosen, test, truth, is_right, choice)


def curve_rows(curves: Sequence[Curves], plan: Plan) -> list[dict[str, Any]]:
    """The rows of curve.csv."""
    return [
        {
            "task": curve.task,
            "encoder": one.encoder,
            "per_class": one.per_class,
            "repeat": one.repeat,
            "n_train": one.n_train,
            "n_test": len(one.test),
            "accuracy": one.accuracy,
            "balanced_accuracy": one.balanced_accuracy,
            "head": "softmax" if plan.protocol == "as-published" else plan.head,
            "protocol": plan.protocol,
        }
        for curve in curves
        for one in curve.trials
    ]


def band(trials: Sequence[Trial], groups: np.ndarray) -> Interval | None:
    """95 % interval of the mean balanced accuracy over repeats: splits are drawn anew, and so are the groups of pictures,
    each draw the same in every split, since a picture tested in several is one picture."""
    n_classes = int(max(one.truth.max() for one in trials)) + 1
    _, group_of = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(trials), group_of.max() + 1, 2 * n_classes))
    for repeat, one in enumerate(trials):
        np.add.at(sums[repeat], (group_of[one.test], one.truth), one.is_right)
        np.add.at(sums[repeat], (group_of[one.test], n_classes + one.truth), 1)

    with np.errstate(invalid="ignore"):
        whole = sums.sum(axis=1)
        recalls = whole[:, :n_classes] / whole[:, n_classes:]

    def balanced(totals: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            drawn = totals[:, :n_classes] / totals[:, n_classes:]
        # A rare class that a resample misses keeps its recall: leaving it out would lift the whole band.
        return np.nanmean(np.where(totals[:, n_classes:] > 0, drawn, recalls), axis=1)

    return crossed_bootstrap_interval(sums, balanced)
