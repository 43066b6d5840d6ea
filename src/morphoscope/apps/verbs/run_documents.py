"""Everything that a training writes: bundle, figures, report, tables, the recipe that repeats it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.evaluate import figures_line
from morphoscope.apps.verbs.summary import run_summary
from morphoscope.data.split import split_rows
from morphoscope.reporting.metrics_document import metrics_document, write_metrics
from morphoscope.reporting.model_card import model_card
from morphoscope.reporting.predictions_table import PredictionsTable, prediction_columns, prediction_rows
from morphoscope.reporting.report import write_report
from morphoscope.reporting.run_summary import RunSummary
from morphoscope.reporting.workbook import write_workbook
from morphoscope.training.experiment import bundle_of
from morphoscope.training.recipe import Recipe

if TYPE_CHECKING:
    from morphoscope.apps.verbs.train import Training


def write_documents(training: Training, say: Callable[[str], None]) -> None:
    """Writes the results of a training into its folder. Raises OutputError."""
    out = training.request.out
    recipe = resolved_recipe(training)
    run = run_summary(training, recipe)
    names, groups = training.folder.names, [entry.group for entry in training.folder.catalogue.entries]
    (out / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    pd.DataFrame(split_rows(training.folds, names, groups)).to_csv(out / "splits.csv", index=False)
    run.history.to_csv(out / "history.csv", index=False)
    _write_predictions(training, out / "predictions.csv")
    bundle_of(training.final, training.material, _provenance(training, run)).save(out / "model", model_card(run))
    write_metrics(metrics_document(run), out / "metrics.json")
    write_report(run, out)
    for outcome in run.outcomes:
        say(figures_line(outcome))
    say(f"Report: {out / 'report.html'}")


def resolved_recipe(training: Training) -> Recipe:
    """The recipe with everything decided that data or clock decided: training again from it repeats the run."""
    request, fitted = training.request, training.final.fitted
    decided = {"batch_size": fitted.batch_size, "epochs": fitted.epochs, "stopped_after": fitted.stopped_after}
    data = {
        "images": [str(path.resolve()) for path in request.source.images],
        "labels": [str(path.resolve()) for path in request.source.labels],
        "metadata": str(request.source.metadata.resolve()) if request.source.metadata else "",
        "schema_file": str(request.source.schema_file.resolve()) if request.source.schema_file else "",
        "group": request.source.group or "",
        "sample": request.source.sample or "",
        "tasks": list(request.source.tasks or ()),
        "refit": request.refit,
        "ablate": request.ablate,
    }
    return request.recipe.model_copy(update={"fit": request.recipe.fit.model_copy(update=decided), "data": data})


def _write_predictions(training: Training, path: Path) -> None:
    schema, folder = training.material.schema, training.folder
    with PredictionsTable(path, prediction_columns(schema, has_truth=True)) as table:
        for trial in training.trials:
            rows = trial.fold.test
            table.write(
                prediction_rows(
                    [folder.names[i] for i in rows],
                    trial.predictions(schema),
                    [folder.prepared.micrographs[i].pixel_size for i in rows],
                    trial.novelty.novelty(trial.test.features),
                    [truth[rows] for truth in folder.truths],
                )
            )
    write_workbook(path, schema)


def _provenance(training: Training, run: RunSummary) -> dict[str, Any]:
    sizes = run.pixel_size_nm[np.isfinite(run.pixel_size_nm)]
    return {
        "started": run.started.isoformat(timespec="seconds"),
        "seed": run.seed,
        "encoder": run.encoder,
        "n_images": run.data.n_images,
        "pixel_size_range_nm": [float(sizes.min()), float(sizes.max())] if len(sizes) else None,
        "protocol": run.split.protocol,
        "accuracy": {outcome.task.name: outcome.accuracy for outcome in run.outcomes},
        "versions": dict(run.versions),
        "command": run.command,
        "recipe": dict(run.recipe),
        "seconds_training": run.seconds_training,
        "train_counts": {outcome.task.name: outcome.train_truth_counts.tolist() for outcome in run.outcomes},
    }
