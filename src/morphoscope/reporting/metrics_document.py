"""metrics.json: the figures of a run for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from morphoscope.errors import OutputError
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.run_summary import RunSummary


def metrics_document(run: RunSummary) -> dict[str, Any]:
    """Plain JSON values under the names of the command line's contract; None in place of every figure that can't be given."""
    return {
        "tasks": {outcome.task.name: outcome.metrics() for outcome in run.outcomes},
        "branches": {name: _accuracies(outcomes) for name, outcomes in run.branch_outcomes.items()},
        "split": run.split.to_dict(),
        "encoder": run.encoder,
        "n_parameters": run.n_parameters,
        "seed": run.seed,
        "seconds_training": run.seconds_training,
        "seconds_inference_per_image": run.seconds_inference_per_image,
        "peak_memory_mb": run.peak_memory_mb,
        "versions": dict(run.versions),
        "warnings": list(run.warnings),
    }


def write_metrics(document: dict[str, Any], path: Path) -> None:
    """Write a metrics document. Raises OutputError where the place can't be written."""
    try:
        path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path}: the figures can't be written ({error.strerror}); expected a writable folder. Choose another --out."
        ) from error


def _accuracies(outcomes: Sequence[TaskOutcome]) -> dict[str, Any]:
    keys = ("n", "accuracy", "accuracy_ci95", "balanced_accuracy", "balanced_accuracy_ci95", "macro_f1", "skill")
    figures = {outcome.task.name: outcome.metrics() for outcome in outcomes}
    return {task: {key: metrics[key] for key in keys} for task, metrics in figures.items()}
