"""Curve: how far a number of labels leads, by encoder, with the baselines always beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, silent
from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder
from morphoscope.apps.verbs.output import claim_folder, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.errors import MorphoscopeError, did_you_mean
from morphoscope.inference.embedding import frozen_features
from morphoscope.models.encoders import DEFAULT, RANDOM, encoder_branch
from morphoscope.reporting.curve_report import CurvePage, write_curve_report
from morphoscope.training.few_labels.curve import Curves, LabelledFeatures, Plan, Protocol, curve_rows, learning_curves
from morphoscope.training.few_labels.heads import HEADS
from morphoscope.training.recipe import load_recipe

TEXTURE = "texture"
BASELINES = (DEFAULT, TEXTURE, RANDOM)
TABLE, ONE_SHOT, PAGE = "curve.csv", "one_shot.csv", "curve.html"
PROTOCOLS = ("grouped", "as-published")
AS_PUBLISHED_PER_CLASS, AS_PUBLISHED_REPEATS = (1, 2, 4, 8, 16, 32, 80), 20
USUAL_PER_CLASS, USUAL_REPEATS = (1, 2, 4, 8, 16), 10


def curve(
    images: Paths,
    out: PathLike,
    *,
    labels: Paths = (),
    encoders: Sequence[str] = (),
    per_class: Sequence[int] = (),
    repeats: int | None = None,
    head: str = "logistic",
    protocol: Protocol = "grouped",
    group: str | None = None,
    sample: str | None = None,
    tasks: Sequence[str] = (),
    metadata: PathLike | None = None,
    backbone: str = "",
    image_size: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    say: Say = silent,
) -> pd.DataFrame:
    """Accuracy against labels a class on frozen features, into curve.csv, one_shot.csv and curve.html under `out`.

        morphoscope.curve("images", "curve", labels="labels.csv", encoders=["my_encoder"], group="Sample")

    encoders: `default`, `random`, `texture`, or folders; the three names are always there. backbone: of random weights.
    The options are those of `morphoscope curve`. Returns the rows of curve.csv. Raises MorphoscopeError whose text is meant
    to be shown.
    """
    folder = Path(out)
    plan = _plan(per_class, repeats, head, protocol, seed)
    names = dict.fromkeys([*(name for name in encoders if name not in BASELINES), *BASELINES])
    branches = {name: encoder_branch(name, backbone, seed) for name in names if name != TEXTURE}
    claim_folder(folder, (TABLE, ONE_SHOT, PAGE), may_replace=overwrite)
    request = FolderRequest.of(images, labels, metadata, None, group, sample, tasks)
    settings = ['model.branches=["image", "texture"]', *([f"model.image_size={image_size}"] if image_size else [])]
    recipe = load_recipe("default", settings)
    read = read_folder(request, recipe, say)
    material = read.material(recipe, say)
    features = {TEXTURE: read.prepared.textures.astype(np.float64)}
    with bar("Looking", len(branches)) as progress:
        for done, (name, branch) in enumerate(branches.items(), 1):
            features[name] = frozen_features(branch, material.canvases).astype(np.float64)
            progress(done)
    curves = _curves(read, {name: features[name] for name in names}, plan, say)
    table = pd.DataFrame(curve_rows(curves, plan))
    with writing(folder, "Choose another --out."):
        table.to_csv(folder / TABLE, index=False)
        _one_shot_table(curves).to_csv(folder / ONE_SHOT, index=False)
        page = CurvePage(curves, plan, read.effective_groups, len(read.names), list(read.unreadable))
        (folder / PAGE).write_text(write_curve_report(page, folder), encoding="utf-8", errors="backslashreplace")
    for sentence in _summary(table):
        say(sentence)
    say(f"Curves: {folder / PAGE}")
    return table


def _plan(per_class: Sequence[int], repeats: int | None, head: str, protocol: str, seed: int) -> Plan:
    HEADS.load(head)
    if protocol not in PROTOCOLS:
        raise MorphoscopeError(
            f"--protocol is '{protocol}'; expected {' or '.join(PROTOCOLS)}.{did_you_mean(protocol, PROTOCOLS)}"
        )
    is_published = protocol == "as-published"
    counts = tuple(sorted(set(per_class))) or (AS_PUBLISHED_PER_CLASS if is_published else USUAL_PER_CLASS)
    if min(counts) < 1:
        raise MorphoscopeError(f"--per-class holds {min(counts)}; expected numbers from 1 on, such as 1,2,4,8,16. Correct it.")
    splits = repeats or (AS_PUBLISHED_REPEATS if is_published else USUAL_REPEATS)
    return Plan(counts, splits, head, protocol, seed)  # type: ignore[arg-type]


def _curves(folder: Folder, features: dict[str, np.ndarray], plan: Plan, say: Say) -> list[Curves]:
    """A task at a time; multi-label tasks are left out, since a class of theirs is no alternative to another."""
    schema = folder.catalogue.schema
    usable = [task for task in schema.tasks if not task.is_multilabel]
    for task in schema.tasks:
        if task.is_multilabel:
            say(f"'{task.name}' is left out: a picture has several of its classes; a curve needs one a picture.")
    if not usable:
        raise MorphoscopeError("curve: no task has one class a picture; expected one. Name such a column with --tasks.")
    curves, done = [], 0
    with bar("Learning", len(usable) * plan.repeats * len(features)) as progress:

        def tick() -> None:
            nonlocal done
            progress(done := done + 1)

        for task in usable:
            truth = folder.catalogue.truth(task.name)
            numbers = np.where(truth.any(axis=1), truth.argmax(axis=1), -1)
            data = LabelledFeatures(task.name, task.classes, numbers, folder.effective_groups, features)
            curves.append(learning_curves(data, plan, tick))
    return curves


def _one_shot_table(curves: Sequence[Curves]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "task": curve.task,
                "encoder": one.encoder,
                "choice": one.choice,
                "repeat": one.repeat,
                "n_test": len(one.test),
                "accuracy": one.accuracy,
                "balanced_accuracy": one.balanced_accuracy,
            }
            for curve in curves
            for one in curve.one_shot
        ]
    )


def _summary(table: pd.DataFrame) -> list[str]:
    """A sentence an encoder: mean over tasks and splits."""
    means = table.groupby(["encoder", "per_class"])["balanced_accuracy"].mean().unstack("per_class")
    return [
        f"{encoder}: balanced accuracy " + ", ".join(f"{value:.3f} at {n}" for n, value in row.items() if np.isfinite(value))
        for encoder, row in means.iterrows()
    ]
