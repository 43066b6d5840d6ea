"""The class that a person is looking for, and when a picture counts as found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.errors import MorphoscopeError, did_you_mean
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema


@dataclass(frozen=True)
class Target:
    """A class of a task, both by their place in the schema. threshold: the probability that is enough; None where the model's
    answer decides, so that it finds nothing in pictures of which it is not sure."""

    schema: Schema
    task: int
    chosen: int
    threshold: float | None = None

    @classmethod
    def parse(cls, text: str, schema: Schema, threshold: float | None = None) -> Target:
        """From `Morphology=Rod`; from `Rod` alone where one task has such a class. Case doesn't matter. Raises MorphoscopeError."""
        task_name, has_task, class_name = (part.strip() for part in text.rpartition("="))
        tasks = [task for task in schema.tasks if not has_task or task.name.casefold() == task_name.casefold()]
        if not tasks:
            names = [task.name for task in schema.tasks]
            raise MorphoscopeError(
                f"--find {text}: the model has no task '{task_name}'; expected one of {', '.join(names)}."
                f"{did_you_mean(task_name, names)} Write TASK=CLASS."
            )
        found = [
            (schema.tasks.index(task), index)
            for task in tasks
            for index, name in enumerate(task.classes)
            if name.casefold() == class_name.casefold()
        ]
        if len(found) != 1:
            classes = list(dict.fromkeys(name for task in tasks for name in task.classes))
            what = f"several tasks have a class '{class_name}'" if found else f"there is no class '{class_name}'"
            raise MorphoscopeError(
                f"--find {text}: {what}; expected TASK=CLASS with one of {', '.join(classes)}.{did_you_mean(class_name, classes)} "
                "Write the task's name before it."
            )
        return cls(schema, *found[0], threshold)

    def __str__(self) -> str:
        task = self.schema.tasks[self.task]
        return f"{task.name}={task.classes[self.chosen]}"

    def probability(self, predictions: Sequence[ClassPrediction]) -> np.ndarray:
        """(N,) of the class, of predictions, one a task."""
        return predictions[self.task].probabilities[:, self.chosen]

    def is_found(self, predictions: Sequence[ClassPrediction]) -> np.ndarray:
        """(N,) bool: the class is the answer, or its probability is enough."""
        if self.threshold is not None:
            return self.probability(predictions) >= self.threshold
        said = predictions[self.task]
        return said.is_sure & said.chosen()[:, self.chosen]

    def is_held_by(self, probabilities: np.ndarray, sure_threshold: float) -> np.ndarray:
        """(…) bool of the task's probabilities (…, C) where they are means of several answers: the same rule, with the
        confidence at which the model answers."""
        own = probabilities[..., self.chosen]
        if self.threshold is not None:
            return own >= self.threshold
        if self.schema.tasks[self.task].is_multilabel:
            return own >= max(0.5, sure_threshold)
        return (probabilities.argmax(-1) == self.chosen) & (own >= sure_threshold)
