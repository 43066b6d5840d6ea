"""Evaluate: a model on labelled pictures that it has not seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_path, as_paths, command_line, silent
from morphoscope.apps.verbs.output import claim_folder, peak_memory_mb, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.summary import (
    class_counts,
    data_summary,
    group_names,
    joined,
    label_summary,
    picture_digest,
    telling_name,
)
from morphoscope.calibration.resolve import Scale
from morphoscope.data.cache import content_hash
from morphoscope.data.catalogue import Catalogue, load_catalogue
from morphoscope.data.channel_columns import ChannelColumns, asked_channels
from morphoscope.data.label_check import LabelCheck
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.micrograph import Micrograph, PixelSize
from morphoscope.models.branches import channel_kinds
from morphoscope.models.bundle import Bundle
from morphoscope.prediction import ClassPrediction
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
class _Request:
    """The options of `morphoscope evaluate`."""

    model: Path
    images: tuple[Path, ...]
    labels: tuple[Path, ...]
    group: str | None
    metadata: Path | None
    scale: Scale
    channels: tuple[str, ...]
    command: str


@dataclass(frozen=True, eq=False)
class _Answered:
    """The N readable pictures with the model's answers. micrographs: without their pixels. predictions: one a task.
    unreadable: a sentence a file. absent: a sentence a channel file that can't be used. seconds: of reading and answering."""

    catalogue: Catalogue
    micrographs: list[Micrograph]
    predictions: list[ClassPrediction]
    novelty: np.ndarray
    unreadable: list[str]
    absent: list[str]
    seconds: float

    @property
    def truths(self) -> list[np.ndarray]:
        """(N, C) bool a task."""
        return [self.catalogue.truth(task.name) for task in self.catalogue.schema.tasks]


def evaluate(
    model: PathLike,
    images: Paths,
    *,
    labels: Paths = (),
    group: str | None = None,
    metadata: PathLike | None = None,
    channels: Sequence[str] = (),
    lost_files: Literal["absent", "error"] = "absent",
    scale: Scale = "auto",
    out: PathLike,
    overwrite: bool = False,
    say: Say = silent,
    command: str | None = None,
) -> RunSummary:
    """Scores a model on labelled pictures that it has not seen; writes predictions.csv, metrics.json and report.html into `out`.

        morphoscope.evaluate("run", "test_images", labels="test.csv", group="Sample", out="evaluation")

    The options are those of `morphoscope evaluate`. Labels outside the model's classes count as not labelled. Returns the figures
    as `train` does, a TaskOutcome a task in `outcomes`. Raises MorphoscopeError, whose text is meant to be shown, where labels,
    pictures or model don't fit together.
    """
    started = datetime.now().astimezone()
    target = Path(out)
    options = _options(labels, group, metadata, scale, channels)
    usual = command_line("evaluate", model, *as_paths(images), *options, "--out", target)
    request = _Request(
        Path(model), as_paths(images), as_paths(labels), group, as_path(metadata), scale, tuple(channels), command or usual
    )
    claim_folder(target, OWN_RESULTS, overwrite)
    bundle = Bundle.load(request.model)
    catalogue, check = load_catalogue(
        request.images,
        labels=request.labels,
        metadata=request.metadata,
        schema=bundle.schema,
        group=group,
        unmatched="blank",
        channels=ChannelColumns(
            channel_kinds(),
            asked_channels(channels, channel_kinds()),
            {channel.name: channel.column for channel in bundle.channels},
        ),
        lost_files=lost_files,
    )
    say(check.to_text())
    found = _answered(bundle, catalogue, scale, say)
    run = _summary(request, bundle, found, check, started)
    for sentence in run.warnings[: -len(check.warnings()) or None]:
        say(f"Warning: {sentence}")
    with writing(target, "Make room, or choose another --out."):
        _write(run, found, target)
    for outcome in run.outcomes:
        say(figures_line(outcome))
    say(f"Report: {target / 'report.html'}")
    return run


def _options(labels: Paths, group: str | None, metadata: PathLike | None, scale: Scale, channels: Sequence[str]) -> list[object]:
    """As on the command line."""
    words: list[object] = [word for sheet in as_paths(labels) for word in ("--labels", sheet)]
    words += [word for channel in channels for word in ("--channel", channel)]
    given = {"--group": group, "--metadata": metadata, "--scale": None if scale == "auto" else scale}
    return words + [word for option, value in given.items() if value for word in (option, value)]


def _write(run: RunSummary, found: _Answered, out: Path) -> None:
    schema, sizes = found.catalogue.schema, [micrograph.pixel_size for micrograph in found.micrographs]
    with PredictionsTable(out / "predictions.csv", prediction_columns(schema, has_truth=True)) as table:
        table.write(prediction_rows(run.names, found.predictions, sizes, found.novelty, found.truths))
    write_workbook(out / "predictions.csv", schema)
    write_report(run, out)
    write_metrics(metrics_document(run), out / "metrics.json")


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


def _answered(bundle: Bundle, catalogue: Catalogue, scale: Scale, say: Say) -> _Answered:
    entries = {entry.path: entry for entry in catalogue.entries}
    began, done = time.perf_counter(), 0
    micrographs: list[Micrograph] = []
    batches: list[Predicted] = []
    failed: dict[Path, str] = {}
    absent: list[str] = []
    with bar("Predicting", len(entries)) as progress:
        for batch in Predictor(bundle, scale=scale).predict(
            list(entries),
            {path: entry.metadata for path, entry in entries.items()},
            {path: entry.files for path, entry in entries.items()},
        ):
            micrographs += [one.micrograph for one in batch.seen]
            failed |= batch.failed
            absent.extend(f"{one.micrograph.path.name}: {note}" for one in batch.seen for note in one.notes)
            batches.append(replace(batch, seen=[]))  # working copies of a large folder don't fit in memory
            progress(done := done + len(batch.paths))
    for sentence in failed.values():
        say(f"Left out: {sentence}")
    for sentence in absent:
        say(f"Absent: {sentence}")
    if not micrographs:
        raise MorphoscopeError(
            f"None of {len(entries)} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
            f"The first one: {next(iter(failed.values()))}"
        )
    readable = Catalogue(tuple(entries[micrograph.path] for micrograph in micrographs), catalogue.schema)
    predictions = [joined(parts) for parts in zip(*[batch.predictions for batch in batches], strict=True)]
    novelty = np.concatenate([batch.novelty for batch in batches])
    return _Answered(readable, micrographs, predictions, novelty, list(failed.values()), absent, time.perf_counter() - began)


def _summary(request: _Request, bundle: Bundle, found: _Answered, check: LabelCheck, started: datetime) -> RunSummary:
    catalogue, provenance, truths = found.catalogue, bundle.provenance, found.truths
    groups = group_names(catalogue.entries)
    sizes = [micrograph.pixel_size for micrograph in found.micrographs]
    counts = [np.array(provenance["train_counts"][task.name]) for task in bundle.schema.tasks]
    clusters = None if groups is None else np.array(groups)
    return RunSummary(
        title=f"{telling_name(request.model)} on " + " + ".join(map(telling_name, request.images)),
        command=request.command,
        started=started,
        recipe=provenance["recipe"],
        seed=provenance["seed"],
        encoder=provenance["encoder"],
        n_parameters=sum(p.numel() for p in bundle.network.parameters()),
        seconds_training=provenance["seconds_training"],
        seconds_inference_per_image=found.seconds / len(found.micrographs),
        peak_memory_mb=peak_memory_mb(),
        versions=versions(),
        data=data_summary(found.micrographs, found.unreadable),
        label_check=label_summary(check),
        split=SplitSummary(
            protocol="evaluation of a finished model",
            n_images={TEST_PART: len(found.micrographs)},
            counts={TEST_PART: class_counts(bundle.schema, truths)},
            decisions=[Decision("nothing but the figures of this report", TEST_PART, len(found.micrographs))],
            group_column=request.group,
            n_groups=None if groups is None else len(set(groups)),
        ),
        history=pd.DataFrame(),
        outcomes=[TaskOutcome(*each, clusters) for each in zip(found.predictions, truths, counts, strict=True)],
        names=[entry.name for entry in catalogue.entries],
        thumbnails=lambda row: bundle.preprocessing.working_copy(read_calibrated(found.micrographs[row].path, scale="header")),
        pixel_size_nm=np.array([size.mean_nm if size else np.nan for size in sizes]),
        group_names=groups,
        warnings=[
            *_seen_before(bundle, found.micrographs),
            *scale_warnings(bundle, sizes),
            *_channel_warnings(bundle, found, check),
            *check.warnings(),
        ],
    )


def _seen_before(bundle: Bundle, micrographs: Sequence[Micrograph]) -> list[str]:
    """A sentence where pictures are the very ones that the model was made with."""
    known = set(bundle.provenance.get("pictures", ()))
    n_known = sum(picture_digest(content_hash(micrograph.path)) in known for micrograph in micrographs)
    if not n_known:
        return []
    return [
        f"{n_known} of {len(micrographs)} pictures were used to train or choose this model: the figures here say little about new "
        "ones. Evaluate on pictures that it has not seen."
    ]


def _channel_warnings(bundle: Bundle, found: _Answered, check: LabelCheck) -> list[str]:
    """A sentence where the model was not given all that it can read."""
    unnamed = [channel.name for channel in bundle.channels if channel.name not in check.channels]
    sentences = [
        f"The model also takes the channel {name}, and no sheet names its files: every picture counted as one without it."
        for name in unnamed
    ]
    if found.absent:
        sentences.append(f"{len(found.absent)} channel files could not be used and count as absent; the first: {found.absent[0]}")
    return sentences


def scale_warnings(bundle: Bundle, sizes: Sequence[PixelSize | None]) -> list[str]:
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
