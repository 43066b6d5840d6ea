"""Suggest: which unlabelled pictures an expert's next hour should go to."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from morphoscope.apps.verbs.already_labelled import AlreadyLabelled, LabelOptions, already_labelled
from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.further_inputs import FurtherInputs, SheetOptions, further_inputs
from morphoscope.apps.verbs.output import claim_file, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.unlabelled import picture_places
from morphoscope.errors import MorphoscopeError, did_you_mean
from morphoscope.inference.embedding import Embedder, is_encoder
from morphoscope.inference.predictor import Predictor
from morphoscope.io.find import find_micrographs
from morphoscope.models.bundle import Bundle
from morphoscope.prediction import ClassPrediction
from morphoscope.training.few_labels.heads import standardiser
from morphoscope.training.few_labels.selection import STRATEGIES, choose, uncertainty


@dataclass
class _Pool:
    """What is known of the readable pictures, row by row."""

    paths: list[Path] = field(default_factory=list)
    features: list[np.ndarray] = field(default_factory=list)
    predictions: list[list[ClassPrediction]] = field(default_factory=list)
    failed: dict[Path, str] = field(default_factory=dict)


def suggest(
    model: PathLike,
    images: Paths,
    out: PathLike = "queue.csv",
    *,
    count: int = 20,
    strategy: str = "mix",
    labels: Paths = (),
    group: str | None = None,
    sample: str | None = None,
    tasks: Sequence[str] = (),
    metadata: PathLike | None = None,
    channels: Sequence[str] = (),
    lost_files: Literal["absent", "error"] = "absent",
    seed: int = 0,
    overwrite: bool = False,
    say: Say = silent,
) -> Path:
    """Writes the pictures to label next, the most urgent first: rank, path, filename, uncertainty and the model's guesses.

        morphoscope.suggest("run", "unlabelled", "queue.csv", count=20)

    model: a trained one, or an encoder (`default`, `random`, a folder that `pretrain` wrote) before there is any, which then looks
    for typical pictures. labels: sheets whose pictures with a label for any task are left out. tasks: columns that count as such;
    the model's, or what `train` would take beside group and sample, if left out. metadata, channels, lost_files: the model's
    further inputs, as `predict` takes them. Raises MorphoscopeError, whose text is meant to be shown.
    """
    table, named = Path(out), as_paths(images)
    options = SheetOptions(metadata, channels, lost_files)
    label_options = LabelOptions(as_paths(labels), group, sample, tasks, metadata)
    encoder = str(model) if is_encoder(str(model)) else ""
    _check(strategy, encoder, options)
    label_options.check()
    claim_file(table, overwrite)
    places = picture_places(named, say)
    files = find_micrographs(places)
    bundle = None if encoder else Bundle.load(Path(model))
    known = (
        already_labelled(named, label_options, bundle.schema if bundle else None) if label_options.sheets else AlreadyLabelled()
    )
    given = further_inputs(bundle, files, [*places, *named], options, "suggest", say) if bundle else FurtherInputs({}, {})
    pool = _seen(files, str(model), bundle, given)
    labelled = _which_labelled(pool, known, say)
    features = np.concatenate(pool.features).astype(np.float64)
    merged = _merged(pool.predictions)
    unsure = uncertainty(merged) if merged else None
    rows = choose(strategy, standardiser(features)(features), unsure, labelled, count, seed, _learned_from(bundle))
    with writing(table, "Choose another --out."):
        _write(table, pool.paths, rows, unsure, merged)
    said = f", {int(labelled.sum())} labelled ones left out{_of(known)}" if label_options.sheets else ""
    say(f"{len(rows)} of {len(pool.paths)} pictures to label next{said}: {table}")
    return table


def _check(strategy: str, encoder: str, options: SheetOptions) -> None:
    """Raises MorphoscopeError for a strategy that there isn't, and for what an encoder, where the model is one, can't do."""
    if strategy not in STRATEGIES:
        raise MorphoscopeError(
            f"--strategy is '{strategy}'; expected one of {', '.join(STRATEGIES)}.{did_you_mean(strategy, STRATEGIES)}"
        )
    if encoder and strategy == "uncertainty":
        raise MorphoscopeError(
            f"--strategy uncertainty: {encoder} is an encoder and answers nothing; expected a trained model. Train one first, or "
            "choose --strategy typical."
        )
    if encoder and (options.metadata or options.channels):
        named = "--metadata" if options.metadata else "--channel"
        raise MorphoscopeError(
            f"{named}: {encoder} is an encoder and looks at pictures alone; expected a trained model. Train one first, or leave "
            f"{named} out."
        )


def _which_labelled(pool: _Pool, known: AlreadyLabelled, say: Say) -> np.ndarray:
    """(N,) whether a readable picture has a label. Raises MorphoscopeError where none is left to choose from."""
    for sentence in list(pool.failed.values())[:20]:
        say(f"Left out: {sentence}")
    if not pool.paths:
        raise MorphoscopeError(
            f"None of {len(pool.failed)} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
            f"The first one: {next(iter(pool.failed.values()))}"
        )
    labelled = np.array([path in known.pictures for path in pool.paths])
    if labelled.all():
        raise MorphoscopeError(
            f"suggest: all {len(labelled)} pictures have a label{_of(known)}; expected some without. Add pictures, or name the columns "
            "that are to be labelled with --tasks."
        )
    return labelled


def _of(known: AlreadyLabelled) -> str:
    return f" ({', '.join(known.tasks)})" if known.tasks else ""


def _learned_from(bundle: Bundle | None) -> int | None:
    """Pictures that the model knows the label of."""
    counts = bundle.provenance.get("train_counts", {}) if bundle else {}
    return max((int(sum(of_task)) for of_task in counts.values()), default=None)


def _seen(files: Sequence[Path], model: str, bundle: Bundle | None, given: FurtherInputs) -> _Pool:
    pool, done = _Pool(), 0
    with bar("Looking", len(files)) as progress:
        if bundle is None:
            for batch in Embedder.load(model).embed(files):
                pool.paths += [path for path in batch.paths if path not in batch.failed]
                pool.features.append(batch.features)
                pool.failed |= batch.failed
                progress(done := done + len(batch.paths))
            return pool
        for answered in Predictor(bundle).predict(files, given.rows, given.files):
            if answered.seen:
                pool.paths += [one.micrograph.path for one in answered.seen]
                pool.features.append(answered.appearance)
                pool.predictions.append(answered.predictions)
            pool.failed |= answered.failed
            progress(done := done + len(answered.paths))
    return pool


def _merged(parts: Sequence[Sequence[ClassPrediction]]) -> list[ClassPrediction]:
    return [
        ClassPrediction(
            some[0].task,
            np.concatenate([one.probabilities for one in some]),
            np.concatenate([one.in_set for one in some]),
            np.concatenate([one.is_sure for one in some]),
        )
        for some in zip(*parts, strict=True)
    ]


def _write(
    table: Path, paths: Sequence[Path], rows: np.ndarray, unsure: np.ndarray | None, predictions: Sequence[ClassPrediction]
) -> None:
    names = [one.task.name for one in predictions]
    columns = ["rank", "path", "filename", "uncertainty"]
    columns += [f"{name}.{what}" for name in names for what in ("best", "confidence")]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for rank, row in enumerate(rows, 1):
            answers: list[object] = []
            for one in predictions:
                answers += [one.task.classes[one.best[row]], f"{one.confidence[row]:.4f}"]
            unsureness = "" if unsure is None else f"{unsure[row]:.4f}"
            writer.writerow([rank, paths[row], paths[row].name, unsureness, *answers])
