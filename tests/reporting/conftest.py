"""Outcomes and runs drawn from a model that is right with a chosen probability."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from morphoscope.prediction import ClassPrediction
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.run_summary import DataSummary, Decision, LabelCheck, RunSummary, SplitSummary, TaskLabels
from morphoscope.schema import Task

MakeOutcome = Callable[..., TaskOutcome]
MakeRun = Callable[..., RunSummary]


def draw_outcome(
    classes: tuple[str, ...] = ("Sphere", "Rod", "Wire"),
    n: int = 60,
    right: float = 0.8,
    name: str = "Morphology",
    n_unlabelled: int = 0,
    is_multilabel: bool = False,
    seed: int = 0,
    **fields: Any,
) -> TaskOutcome:
    """An outcome whose answers are right with probability `right`."""
    rng = np.random.default_rng(seed)
    eye = np.eye(len(classes), dtype=bool)
    truth = eye[np.arange(n) % len(classes)]
    answered = np.where(rng.random(n) < right, np.arange(n), np.arange(n) + 1) % len(classes)
    probabilities = np.where(eye[answered], 0.7, 0.3 / max(1, len(classes) - 1)) + 0.001 * rng.random((n, len(classes)))
    if is_multilabel:
        truth[::3, 0] = True
    else:
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    truth[n - n_unlabelled :] = False
    prediction = ClassPrediction(
        Task(name, classes, is_multilabel), probabilities, probabilities > 0.12, probabilities.max(axis=1) > 0.69
    )
    fields = {"train_truth_counts": np.arange(len(classes), 0, -1) * 10} | fields
    return TaskOutcome(prediction, truth, **fields)


def draw_run(outcomes: list[TaskOutcome] | None = None, **changes: Any) -> RunSummary:
    """A small run over the outcomes, with every part of the report filled."""
    outcomes = [draw_outcome(), draw_outcome(("SEM", "TEM"), name="Modality", right=0.97)] if outcomes is None else outcomes
    n = len(outcomes[0].truth)
    rng = np.random.default_rng(5)
    tasks = [outcome.task for outcome in outcomes]
    parts = {"training": 200, "validation": 30, "calibration": 30, "test": n}
    run = RunSummary(
        title="Particles",
        command="morphoscope train images --labels labels.csv --out run",
        started=datetime(2026, 3, 14, 9, 41),
        recipe={"name": "default", "training": {"optimizer": "AdamW", "learning_rate": 1e-3, "epochs": 40}},
        seed=7,
        encoder="resnet18",
        n_parameters=11_200_000,
        seconds_training=812.0,
        seconds_inference_per_image=0.012,
        peak_memory_mb=900.0,
        versions={"morphoscope": "0.1.0", "python": "3.12.1", "torch": "2.12.0", "timm": "1.0.31"},
        data=DataSummary(290, 200, (0.2, 120.0), {"TIFF": 290}, {"16-bit": 290}, {"FEI": 200}, ["a.tif: cut short."]),
        label_check=LabelCheck(
            "labels.csv",
            [TaskLabels(task.name, 280, 10, {"Spheer": 3}, {"Spheer": "Sphere"}) for task in tasks],
            ["new.tif"],
            ["gone.tif"],
        ),
        split=SplitSummary(
            "80/20",
            parts,
            {part: {task.name: dict.fromkeys(task.classes, 10) for task in tasks} for part in parts},
            [Decision("early stopping", "validation", 30), Decision("only the figures", "test", n)],
            "Specimen",
            100,
            4,
        ),
        history=pd.DataFrame(
            {"epoch": [1, 2, 3], "train_loss": [2.0, 1.5, 1.1], "validation_loss": [2.1, 1.7, 1.6], "learning_rate": 1e-3}
            | {f"validation_accuracy[{task.name}]": [0.4, np.nan, 0.7] for task in tasks}
        ),
        outcomes=outcomes,
        names=[f"image_{row:03d}.tif" for row in range(n)],
        thumbnails=lambda row: rng.integers(0, 255, size=(90, 120), dtype=np.uint8),
        pixel_size_nm=np.where(np.arange(n) % 4, np.geomspace(0.2, 120, n), np.nan),
        group_names=[f"S{row // 4}" for row in range(n)],
    )
    return dataclasses.replace(run, **changes)


@pytest.fixture
def make_outcome() -> MakeOutcome:
    return draw_outcome


@pytest.fixture
def make_run() -> MakeRun:
    return draw_run
