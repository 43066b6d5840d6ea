"""Everything that a training writes: bundle, figures, report, tables, the recipe that repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import Say
from morphoscope.apps.verbs.evaluate import figures_line
from morphoscope.apps.verbs.recorded import with_record
from morphoscope.apps.verbs.summary import picture_digest, run_summary
from morphoscope.data.split import split_rows
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.metrics_document import metrics_document, write_metrics
from morphoscope.reporting.model_card import model_card
from morphoscope.reporting.predictions_table import PredictionsTable, prediction_columns, prediction_rows
from morphoscope.reporting.report import write_report
from morphoscope.reporting.run_summary import RunSummary
from morphoscope.reporting.workbook import write_workbook
from morphoscope.training.experiment import Trial, bundle_of

if TYPE_CHECKING:
    from morphoscope.apps.verbs.train import Training


def write_documents(training: Training, say: Say) -> RunSummary:
    """Writes the results of a training into its folder. Raises OutputError or OSError where there is no room."""
    request, out = training.request, training.request.out
    recipe = with_record(request.recipe, request.source, request.refit, request.ablate, training.fitted)
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
    return run


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
                    trial.novelty.novelty(trial.test.appearance),
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
        "typical_view": _typical_view(training.folder.prepared.micrographs),
        "protocol": run.split.protocol,
        "accuracy": {outcome.task.name: outcome.accuracy for outcome in run.outcomes},
        "versions": dict(run.versions),
        "command": run.command,
        "recipe": dict(run.recipe),
        "seconds_training": run.seconds_training,
        "pictures": _pictures_of_the_model(training),
        "train_counts": {outcome.task.name: outcome.train_truth_counts.tolist() for outcome in run.outcomes},
    }


def _typical_view(micrographs: Sequence[Micrograph]) -> dict[str, float | None]:
    """How much a picture showed: medians of the shorter side of the specimen in px, and of the field's shorter side in nm."""
    fields = [min(field) for field in (one.field_of_view_nm for one in micrographs) if field]
    return {
        "side_px": float(np.median([min(one.specimen().shape) for one in micrographs])),
        "side_nm": float(np.median(fields)) if fields else None,
    }


def _pictures_of_the_model(training: Training) -> list[str]:
    """Digests of the pictures that the bundle's network learned from or was chosen by: evaluating on them would tell nothing."""
    final, hashes = training.final, training.folder.prepared.hashes
    rows = np.concatenate([final.fold.train, final.fold.validation]) if isinstance(final, Trial) else range(len(hashes))
    return sorted(picture_digest(hashes[row]) for row in rows)
