"""One task on the held-out pictures: what the model said beside what was true, and every figure that follows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Task
from morphoscope.scores import calibration, classification
from morphoscope.scores.intervals import Interval, accuracy_interval, cluster_bootstrap_interval, mean_interval


@dataclass(frozen=True, eq=False)
class TaskOutcome:
    """prediction: N rows. truth: (N, C) bool, a row without a True being unlabelled. train_truth_counts: (C,) labelled
    training pictures a class. groups: (N,) what resembles each other (a specimen, a paper). images: (N,) which picture a
    row is, where repeated splits test one several times. Both are any values that can be compared.
    """

    prediction: ClassPrediction
    truth: np.ndarray
    train_truth_counts: np.ndarray
    groups: np.ndarray | None = None
    images: np.ndarray | None = None

    @property
    def task(self) -> Task:
        return self.prediction.task

    @property
    def is_labelled(self) -> np.ndarray:
        """(N,) bool: which rows carry a label."""
        return classification.labelled(self.truth)

    @property
    def hits(self) -> np.ndarray:
        """(N,) bool: where the best guess is exactly the truth; meaningless in unlabelled rows."""
        return classification.hits(self.truth, self.prediction.chosen())

    @property
    def accuracy(self) -> float | None:
        """Share of labelled rows answered exactly right."""
        return classification.accuracy(self.truth, self.prediction.chosen())

    @property
    def majority_accuracy(self) -> float | None:
        """What always answering the most frequent class of the training part would reach here."""
        return classification.majority_accuracy(self.truth, self.train_truth_counts, self.task.is_multilabel)

    @property
    def n_images(self) -> int:
        """Labelled pictures, each counted once."""
        return self._count_images(self.is_labelled)

    def subset(self, rows: np.ndarray) -> TaskOutcome:
        """The outcome on some of the rows, given as indices or (N,) bool."""
        said = self.prediction
        return dataclasses.replace(
            self,
            prediction=dataclasses.replace(
                said, probabilities=said.probabilities[rows], in_set=said.in_set[rows], is_sure=said.is_sure[rows]
            ),
            truth=self.truth[rows],
            groups=None if self.groups is None else self.groups[rows],
            images=None if self.images is None else self.images[rows],
        )

    def at_parent_level(self) -> TaskOutcome:
        """The same one level up: `Fibres/Polymer` taken for `Fibres/Glass` is right there."""
        task, parents = self.task, self.task.parents
        children = np.array([[task.parent(name) == parent for name in task.classes] for parent in parents])  # (P, C)
        said = self.prediction
        if task.is_multilabel:
            probabilities = np.stack([said.probabilities[:, members].max(axis=1) for members in children], axis=1)
        else:
            probabilities = said.probabilities @ children.T
        return dataclasses.replace(
            self,
            prediction=ClassPrediction(
                Task(task.name, parents, task.is_multilabel), probabilities, said.in_set @ children.T, said.is_sure
            ),
            truth=self.truth @ children.T,
            train_truth_counts=children @ self.train_truth_counts,
        )

    def accuracy_interval(self) -> Interval | None:
        """95 % interval of the accuracy, aware of groups and repeats."""
        return self._interval(np.flatnonzero(self.is_labelled), self.hits[self.is_labelled])

    def metrics(self) -> dict[str, Any]:
        """The task's entry of metrics.json: plain JSON values, None where the data can't give a figure."""
        labelled = self.subset(self.is_labelled)
        metrics = labelled._of_classes() | labelled._of_confidence()
        if self.task.has_parents:
            metrics["parents"] = self.at_parent_level().metrics()
        return metrics

    def _of_classes(self) -> dict[str, Any]:
        truth, chosen, task = self.truth, self.prediction.chosen(), self.task
        terms = classification.recognised(truth, chosen, task.is_multilabel)
        accuracy, majority = self.accuracy, self.majority_accuracy
        intervals = [self._interval(rows, answers) for answers, rows in terms]
        return {
            "n": self.n_images,
            "accuracy": accuracy,
            "accuracy_ci95": self.accuracy_interval(),
            "majority_accuracy": majority,
            "skill": classification.skill(accuracy, majority),
            "balanced_accuracy": classification.balanced_accuracy(truth, chosen, task.is_multilabel),
            "balanced_accuracy_ci95": mean_interval(
                [float(answers.mean()) for answers, _ in terms], [interval for interval in intervals if interval]
            ),
            "macro_f1": classification.macro_f1(truth, chosen),
            "macro_f1_ci95": cluster_bootstrap_interval(
                classification.f1_sums(truth, chosen), classification.macro_f1_of_sums, self._clusters()
            ),
            "classes": list(task.classes),
            "confusion": None if task.is_multilabel else classification.confusion(truth, chosen).tolist(),
            "per_class": self._per_class(),
            "confused_pairs": [dataclasses.asdict(pair) for pair in classification.confused_pairs(truth, chosen, task.classes)],
        }

    def _per_class(self) -> dict[str, dict[str, Any]]:
        scores = classification.class_scores(self.truth, self.prediction.chosen())
        return {
            name: dataclasses.asdict(score) | {"n": self._count_images(self.truth[:, column])}
            for column, (name, score) in enumerate(zip(self.task.classes, scores, strict=True))
        }

    def _of_confidence(self) -> dict[str, Any]:
        said, truth = self.prediction, self.truth
        return {
            "ece": calibration.expected_calibration_error(*self.answers()),
            "nll": calibration.negative_log_likelihood(said.probabilities, truth, self.task.is_multilabel),
            "brier": calibration.brier_score(said.probabilities, truth),
            "coverage": float(said.is_sure.mean()) if len(truth) else None,
            "accuracy_at_coverage": calibration.accuracy_at_coverage(self.hits, said.is_sure),
            "set_coverage": calibration.set_coverage(said.in_set, truth),
            "mean_set_size": calibration.mean_set_size(said.in_set),
        }

    def answers(self) -> tuple[np.ndarray, np.ndarray]:
        """Confidence and correctness of each answer to a labelled picture, both (M,): the best class of a single-label
        task, each yes or no of a multi-label one."""
        labelled, said = self.is_labelled, self.prediction
        if not self.task.is_multilabel:
            return said.confidence[labelled], self.hits[labelled]
        chosen, probabilities = said.chosen()[labelled], said.probabilities[labelled]
        confidence = np.where(chosen, probabilities, 1 - probabilities)
        return confidence.ravel(), (chosen == self.truth[labelled]).ravel()

    def _clusters(self) -> np.ndarray:
        """(N,) what can be taken as independent: groups, else pictures."""
        if self.groups is not None:
            return self.groups
        return np.arange(len(self.truth)) if self.images is None else self.images

    def _interval(self, rows: np.ndarray, answers: np.ndarray) -> Interval | None:
        return accuracy_interval(
            answers,
            None if self.groups is None else self.groups[rows],
            None if self.images is None else self.images[rows],
        )

    def _count_images(self, rows: np.ndarray) -> int:
        """The distinct pictures among rows given as (N,) bool."""
        return int(rows.sum()) if self.images is None else len(np.unique(self.images[rows]))
