"""One split of a folder: encoders fitted on its training side, a network, its confidence, and its answers on the test side."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.split import Fold
from morphoscope.inference.forward import FUSED, QUICK, Answers, ask, quick_branches
from morphoscope.models.branches import OF_THE_PICTURE, kind_of
from morphoscope.models.branches.metadata import MetadataEncoder, Value
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import NetworkSpec
from morphoscope.models.novelty import MAX_REFERENCES, NoveltyReference
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema
from morphoscope.training.callbacks import CHECKPOINT_SECONDS, Watch
from morphoscope.training.channels import ChannelSamples
from morphoscope.training.fit import FitTask, Fitted, fit
from morphoscope.training.mixture import fit_mixture
from morphoscope.training.module import EVALUATION_BATCH
from morphoscope.training.pretrained_start import FitPace, pretrained_start, pretrains
from morphoscope.training.recipe import Recipe
from morphoscope.training.samples import Samples, ordered_batches

IMAGE_ONLY, METADATA_ONLY = "image only", "metadata only"


@dataclass(frozen=True, eq=False)
class Material:
    """Everything of a folder that training needs, rows in one order: N pictures. described: (N, D) float32 for each of the
    branches that take a picture in numbers, `texture` and `shape`. channels: by name."""

    schema: Schema
    preprocessing: Preprocessing
    canvases: np.ndarray
    described: Mapping[str, np.ndarray]
    metadata: Sequence[Mapping[str, Value]]
    truths: list[np.ndarray]
    channels: Mapping[str, ChannelSamples] = field(default_factory=dict)

    def samples(self, encoder: MetadataEncoder, branches: Collection[str]) -> Samples:
        """The tensors' source for the branches that a network has."""
        vectors = {name: values for name, values in self.described.items() if name in branches}
        if "metadata" in branches:
            vectors["metadata"] = np.stack([encoder.encode(values) for values in self.metadata])
        channels = {name: channel for name, channel in self.channels.items() if name in branches}
        vectors |= {name: channel.values for name, channel in channels.items()}
        return Samples(self.canvases, vectors, self.truths, {name: ~channel.present for name, channel in channels.items()})

    def spec(self, recipe: Recipe, encoder: MetadataEncoder) -> NetworkSpec:
        """The network of a recipe, without the branches that have nothing to read: no metadata, no objects, no such channel.
        The name of a kind of channel stands for all channels of it."""
        model = recipe.model
        arguments: dict[str, dict[str, Any]] = {"image": image_arguments(recipe, self.preprocessing)}
        arguments["autoencoder"] = {
            "kind": model.autoencoder_kind,
            "side": model.autoencoder_side,
            "code": model.autoencoder_code,
        }
        arguments |= {name: {"width": values.shape[1]} for name, values in self.described.items()}
        if encoder.width:
            arguments["metadata"] = {"width": encoder.width, "hidden": model.metadata_hidden}
        arguments |= {name: channel.arguments(arguments["image"]) for name, channel in self.channels.items()}
        branches = {
            name: arguments[name] for asked in recipe.model.branches for name in arguments if asked in (name, kind_of(name))
        }
        return NetworkSpec(branches, self.schema, recipe.model.dropout)


def image_arguments(recipe: Recipe, preprocessing: Preprocessing) -> dict[str, Any]:
    """What the image branch of a recipe is built from."""
    model = recipe.model
    return {
        "backbone": model.backbone,
        "canvas": [preprocessing.height, preprocessing.width],
        "grey_mean": model.grey_mean,
        "grey_std": model.grey_std,
        "auxiliary": recipe.fit.auxiliary_loss > 0,
    }


@dataclass(frozen=True)
class Pace:
    """How fits run beside what they compute. deadline: on time.monotonic(). resume: from checkpoints, where there are any.
    watch: who hears of each epoch and may end the fit."""

    deadline: float | None = None
    resume: bool = False
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    watch: Watch | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What a bundle is made of. confidence: for each way of asking, a task's; like novelty, fitted on pictures that the
    network did not learn from."""

    fitted: Fitted
    metadata_encoder: MetadataEncoder
    confidence: Mapping[str, tuple[TaskConfidence, ...]]
    novelty: NoveltyReference


@dataclass(frozen=True, eq=False)
class Trial(Trained):
    """One fitted split. validation, test: answers on those rows. strangeness: how many times as far as training pictures
    pictures that were held back lie from the training pictures. n_calibration: pictures that confidence was fitted on, those
    of the validation or more."""

    fold: Fold
    validation: Answers
    test: Answers
    strangeness: float
    n_calibration: int

    def predictions(self, schema: Schema, way: str = FUSED) -> list[ClassPrediction]:
        """Calibrated answers on the test rows, one a task."""
        asked = zip(schema.tasks, self.confidence[way], self.test.logits[way], strict=True)
        return [confidence.predict(task, logits) for task, confidence, logits in asked]


def run_trial(material: Material, fold: Fold, recipe: Recipe, folder: Path, label: str, pace: Pace) -> Trial:
    """Fits the recipe on the fold's training rows, stops and calibrates by its validation rows, answers its test rows."""
    fitted, encoder, samples = _fitted(material, fold, recipe, folder, label, pace)
    ways = _ways(fitted.network.spec.branches)
    validation = answers(fitted, samples, fold.validation, ways)
    features = answers(fitted, samples, _some(fold.train), {}).appearance
    truths = [truth[fold.validation] for truth in material.truths]
    novelty = NoveltyReference.fit(features, validation.appearance)
    return Trial(
        fitted,
        encoder,
        {way: calibrate(material.schema, logits, truths) for way, logits in validation.logits.items()},
        novelty,
        fold,
        validation,
        answers(fitted, samples, fold.test, ways),
        novelty.usual / NoveltyReference.fit(features, features).usual,
        len(fold.validation),
    )


def run_turn(
    material: Material, turn: Fold, recipe: Recipe, folder: Path, label: str, pace: Pace
) -> tuple[np.ndarray, Answers, Fitted]:
    """A fit only for its answers to the turn's validation rows: those rows, the answers, and the fit."""
    fitted, _, samples = _fitted(material, turn, recipe, folder, label, pace)
    return turn.validation, answers(fitted, samples, turn.validation, _ways(fitted.network.spec.branches)), fitted


def calibrated_on_all(trial: Trial, material: Material, turns: Sequence[tuple[np.ndarray, Answers]]) -> Trial:
    """The trial with its confidence fitted on its validation rows and on those of further turns, each answered by a network
    that did not learn from it (cross-fitting): networks of one recipe are sure of new pictures in the same way."""
    parts = [(trial.fold.validation, trial.validation), *turns]
    rows = np.concatenate([rows for rows, _ in parts])
    truths = [truth[rows] for truth in material.truths]
    confidence = {}
    for way in trial.confidence:
        logits = [np.concatenate(found) for found in zip(*[given.logits[way] for _, given in parts], strict=True)]
        confidence[way] = calibrate(material.schema, logits, truths)
    return dataclasses.replace(trial, confidence=confidence, n_calibration=len(rows))


def run_refit(material: Material, trials: Sequence[Trial], recipe: Recipe, folder: Path, label: str, pace: Pace) -> Trained:
    """Fits the recipe on every picture. As none is left to calibrate on, confidence comes from the answers of the trials to
    pictures that they did not learn from, and novelty allows for as much strangeness as was found there."""
    rows, nothing = np.arange(len(material.canvases)), np.array([], dtype=int)
    everything = Fold(rows, nothing, nothing, repeat=0, fold=0)
    fitted, encoder, samples = _fitted(material, everything, recipe, folder, label, pace)
    fitted.network.mixture.copy_(torch.stack([trial.fitted.network.mixture for trial in trials]).mean(0))
    confidence = {}
    for way in (FUSED, QUICK):
        if all(way in trial.confidence for trial in trials):
            held_back, logits = held_back_answers(trials, way)
            confidence[way] = calibrate(material.schema, logits, [truth[held_back] for truth in material.truths])
    features = answers(fitted, samples, _some(rows), {}).appearance
    familiar = NoveltyReference.fit(features, features)
    strangeness = float(np.median([trial.strangeness for trial in trials]))
    return Trained(fitted, encoder, confidence, dataclasses.replace(familiar, usual=familiar.usual * strangeness))


def held_back_answers(trials: Sequence[Trial], way: str = FUSED) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows (M,) that some trial did not learn from, each once, and a task's logits (M, C) of them: of a trial that tested
    the row, else of one that stopped by it."""
    parts = [(trial.fold.test, trial.test) for trial in trials] + [(trial.fold.validation, trial.validation) for trial in trials]
    rows, first = np.unique(np.concatenate([rows for rows, _ in parts]), return_index=True)
    by_task = zip(*[found.logits[way] for _, found in parts], strict=True)
    return rows, [np.concatenate(logits)[first] for logits in by_task]


def _fitted(
    material: Material, fold: Fold, recipe: Recipe, folder: Path, label: str, pace: Pace
) -> tuple[Fitted, MetadataEncoder, Samples]:
    known = [material.metadata[i] for i in fold.train] if "metadata" in recipe.model.branches else []
    encoder = MetadataEncoder.fit(known, recipe.model.magnification_divisor)
    spec = material.spec(recipe, encoder)
    samples = material.samples(encoder, spec.branches)
    pretraining_epochs = 0
    if pretrains(recipe):
        looked_at = np.arange(len(material.canvases)) if recipe.split.chosen_on == "test" else fold.train
        start = FitPace(pace.deadline, pace.resume, pace.checkpoint_seconds)
        recipe, pretraining_epochs = pretrained_start(recipe, material.canvases[looked_at], folder, start)
    task = FitTask(
        spec, encoder, samples, fold.train, fold.validation, recipe, folder, label, pace.checkpoint_seconds, pace.watch
    )
    fitted = dataclasses.replace(fit(task, pace.deadline, pace.resume), pretraining_epochs=pretraining_epochs)
    if len(fold.validation) and len(spec.branches) > 1 and recipe.fit.mixed_answers:
        held_back = answers(fitted, samples, fold.validation, {name: [name] for name in spec.branches})
        fit_mixture(fitted.network, held_back, [truth[fold.validation] for truth in material.truths])
    return fitted, encoder, samples


def _some(rows: np.ndarray) -> np.ndarray:
    return rows[:: max(1, len(rows) // MAX_REFERENCES)]


def answers(fitted: Fitted, samples: Samples, rows: np.ndarray, ways: dict[str, Collection[str]]) -> Answers:
    """The network's answers on some rows, or on none."""
    if not len(rows):
        classes = [len(task.classes) for task in fitted.network.spec.schema.tasks]
        return Answers({way: [np.zeros((0, count)) for count in classes] for way in (FUSED, *ways)}, np.zeros((0, 0)))
    return ask(fitted.network, (samples.rows(part).batch() for part in ordered_batches(rows, EVALUATION_BATCH)), ways)


def seconds_per_picture(trained: Trained, material: Material) -> float:
    """Of the network alone, on ready canvases in batches."""
    rows = np.arange(min(128, len(material.canvases)))
    samples = material.samples(trained.metadata_encoder, trained.fitted.network.spec.branches)
    began = time.perf_counter()
    answers(trained.fitted, samples, rows, {})
    return (time.perf_counter() - began) / len(rows)


def calibrate(schema: Schema, logits: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> tuple[TaskConfidence, ...]:
    """A task's confidence each, from rows that training did not see."""
    return tuple(TaskConfidence.fit(task, *pair) for task, *pair in zip(schema.tasks, logits, truths, strict=True))


def bundle_of(trained: Trained, material: Material, provenance: dict[str, Any]) -> Bundle:
    """The model, ready to be saved."""
    return Bundle(
        trained.fitted.network,
        material.preprocessing,
        trained.metadata_encoder,
        trained.confidence[FUSED],
        trained.novelty,
        provenance,
        trained.confidence.get(QUICK, ()),
        tuple(each.channel for name, each in material.channels.items() if name in trained.fitted.network.branches),
    )


def _ways(branches: Collection[str]) -> dict[str, Collection[str]]:
    """What each kind of input knows alone: pixels (network, texture, shape), metadata, each channel; the sides of the pixels;
    and all that answers quickly together."""
    ways: dict[str, Collection[str]] = {}
    pixels = [name for name in branches if name in OF_THE_PICTURE]
    others = [name for name in branches if name not in OF_THE_PICTURE]
    if pixels and others:
        ways[IMAGE_ONLY] = pixels
    if len(branches) > 1:
        ways |= {alone(name): [name] for name in others}
    if len(pixels) > 1:
        ways |= {alone(name): [name] for name in pixels}
    if quick := quick_branches(branches):
        ways[QUICK] = quick
    return ways


def alone(branch: str) -> str:
    """What a branch's own answer is called: `network only`, `spectrum only`, `picture BSE only`."""
    return f"{'network' if branch == 'image' else branch.replace(':', ' ')} only"
