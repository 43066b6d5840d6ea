"""A finished training as the plain data that the report draws."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morphoscope.data import label_check
from morphoscope.data.catalogue import Entry
from morphoscope.inference.forward import FUSED
from morphoscope.micrograph import Micrograph
from morphoscope.models.encoders import described
from morphoscope.prediction import ClassPrediction
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.run_summary import DataSummary, Decision, LabelCheck, RunSummary, SplitSummary, TaskLabels
from morphoscope.reporting.versions import versions
from morphoscope.schema import Schema
from morphoscope.training.experiment import Trial
from morphoscope.training.optimisation import is_ever_frozen
from morphoscope.training.pretrained_start import pretrains
from morphoscope.training.recipe import AS_PUBLISHED, Recipe

if TYPE_CHECKING:
    from morphoscope.apps.verbs.train import Training

FEW_CALIBRATION_PICTURES = 100
NAMES_OF_ANY_FOLDER = {"images", "image", "img", "pictures", "data", "train", "test", "model"}
FORMATS = {"tif": "TIFF", "tiff": "TIFF", "jpg": "JPEG", "jpeg": "JPEG"}


def run_summary(training: Training, recipe: Recipe) -> RunSummary:
    """Rows are the held-out pictures, fold after fold."""
    request, folder, trials = training.request, training.folder, training.trials
    rows = np.concatenate([trial.fold.test for trial in trials])
    fitted = training.final.fitted
    sizes = [m.pixel_size.mean_nm if m.pixel_size else np.nan for m in folder.prepared.micrographs]
    return RunSummary(
        title=" + ".join(map(telling_name, request.source.images)),
        command=request.command,
        started=training.started,
        recipe=_shown(recipe),
        seed=request.recipe.seed,
        encoder=_encoder_in_words(request.recipe),
        n_parameters=sum(p.numel() for p in fitted.network.parameters()),
        seconds_training=training.seconds,
        seconds_inference_per_image=training.seconds_per_picture,
        peak_memory_mb=training.peak_memory_mb,
        versions=versions(),
        data=dataclasses.replace(
            data_summary(folder.prepared.micrographs, folder.unreadable),
            channels={name: int(channel.present.sum()) for name, channel in training.material.channels.items()},
        ),
        label_check=label_summary(folder.check),
        split=_split_summary(training),
        history=pd.concat([trial.fitted.history.assign(fold=i) for i, trial in enumerate(trials)], ignore_index=True)
        if len(trials) > 1
        else trials[0].fitted.history,
        outcomes=_outcomes(training, trials, rows, FUSED),
        names=[folder.names[i] for i in rows],
        thumbnails=lambda row: folder.thumbnail(int(rows[row])),
        pixel_size_nm=np.array(sizes, float)[rows],
        group_names=_rows_of(group_names(folder.catalogue.entries), rows),
        folds=np.concatenate([np.full(len(trial.fold.test), i) for i, trial in enumerate(trials)]).tolist()
        if len(trials) > 1
        else None,
        branch_outcomes=_branch_outcomes(training, rows),
        warnings=[*folder.check.warnings(), *_warnings(training), *_unreadable_channels(folder.lost_channels)],
    )


def _encoder_in_words(recipe: Recipe) -> str:
    pretraining = f", then {recipe.pretraining} on the training pictures" if pretrains(recipe) else ""
    return f"{recipe.model.backbone} from {described(recipe.encoder)}{pretraining}"


def _shown(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values for people to read: every setting, and what was given of the options."""
    given = recipe.data.model_dump(mode="json", exclude={"fits"}, exclude_defaults=True)
    tables = recipe.model_dump(mode="json", exclude={"data"}) | {"data": given}
    shown = {name: _joined_lists(value) if isinstance(value, dict) else value for name, value in tables.items()}
    return {name: _joined(value) if isinstance(value, list) else value for name, value in shown.items()}


def _joined_lists(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _joined(value) if isinstance(value, list) else value for name, value in table.items()}


def _joined(values: Sequence[Any]) -> str:
    """Names with commas, sides as `224 x 224`, and tables such as stages one after the other."""
    if values and all(isinstance(value, Mapping) for value in values):
        return "; then ".join(", ".join(f"{key} {inner}" for key, inner in value.items() if inner != "") for value in values)
    return (" x " if values and isinstance(values[0], int) else ", ").join(map(str, values))


def telling_name(folder: Path) -> str:
    """The folder's name, with its parent's where it only says that pictures lie there."""
    path = folder.resolve()
    return f"{path.parent.name}/{path.name}" if path.name.casefold() in NAMES_OF_ANY_FOLDER else path.name


def data_summary(micrographs: Sequence[Micrograph], unreadable: Sequence[str]) -> DataSummary:
    """What the readable pictures are. unreadable: a sentence a file."""
    sizes = [m.pixel_size.mean_nm for m in micrographs if m.pixel_size]
    suffixes = [m.path.suffix.lstrip(".").lower() for m in micrographs]
    return DataSummary(
        n_images=len(micrographs),
        n_with_scale=len(sizes),
        pixel_size_range_nm=(min(sizes), max(sizes)) if sizes else None,
        formats=Counter(FORMATS.get(suffix, suffix.upper()) for suffix in suffixes),
        bit_depths=Counter(
            f"{m.pixels.dtype.itemsize * 8}-bit{' float' if m.pixels.dtype.kind == 'f' else ''}" for m in micrographs
        ),
        makers=Counter(m.acquisition.instrument.value for m in micrographs if m.acquisition.instrument),
        unreadable=unreadable,
    )


def _outcomes(training: Training, trials: Sequence[Trial], rows: np.ndarray, way: str) -> list[TaskOutcome]:
    schema = training.material.schema
    by_trial = [trial.predictions(schema, way) for trial in trials]
    # The training side of the first fold stands for all: stratified folds have the same majority class.
    groups = _rows_of(group_names(training.folder.catalogue.entries), rows)
    return [
        TaskOutcome(
            joined(parts), truth[rows], truth[trials[0].fold.train].sum(0), None if groups is None else np.array(groups), rows
        )
        for parts, truth in zip(zip(*by_trial, strict=True), training.folder.truths, strict=True)
    ]


def joined(parts: Sequence[ClassPrediction]) -> ClassPrediction:
    """One task's answers, batch after batch."""
    return ClassPrediction(
        parts[0].task,
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.in_set for part in parts]),
        np.concatenate([part.is_sure for part in parts]),
    )


def _branch_outcomes(training: Training, rows: np.ndarray) -> dict[str, list[TaskOutcome]]:
    masked = [way for way in training.trials[0].test.logits if way != FUSED]
    found = {way: _outcomes(training, training.trials, rows, way) for way in masked}
    return found | {name: _outcomes(training, trials, rows, FUSED) for name, trials in training.ablations.items()}


def group_names(entries: Sequence[Entry]) -> list[str] | None:
    """The group of each picture, its own name where it has none; None where no picture has one."""
    if not any(entry.group for entry in entries):
        return None
    return [entry.group or entry.name for entry in entries]


def _rows_of(names: list[str] | None, rows: np.ndarray) -> list[str] | None:
    return None if names is None else [names[i] for i in rows]


def _split_summary(training: Training) -> SplitSummary:
    folds, folder, request = training.folds, training.folder, training.request
    parts = {
        "training": [fold.train for fold in folds],
        "validation": [fold.validation for fold in folds],
        "test": [fold.test for fold in folds],
    }
    n_images = {part: round(float(np.mean([len(rows) for rows in every]))) for part, every in parts.items()}
    return SplitSummary(
        protocol=request.recipe.split.protocol,
        n_images=n_images,
        counts={
            part: class_counts(folder.catalogue.schema, [truth[np.concatenate(every)] for truth in folder.truths], len(folds))
            for part, every in parts.items()
        },
        decisions=_decisions(training, n_images),
        group_column=request.source.group if request.recipe.split.keep_together else None,
        n_groups=training.leakage.n_groups,
        n_duplicates_held_together=training.leakage.n_duplicates if request.recipe.split.keep_together else 0,
    )


def class_counts(schema: Schema, truths: Sequence[np.ndarray], n_folds: int = 1) -> Mapping[str, Mapping[str, int]]:
    """Task to class to pictures, of (N, C) bool truths; the mean a fold where rows are those of several."""
    return {
        task.name: {name: round(int(count) / n_folds) for name, count in zip(task.classes, truth.sum(0), strict=True)}
        for task, truth in zip(schema.tasks, truths, strict=True)
    }


def _decisions(training: Training, n_images: Mapping[str, int]) -> list[Decision]:
    validation, test = n_images["validation"], n_images["test"]
    learned = Decision("network weights, standardisation of texture and metadata", "training", n_images["training"])
    if training.request.recipe.split.chosen_on == "test":
        return [learned, Decision("best epoch, early stopping, confidence, and the figures of this report", "test", test)]
    decisions = [
        learned,
        Decision("best epoch and early stopping", "validation", validation),
        *_calibration_decisions(training, validation),
        Decision("nothing but the figures of this report", "test", test),
    ]
    if training.final not in training.trials:
        held_back = [rows for fold in training.folds for rows in (fold.validation, fold.test)]
        decisions += [
            Decision(
                "weights of the final model in the bundle, which no figure here measures",
                "all pictures",
                len(training.folder.names),
            ),
            Decision(
                "confidence of the final model: each picture answered by a model above that did not learn from it",
                "validation and test",
                len(np.unique(np.concatenate(held_back))),
            ),
        ]
    return decisions


def _calibration_decisions(training: Training, validation: int) -> list[Decision]:
    n_calibration = round(float(np.mean([trial.n_calibration for trial in training.trials])))
    confidence = "temperature, conformal sets, threshold of abstention"
    if n_calibration <= validation:
        return [Decision(f"{confidence}, usual novelty", "validation", validation)]
    return [
        Decision(
            f"{confidence}: each picture answered by a network that did not learn from it",
            "validation and training",
            n_calibration,
        ),
        Decision("usual novelty", "validation", validation),
    ]


def _warnings(training: Training) -> list[str]:
    sentences = [*_protocol_warnings(training)]
    sentences += [
        f"Near-duplicates with labels that disagree, probably an error: {one}" for one in training.leakage.label_conflicts
    ]
    fewest = min(confidence.n_calibration for trial in training.trials for confidence in trial.confidence[FUSED])
    if fewest < FEW_CALIBRATION_PICTURES:
        scatter = 100 * np.sqrt(0.09 / max(1, fewest))
        sentences.append(
            f"Confidence was calibrated on {fewest} pictures: the share of sets that hold the truth scatters by {scatter:.0f} "
            "points around 90 %. A longer --time-budget, or --set fit.calibration_fits=4, calibrates on more."
        )
    return sentences


def _protocol_warnings(training: Training) -> Iterator[str]:
    """What makes the figures other than they seem: a publication's defects, and freezing that does not apply."""
    recipe = training.request.recipe
    if recipe.protocol == AS_PUBLISHED:
        listed = " ".join(f"({number}) {defect}" for number, defect in enumerate(recipe.defects, 1))
        yield f"As published, so optimistic: this run repeats the known defects of {recipe.source or recipe.name}. {listed}"
    if training.leakage.n_leaking:
        yield f"Training looked at {training.leakage.n_leaking} of the test pictures, or at near-duplicates or others of their group."
    if any(stage.frozen_below for stage in recipe.fit.stages) and not is_ever_frozen(recipe):
        yield "The recipe freezes layers of pretrained weights; this run starts from random weights, so every layer learned throughout."


def _unreadable_channels(sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    return [f"{len(sentences)} channel files could not be used and count as absent; the first: {sentences[0]}"]


def label_summary(check: label_check.LabelCheck) -> LabelCheck:
    """The label check as the report shows it."""
    return LabelCheck(
        check.source,
        [TaskLabels(one.task, one.matched, one.blank, one.unmatched, one.suggestions) for one in check.tasks],
        check.images_without_row,
        check.rows_without_image,
    )


def picture_digest(content_hash: str) -> str:
    """Enough of a content's SHA-256 to tell the pictures of a laboratory apart."""
    return content_hash[:16]
