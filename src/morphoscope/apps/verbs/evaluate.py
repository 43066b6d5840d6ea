"""Evaluate: a model on labelled pictures that it has not seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.output import claim_folder, peak_memory_mb
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.summary import class_counts, data_summary, group_names, joined, label_summary
from morphoscope.data.catalogue import Catalogue, Entry, load_catalogue
from morphoscope.data.label_check import LabelCheck
from morphoscope.errors import MorphoscopeError
from morphoscope.inference.predictor import Predicted, Predictor, Seen
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.metrics_document import metrics_document, write_metrics
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.predictions_table import PredictionsTable, prediction_columns, prediction_rows
from morphoscope.reporting.report import write_report
from morphoscope.reporting.run_summary import Decision, RunSummary, SplitSummary
from morphoscope.reporting.versions import versions
from morphoscope.reporting.workbook import write_workbook

OWN_RESULTS = ("metrics.json", "predictions.csv", "report.html")
TEST_PART = "test"


@dataclass(frozen=True)
class EvaluateRequest:
    """The options of `morphoscope evaluate`."""

    model: Path
    images: tuple[Path, ...]
    out: Path
    labels: tuple[Path, ...] = ()
    group: str | None = None
    metadata: Path | None = None
    overwrite: bool = False
    command: str = "morphoscope evaluate"


@dataclass(frozen=True, eq=False)
class _Evaluated:
    """The readable pictures, N of them, with the model's answers."""

    catalogue: Catalogue
    seen: list[Seen]
    batches: list[Predicted]
    unreadable: list[str]
    seconds: float


def evaluate(request: EvaluateRequest, say: Callable[[str], None] = lambda line: None) -> RunSummary:
    """Writes predictions.csv, metrics.json and report.html into `request.out`. Raises MorphoscopeError."""
    started = datetime.now().astimezone()
    claim_folder(request.out, OWN_RESULTS, request.overwrite)
    bundle = Bundle.load(request.model)
    catalogue, check = load_catalogue(
        request.images,
        labels=request.labels,
        metadata=request.metadata,
        schema=bundle.schema,
        group=request.group,
        unmatched="blank",
    )
    say(check.to_text())
    found = _answered(bundle, catalogue, say)
    run = _summary(request, bundle, found, check, started)
    table = request.out / "predictions.csv"
    with PredictionsTable(table, prediction_columns(bundle.schema, has_truth=True)) as rows:
        at = 0
        for batch in found.batches:
            truths = [outcome.truth[at : at + len(batch.seen)] for outcome in run.outcomes]
            sizes = [one.micrograph.pixel_size for one in batch.seen]
            names = run.names[at : at + len(batch.seen)]
            rows.write(prediction_rows(names, batch.predictions, sizes, batch.novelty, truths))
            at += len(batch.seen)
    write_workbook(table, bundle.schema)
    write_metrics(metrics_document(run), request.out / "metrics.json")
    write_report(run, request.out)
    for outcome in run.outcomes:
        say(figures_line(outcome))
    say(f"Report: {request.out / 'report.html'}")
    return run


def figures_line(outcome: TaskOutcome) -> str:
    """One task's figures for the terminal."""
    figures = outcome.metrics()
    if figures["accuracy"] is None:
        return f"{outcome.task.name}: no labelled picture to test on"
    low, high = figures["accuracy_ci95"]
    majority = "" if figures["majority_accuracy"] is None else f", majority class {figures['majority_accuracy']:.3f}"
    return (
        f"{outcome.task.name}: accuracy {figures['accuracy']:.3f} [{low:.3f}, {high:.3f}], "
        f"balanced {figures['balanced_accuracy']:.3f}{majority}, n = {figures['n']}"
    )


def _answered(bundle: Bundle, catalogue: Catalogue, say: Callable[[str], None]) -> _Evaluated:
    entries = {entry.path: entry for entry in catalogue.entries}
    began = time.perf_counter()
    batches = []
    with bar("Predicting", len(entries)) as progress:
        for batch in Predictor(bundle).predict(list(entries), {path: entry.metadata for path, entry in entries.items()}):
            batches.append(batch)
            progress(sum(len(one.paths) for one in batches))
    failed = {path: sentence for batch in batches for path, sentence in batch.failed.items()}
    for sentence in failed.values():
        say(f"Left out: {sentence}")
    seen = [one for batch in batches for one in batch.seen]
    if not seen:
        raise MorphoscopeError(
            f"None of {len(entries)} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
            f"The first one: {next(iter(failed.values()))}"
        )
    readable: list[Entry] = [entries[one.micrograph.path] for one in seen]
    kept = Catalogue(tuple(readable), catalogue.schema)
    return _Evaluated(kept, seen, batches, list(failed.values()), time.perf_counter() - began)


def _summary(request: EvaluateRequest, bundle: Bundle, found: _Evaluated, check: LabelCheck, started: datetime) -> RunSummary:
    catalogue = found.catalogue
    truths = [catalogue.truth(task.name) for task in bundle.schema.tasks]
    groups = group_names(catalogue.entries)
    predictions = [joined(parts) for parts in zip(*[batch.predictions for batch in found.batches if batch.seen], strict=True)]
    counts = bundle.provenance["train_counts"]
    sizes = [one.micrograph.pixel_size for one in found.seen]
    outcomes = [
        TaskOutcome(prediction, truth, np.array(counts[prediction.task.name]), None if groups is None else np.array(groups))
        for prediction, truth in zip(predictions, truths, strict=True)
    ]
    return RunSummary(
        title=f"{request.model.resolve().name} on " + " + ".join(path.resolve().name for path in request.images),
        command=request.command,
        started=started,
        recipe=bundle.provenance["recipe"],
        seed=bundle.provenance["seed"],
        encoder=bundle.provenance["encoder"],
        n_parameters=sum(p.numel() for p in bundle.network.parameters()),
        seconds_training=bundle.provenance["seconds_training"],
        seconds_inference_per_image=found.seconds / len(found.seen),
        peak_memory_mb=peak_memory_mb(),
        versions=versions(),
        data=data_summary([one.micrograph for one in found.seen], found.unreadable),
        label_check=label_summary(check),
        split=SplitSummary(
            protocol="evaluation of a finished model",
            n_images={TEST_PART: len(found.seen)},
            counts={TEST_PART: class_counts(bundle.schema, truths)},
            decisions=[Decision("nothing but the figures of this report", TEST_PART, len(found.seen))],
            group_column=request.group,
            n_groups=None if groups is None else len(set(groups)),
        ),
        history=pd.DataFrame(),
        outcomes=outcomes,
        names=[entry.name for entry in catalogue.entries],
        thumbnails=lambda row: found.seen[row].working,
        pixel_size_nm=np.array([size.mean_nm if size else np.nan for size in sizes]),
        group_names=groups,
        warnings=[*check.warnings(), *scale_warnings(bundle, sizes)],
    )


def scale_warnings(bundle: Bundle, sizes: list) -> list[str]:
    """A sentence where pictures are coarser or finer than anything that the model was trained on."""
    known = bundle.provenance.get("pixel_size_range_nm")
    if not known:
        return []
    outside = sum(size is not None and not known[0] / 1.5 <= size.mean_nm <= known[1] * 1.5 for size in sizes)
    if not outside:
        return []
    return [
        f"{outside} pictures have a pixel size outside the {known[0]:.3g} to {known[1]:.3g} nm of the training pictures: "
        "what they show may look different at that scale."
    ]
