"""Curve: how far a number of labels leads, by encoder, with the baselines always beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, silent
from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder, working_side
from morphoscope.apps.verbs.output import claim_folder, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.data.preprocessing import Preprocessing, common_canvas
from morphoscope.errors import MorphoscopeError, did_you_mean
from morphoscope.inference.embedding import Embedder, frozen_features
from morphoscope.models.branches.image import check_canvas
from morphoscope.models.encoders import DEFAULT, RANDOM
from morphoscope.reporting.curve_report import Anchor, CurvePage, write_curve_report
from morphoscope.training.few_labels.curve import (
    Curves,
    LabelledFeatures,
    Plan,
    Protocol,
    curve_rows,
    learning_curves,
    typical,
)
from morphoscope.training.few_labels.heads import HEADS
from morphoscope.training.recipe import Recipe, load_recipe

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
    embedders = {name: Embedder.load(name, backbone, seed) for name in names if name != TEXTURE}
    claim_folder(folder, (TABLE, ONE_SHOT, PAGE), may_replace=overwrite)
    recipe = load_recipe("default", [f"model.image_size={image_size}"] if image_size else [])
    read = read_folder(FolderRequest.of(images, labels, metadata, None, group, sample, tasks), recipe, say)
    features = {TEXTURE: read.prepared.textures.astype(np.float64)}
    for name, embedder in embedders.items():
        say(f"Looking with {name}.")
        canvases = read.canvases(_preprocessing(embedder, read, recipe, is_asked=image_size is not None))
        features[name] = frozen_features(embedder.branch, canvases).astype(np.float64)
    asked = _asked(read, {name: features[name] for name in names}, say)
    curves = _curves(asked, plan)
    for sentence in _unreached(asked, curves):
        say(sentence)
    table = pd.DataFrame(curve_rows(curves, plan))
    with writing(folder, "Choose another --out."):
        table.to_csv(folder / TABLE, index=False)
        _one_shot_table(curves, read.names).to_csv(folder / ONE_SHOT, index=False)
        anchors = [_anchors(read, data) for data in asked]
        page = CurvePage(curves, plan, read.effective_groups, len(read.names), list(read.unreadable), anchors)
        (folder / PAGE).write_text(write_curve_report(page, folder), encoding="utf-8", errors="backslashreplace")
    for sentence in _summary(table, plan):
        say(sentence)
    say(f"Curves: {folder / PAGE}")
    return table


def _preprocessing(embedder: Embedder, read: Folder, recipe: Recipe, *, is_asked: bool) -> Preprocessing:
    """What an encoder expects, or pictures of the asked size; in the shape that suits the folder, unless a model learned another.

    Raises MorphoscopeError where the encoder can't look at such pictures."""
    if embedder.is_of_model and not is_asked:
        return embedder.preprocessing
    asked = recipe.model.image_size
    side = asked if is_asked and isinstance(asked, int) else embedder.preprocessing.height
    canvas = common_canvas(read.prepared.aspects, side)
    check_canvas(embedder.branch, canvas)
    return Preprocessing(*canvas, working_side(recipe))


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


def _asked(folder: Folder, features: dict[str, np.ndarray], say: Say) -> list[LabelledFeatures]:
    """What is learned from, a task each; multi-label tasks are left out, since a class of theirs is no alternative to another."""
    schema, asked = folder.catalogue.schema, []
    for task in schema.tasks:
        if task.is_multilabel:
            say(f"'{task.name}' is left out: a picture has several of its classes; a curve needs one a picture.")
            continue
        truth = folder.catalogue.truth(task.name)
        numbers = np.where(truth.any(axis=1), truth.argmax(axis=1), -1)
        asked.append(LabelledFeatures(task.name, task.classes, numbers, folder.effective_groups, features))
    if not asked:
        raise MorphoscopeError("curve: no task has one class a picture; expected one. Name such a column with --tasks.")
    return asked


def _curves(asked: Sequence[LabelledFeatures], plan: Plan) -> list[Curves]:
    curves, done = [], 0
    with bar("Learning", sum(plan.repeats * len(data.features) for data in asked)) as progress:

        def tick() -> None:
            nonlocal done
            progress(done := done + 1)

        for data in asked:
            curves.append(learning_curves(data, plan, tick))
    return curves


def _unreached(asked: Sequence[LabelledFeatures], curves: Sequence[Curves]) -> list[str]:
    """A sentence a task where some class has fewer labels to learn from than were asked for."""
    sentences = []
    for data, curve in zip(asked, curves, strict=True):
        fewest = {one.per_class: np.unique(data.labels[one.learned], return_counts=True)[1].min() for one in curve.trials}
        short = [per_class for per_class, count in fewest.items() if count < per_class]
        if short:
            sentences.append(
                f"Note: '{curve.task}': some class has fewer than {min(short)} labels to learn from; where more are asked for, all it "
                f"has are taken. n_train in {TABLE} tells how many were."
            )
    return sentences


def _anchors(folder: Folder, data: LabelledFeatures) -> list[Anchor]:
    """The most typical picture of each class by the shipped encoder: the one to label first, if it is to be one."""
    return [Anchor(name, folder.names[row], folder.thumbnail(row)) for name, row in typical(data, DEFAULT).items()]


def _one_shot_table(curves: Sequence[Curves], names: Sequence[str]) -> pd.DataFrame:
    """A row a draw; anchors: the picture of each class that was learned from."""
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
                "anchors": " | ".join(names[row] for row in one.learned),
            }
            for curve in curves
            for one in curve.one_shot
        ]
    )


def _summary(table: pd.DataFrame, plan: Plan) -> list[str]:
    """A sentence an encoder: the mean over tasks and splits, or what the publication prints, the median accuracy."""
    is_published = plan.protocol == "as-published"
    what = "median accuracy" if is_published else "balanced accuracy"
    scores = table.groupby(["encoder", "per_class"])["accuracy" if is_published else "balanced_accuracy"]
    found = (scores.median() if is_published else scores.mean()).unstack("per_class")
    return [
        f"{encoder}: {what} " + ", ".join(f"{value:.3f} at {n}" for n, value in row.items() if np.isfinite(value))
        for encoder, row in found.iterrows()
    ]
