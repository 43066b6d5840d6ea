"""Recipes side by side: how often each is right on what it did not learn from, which differ, and which one to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from morphoscope.schema import Schema, Task
from morphoscope.scores import classification
from morphoscope.scores.comparison import PairedTest, corrected_resampled_t_test, holm
from morphoscope.scores.intervals import Interval, accuracy_interval
from morphoscope.training.comparison.result import Answered, RunResult


@dataclass(frozen=True)
class Share:
    """How often answers are right: each picture counts once, with the mean of its repeats. n: pictures."""

    accuracy: float | None
    interval: Interval | None
    n: int


@dataclass(frozen=True)
class Standing:
    """A recipe on one task. majority: what always answering the training part's most frequent class reaches on the same pictures."""

    recipe: str
    training: Share
    test: Share
    balanced_accuracy: float | None
    majority: float | None

    @property
    def skill(self) -> float | None:
        """Share of the way from the majority class to perfection."""
        return classification.skill(self.test.accuracy, self.majority)


@dataclass(frozen=True)
class Pair:
    """Two recipes on one task: difference first minus second in accuracy. adjusted_p: by Holm, over the pairs of the task."""

    first: str
    second: str
    test: PairedTest | None
    adjusted_p: float | None

    @property
    def is_clear(self) -> bool:
        """Whether the difference is there at a joint error of 5 %."""
        return self.adjusted_p is not None and self.adjusted_p < 0.05


@dataclass(frozen=True)
class Cost:
    """A recipe's means over its runs. images_per_second: answered by the network alone. minutes, epochs: of a fit."""

    recipe: str
    parameters: int
    images_per_second: float
    training_images_per_second: float
    minutes: float
    epochs: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """truths: (N, C) bool a task; groups: (N,) what resembles each other; results: of cross-validation; untouched: of the best
    recipe on the pictures that nothing else looked at. recipes: all, in the order asked. failures: why a recipe has no or not
    all results."""

    schema: Schema
    truths: Sequence[np.ndarray]
    groups: np.ndarray
    recipes: Sequence[str]
    results: Sequence[RunResult]
    untouched: Sequence[RunResult] = ()
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> list[str]:
        """The recipes all of whose runs have ended: only those are compared."""
        return [name for name in self.recipes if name not in self.failures and any(r.recipe == name for r in self.results)]

    @property
    def best(self) -> str | None:
        """The recipe with the highest mean accuracy over tasks in cross-validation; of equals, the one of fewer parameters."""
        sizes = {result.recipe: result.parameters for result in self.results}
        return max(self.finished, key=lambda name: (self.mean_accuracy(name), -sizes[name]), default=None)

    def mean_accuracy(self, recipe: str) -> float:
        """Over the tasks, on the test pictures of cross-validation."""
        found = [self._share(self.of(recipe), number, "test").accuracy for number in range(len(self.schema.tasks))]
        known = [accuracy for accuracy in found if accuracy is not None]
        return float(np.mean(known)) if known else 0.0

    def of(self, recipe: str) -> list[RunResult]:
        """The recipe's runs of cross-validation."""
        return [result for result in self.results if result.recipe == recipe]

    def standings(self, number: int) -> list[Standing]:
        """The recipes on a task, by its number, the best first."""
        found = [self._standing(name, self.of(name), number) for name in self.finished]
        return sorted(found, key=lambda standing: -(standing.test.accuracy or 0.0))

    def untouched_standings(self) -> list[Standing]:
        """The best recipe on the untouched pictures, a task each; nothing where none were set aside."""
        if not self.untouched:
            return []
        name = self.untouched[0].recipe
        return [self._standing(name, self.untouched, number) for number in range(len(self.schema.tasks))]

    def pairs(self, number: int) -> list[Pair]:
        """All pairs of finished recipes on a task, with the corrected resampled t-test over runs and Holm over pairs."""
        accuracies = {name: self._by_run(name, number) for name in self.finished}
        tests: dict[tuple[str, str], PairedTest | None] = {}
        for first, second in combinations(self.finished, 2):
            runs = [run for run in accuracies[first] if run in accuracies[second]]
            differences = np.array([accuracies[first][run] - accuracies[second][run] for run in runs])
            tests[first, second] = corrected_resampled_t_test(differences, self._test_to_training())
        judged = [pair for pair, test in tests.items() if test]
        adjusted = dict(zip(judged, holm([test.p for test in tests.values() if test]), strict=True))
        return [Pair(*pair, test, adjusted.get(pair)) for pair, test in tests.items()]

    def costs(self) -> list[Cost]:
        """What each finished recipe takes."""
        return [_cost(name, self.of(name)) for name in self.finished]

    def rows(self) -> list[dict[str, Any]]:
        """compare.csv: a row a run and task, in the order of the recipes, seeds and folds asked."""
        ranks = {name: rank for rank, name in enumerate(self.recipes)}
        ordered = sorted(self.results, key=lambda result: (ranks[result.recipe], result.seed, result.fold or 0))
        return [self._row(result, number) for result in ordered for number in range(len(self.schema.tasks))]

    def _row(self, result: RunResult, number: int) -> dict[str, Any]:
        task, truth = self.schema.tasks[number], self.truths[number]
        tested, chosen = truth[result.test.rows], result.test.of(task)
        return {
            "recipe": result.recipe,
            "seed": result.seed,
            "fold": result.fold,
            "task": task.name,
            "train_accuracy": classification.accuracy(truth[result.train.rows], result.train.of(task)),
            "test_accuracy": classification.accuracy(tested, chosen),
            "balanced_accuracy": classification.balanced_accuracy(tested, chosen, task.is_multilabel),
            "parameters": result.parameters,
            "images_per_second": round(result.images_per_second, 2),
            "minutes": round(result.minutes, 4),
            "majority_accuracy": _majority(truth, result, task),
            "macro_f1": classification.macro_f1(tested, chosen),
            "n_train": result.n_train,
            "n_test": int(classification.labelled(tested).sum()),
            "epochs": result.epochs,
            "training_images_per_second": round(result.training_images_per_second, 2),
        }

    def _by_run(self, recipe: str, number: int) -> dict[tuple[int, int | None], float]:
        """Test accuracy by seed and fold."""
        task, truth = self.schema.tasks[number], self.truths[number]
        found = {(r.seed, r.fold): classification.accuracy(truth[r.test.rows], r.test.of(task)) for r in self.of(recipe)}
        return {run: accuracy for run, accuracy in found.items() if accuracy is not None}

    def _test_to_training(self) -> float:
        return float(np.mean([len(result.test.rows) / result.n_train for result in self.results]))

    def _standing(self, name: str, results: Sequence[RunResult], number: int) -> Standing:
        task, truth = self.schema.tasks[number], self.truths[number]
        rows = np.concatenate([result.test.rows for result in results]).astype(int)
        chosen = np.concatenate([result.test.of(task) for result in results])
        majorities = [majority for result in results if (majority := _majority(truth, result, task)) is not None]
        return Standing(
            name,
            self._share(results, number, "train"),
            self._share(results, number, "test"),
            classification.balanced_accuracy(truth[rows], chosen, task.is_multilabel),
            float(np.mean(majorities)) if majorities else None,
        )

    def _share(self, results: Sequence[RunResult], number: int, side: str) -> Share:
        task, truth = self.schema.tasks[number], self.truths[number]
        asked: list[Answered] = [getattr(result, side) for result in results]
        rows = np.concatenate([one.rows for one in asked]).astype(int)
        chosen = np.concatenate([one.of(task) for one in asked])
        keep = classification.labelled(truth[rows])
        rows, chosen = rows[keep], chosen[keep]
        if not len(rows):
            return Share(None, None, 0)
        hits = classification.hits(truth[rows], chosen).astype(float)
        pictures, where = np.unique(rows, return_inverse=True)
        means = np.bincount(where, weights=hits) / np.bincount(where)
        return Share(float(means.mean()), accuracy_interval(hits, self.groups[rows], rows), len(pictures))


def _majority(truth: np.ndarray, result: RunResult, task: Task) -> float | None:
    counts = truth[result.train.rows].sum(axis=0)
    return classification.majority_accuracy(truth[result.test.rows], counts, task.is_multilabel)


def _cost(name: str, results: Sequence[RunResult]) -> Cost:
    def mean(figure: str) -> float:
        return float(np.mean([getattr(result, figure) for result in results]))

    return Cost(
        name,
        results[0].parameters,
        mean("images_per_second"),
        mean("training_images_per_second"),
        mean("minutes"),
        mean("epochs"),
    )
