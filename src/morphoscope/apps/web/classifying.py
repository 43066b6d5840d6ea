"""The model at work for the page: pictures that a worker decoded, one batch at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from morphoscope.apps.web.answers.pictures import Cell, Probability, Row, TaskAnswer
from morphoscope.apps.web.answers.server import ModelDescription, TaskClasses
from morphoscope.data.cache import content_hash
from morphoscope.inference.attention import AttentionReader, is_attentive
from morphoscope.inference.explanation import Explainer
from morphoscope.inference.predictor import Predicted, Predictor, Seen
from morphoscope.micrograph import Micrograph
from morphoscope.models.bundle import Bundle
from morphoscope.prediction import ClassPrediction
from morphoscope.reporting.predictions_table import error_row, number_columns, prediction_columns, prediction_rows
from morphoscope.schema import Schema

_WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, eq=False)
class Look:
    """A decoded picture. micrograph: without pixels; working: the network's copy (Y, X) uint8; preview: the whole picture, small, uint8.

    user: the row of metadata that a person gave. is_final: the picture's own scale bar was read, or needn't be.
    """

    micrograph: Micrograph
    working: np.ndarray | None
    preview: np.ndarray
    user: Mapping[str, str]
    is_final: bool
    seconds: float


class Classifier:
    """A bundle loaded once. Its methods may be called from any thread; they take turns."""

    def __init__(self, name: str, sha: str, bundle: Bundle) -> None:
        """sha: of the weights."""
        self.name, self.sha, self.bundle = name, sha, bundle
        self._predictor = Predictor(bundle)
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """The model in a folder, or in the run folder that holds it. Raises BundleError."""
        bundle = Bundle.load(folder)
        home = folder if (folder / _WEIGHTS).is_file() else folder / "model"
        named = home.resolve().parent if home.resolve().name == "model" else home.resolve()
        return cls(named.name, content_hash(home / _WEIGHTS), bundle)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.bundle)

    @cached_property
    def _attention(self) -> AttentionReader:
        return AttentionReader(self.bundle)

    @property
    def preprocessing(self) -> dict[str, Any]:
        """What a worker needs to make the network's copy."""
        return self.bundle.preprocessing.to_dict()

    def description(self) -> ModelDescription:
        tasks = [TaskClasses(name=t.name, classes=list(t.classes), multi_label=t.is_multilabel) for t in self.bundle.schema.tasks]
        maps: list[Literal["heat-map", "attention"]] = ["heat-map", "attention"] if self.has_attention else ["heat-map"]
        return ModelDescription(name=self.name, tasks=tasks, threshold=0.9, sha=self.sha, explanations=maps)

    @cached_property
    def has_attention(self) -> bool:
        """Whether a branch is a transformer of global attention."""
        return any(map(is_attentive, self.bundle.network.branches.values()))

    def predict(self, looks: Sequence[Look]) -> Predicted:
        """Answers for decoded pictures."""
        with self._lock:
            seen = [(look.micrograph.path, self._seen(look)) for look in looks]
            return self._predictor.answer(seen)

    def heat(self, look: Look, task: str) -> np.ndarray:
        """(Y, X) float32 in [0, 1] over the working copy: what speaks for the best guess. Raises KeyError for an unknown task."""
        names = [one.name for one in self.bundle.schema.tasks]
        if task not in names:
            raise KeyError(task)
        predicted = self.predict([look])
        with self._lock:
            return self._explainer.explain(predicted.seen, predicted.predictions)[0][names.index(task)].heat

    def attention(self, look: Look) -> np.ndarray:
        """(Y, X) float32 in [0, 1] over the working copy: what the features gather beyond an even share. See `has_attention`."""
        seen = self.predict([look]).seen
        with self._lock:
            (maps,) = self._attention.look(seen)
        return next(iter(maps.values()))

    def rows(self, predicted: Predicted, names: Sequence[str]) -> list[Row]:
        """The rows of predictions.csv for pictures that could be read, under the names given."""
        sizes = [one.micrograph.pixel_size for one in predicted.seen]
        cells = prediction_rows(list(names), predicted.predictions, sizes, predicted.novelty)
        return [table_row(one, self.bundle.schema) for one in cells]

    def error_row(self, name: str, sentence: str) -> Row:
        """The row of a file that could not be read."""
        return table_row(error_row(name, sentence), self.bundle.schema)

    def _seen(self, look: Look) -> Seen:
        if look.working is None:
            raise ValueError("a look without the network's copy")
        return self._predictor.see(look.micrograph, look.user, look.working)


def table_row(cells: Mapping[str, str], schema: Schema) -> Row:
    """A row of predictions.csv with every column, its numbers as numbers."""
    numbers = number_columns(schema)
    return {column: _cell(cells.get(column, ""), column in numbers) for column in prediction_columns(schema)}


def task_answers(predictions: Sequence[ClassPrediction], index: int) -> list[TaskAnswer]:
    """What each task says of one picture of a batch."""
    return [_task_answer(prediction, index) for prediction in predictions]


def _task_answer(prediction: ClassPrediction, index: int) -> TaskAnswer:
    task = prediction.task
    best = _joined(task.classes, prediction.chosen()[index])
    return TaskAnswer(
        task=task.name,
        best=best,
        answer=best if prediction.is_sure[index] else None,
        confidence=float(prediction.confidence[index]),
        set=[name for name, is_in in zip(task.classes, prediction.in_set[index], strict=True) if is_in],
        classes=[Probability(name=n, p=float(p)) for n, p in zip(task.classes, prediction.probabilities[index], strict=True)],
    )


def _joined(names: Sequence[str], members: np.ndarray) -> str:
    return "|".join(name for name, is_member in zip(names, members, strict=True) if is_member)


def _cell(text: str, is_number: bool) -> Cell:
    if not is_number:
        return text
    return float(text) if text else None
