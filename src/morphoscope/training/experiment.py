"""One split of a folder: encoders fitted on its training side, a network, its confidence, and its answers on the test side."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.split import Fold
from morphoscope.inference.forward import FUSED, Answers, ask
from morphoscope.models.branches.metadata import MetadataEncoder, Value
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema
from morphoscope.training.fit import FitTask, Fitted, fit
from morphoscope.training.module import EVALUATION_BATCH
from morphoscope.training.recipe import Recipe
from morphoscope.training.samples import Samples, ordered_batches

IMAGE_ONLY, METADATA_ONLY = "image only", "metadata only"


@dataclass(frozen=True, eq=False)
class Material:
    """Everything of a folder that training needs, rows in one order: N pictures."""

    schema: Schema
    preprocessing: Preprocessing
    canvases: np.ndarray
    textures: np.ndarray
    metadata: Sequence[Mapping[str, Value]]
    truths: list[np.ndarray]

    def samples(self, encoder: MetadataEncoder, branches: Collection[str]) -> Samples:
        """The tensors' source for the branches that a network has."""
        vectors = {}
        if "texture" in branches:
            vectors["texture"] = self.textures
        if "metadata" in branches:
            vectors["metadata"] = np.stack([encoder.encode(values) for values in self.metadata])
        return Samples(self.canvases, vectors, self.truths)

    def spec(self, recipe: Recipe, encoder: MetadataEncoder) -> NetworkSpec:
        """The network of a recipe, without a metadata branch where nothing is known of any picture."""
        arguments: dict[str, dict[str, Any]] = {
            "image": {"backbone": recipe.model.backbone},
            "texture": {"width": int(self.textures.shape[1])},
            "metadata": {"width": encoder.width},
        }
        branches: dict[str, dict[str, Any]] = {
            name: arguments[name] for name in recipe.model.branches if name != "metadata" or encoder.width
        }
        return NetworkSpec(branches, self.schema, recipe.model.dropout)


@dataclass(frozen=True, eq=False)
class Trial:
    """One fitted split. validation, test: answers on those rows. confidence: for each way of asking, a task's, fitted on the
    validation rows."""

    fold: Fold
    fitted: Fitted
    metadata_encoder: MetadataEncoder
    confidence: Mapping[str, tuple[TaskConfidence, ...]]
    novelty: NoveltyReference
    validation: Answers
    test: Answers

    def predictions(self, schema: Schema, way: str = FUSED) -> list[ClassPrediction]:
        """Calibrated answers on the test rows, one a task."""
        asked = zip(schema.tasks, self.confidence[way], self.test.logits[way], strict=True)
        return [confidence.predict(task, logits) for task, confidence, logits in asked]


def run_trial(
    material: Material, fold: Fold, recipe: Recipe, folder: Path, label: str, deadline: float | None = None, resume: bool = False
) -> Trial:
    """Fits the recipe on the fold's training rows, stops and calibrates by its validation rows, answers its test rows."""
    encoder = MetadataEncoder.fit([material.metadata[i] for i in fold.train] if "metadata" in recipe.model.branches else [])
    spec = material.spec(recipe, encoder)
    samples = material.samples(encoder, spec.branches)
    task = FitTask(spec, encoder, samples, fold.train, fold.validation, recipe, folder, label)
    fitted = fit(task, deadline, resume)
    ways = _ways(spec.branches)
    # Early stopping and calibration share the validation rows; without any (a refit) the training rows only place novelty.
    held_back = fold.validation if len(fold.validation) else fold.train
    validation = answers(fitted, samples, held_back, ways)
    training = answers(fitted, samples, fold.train[:: max(1, len(fold.train) // 2000)], {})
    truths = [truth[held_back] for truth in material.truths]
    return Trial(
        fold,
        fitted,
        encoder,
        {way: calibrate(material.schema, logits, truths) for way, logits in validation.logits.items()},
        NoveltyReference.fit(training.features, validation.features),
        validation,
        answers(fitted, samples, fold.test, ways),
    )


def answers(fitted: Fitted, samples: Samples, rows: np.ndarray, ways: dict[str, Collection[str]]) -> Answers:
    """The network's answers on some rows."""
    return ask(fitted.network, (samples.rows(part).batch() for part in ordered_batches(rows, EVALUATION_BATCH)), ways)


def seconds_per_picture(trial: Trial, material: Material) -> float:
    """Of the network alone, on ready canvases in batches."""
    rows = np.arange(min(128, len(material.canvases)))
    samples = material.samples(trial.metadata_encoder, trial.fitted.network.spec.branches)
    began = time.perf_counter()
    answers(trial.fitted, samples, rows, {})
    return (time.perf_counter() - began) / len(rows)


def calibrate(schema: Schema, logits: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> tuple[TaskConfidence, ...]:
    """A task's confidence each, from rows that training did not see."""
    return tuple(TaskConfidence.fit(task, *pair) for task, *pair in zip(schema.tasks, logits, truths, strict=True))


def bundle_of(trial: Trial, material: Material, provenance: dict) -> Bundle:
    """The trial's model, ready to be saved."""
    return Bundle(
        trial.fitted.network, material.preprocessing, trial.metadata_encoder, trial.confidence[FUSED], trial.novelty, provenance
    )


def _ways(branches: Collection[str]) -> dict[str, Collection[str]]:
    """What each kind of input knows alone: pixels (network and texture) against metadata, and the two sides of the pixels."""
    ways: dict[str, Collection[str]] = {}
    pixels = [name for name in branches if name != "metadata"]
    if pixels and "metadata" in branches:
        ways[IMAGE_ONLY] = pixels
        ways[METADATA_ONLY] = ["metadata"]
    if len(pixels) > 1:
        ways |= {"network only": ["image"], "texture only": ["texture"]}
    return ways
