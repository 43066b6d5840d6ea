"""The page of `curve`: a plot a task, the figures below it, and what one label a class is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.reporting.curve_plot import CurveLine, curve_plot
from morphoscope.reporting.gallery import thumbnail_address
from morphoscope.reporting.page import render_page
from morphoscope.reporting.versions import versions
from morphoscope.scores.intervals import Interval
from morphoscope.training.few_labels.curve import CHOICES, Curves, Plan, Trial, band


@dataclass(frozen=True, eq=False)
class Anchor:
    """The most typical picture of a class. picture: (Y, X) uint8."""

    class_name: str
    file: str
    picture: np.ndarray


@dataclass(frozen=True, eq=False)
class CurvePage:
    """All that the page tells. groups: (N,) of all pictures, as the trials' test rows count them. anchors: of each of the curves."""

    curves: Sequence[Curves]
    plan: Plan
    groups: np.ndarray
    n_pictures: int
    unreadable: list[str]
    anchors: Sequence[Sequence[Anchor]]


def write_curve_report(page: CurvePage, folder: Path) -> str:
    """The page as text; the plots are written beside it as SVG files too."""
    tasks = []
    for number, (curves, anchors) in enumerate(zip(page.curves, page.anchors, strict=True), 1):
        encoders = list(dict.fromkeys(one.encoder for one in curves.trials))
        lines = [_line(encoder, [one for one in curves.trials if one.encoder == encoder], page) for encoder in encoders]
        plot = curve_plot(lines, f"{curves.task}: balanced accuracy against labels a class", 1 / len(curves.classes))
        (folder / f"curve-{number}.svg").write_text(
            curve_plot(lines, curves.task, 1 / len(curves.classes), alone=True), encoding="utf-8"
        )
        tasks.append(
            {
                "name": curves.task,
                "classes": curves.classes,
                "plot": plot,
                "rows": [_row(line) for line in lines],
                "per_class": [str(n) for n in lines[0].per_class],
                "anchors": [
                    {"class_name": one.class_name, "file": one.file, "picture": thumbnail_address(one.picture)} for one in anchors
                ],
                "one_shot": [_one_shot_row(encoder, curves.one_shot) for encoder in encoders],
            }
        )
    return render_page(
        "curve.html.j2",
        tasks=tasks,
        plan=page.plan,
        is_optimistic=page.plan.protocol == "as-published",
        n_pictures=page.n_pictures,
        n_groups=len(np.unique(page.groups)),
        unreadable=page.unreadable,
        versions=versions(),
    )


def _line(encoder: str, trials: Sequence[Trial], page: CurvePage) -> CurveLine:
    groups = np.arange(page.n_pictures) if page.plan.protocol == "as-published" else page.groups
    at = {n: [one for one in trials if one.per_class == n] for n in sorted({one.per_class for one in trials})}
    bands: list[Interval | None] = [band(some, groups) for some in at.values()]
    means = np.array([np.mean([one.balanced_accuracy for one in some]) for some in at.values()])
    return CurveLine(encoder, list(at), means, bands, [int(np.median([one.n_train for one in some])) for some in at.values()])


def _row(line: CurveLine) -> dict[str, Any]:
    return {"encoder": line.name, "cells": list(zip(line.means.tolist(), line.bands, line.n_train, strict=True))}


def _one_shot_row(encoder: str, trials: Sequence[Trial]) -> dict[str, Any]:
    """Balanced accuracy by how the anchors were chosen, means over splits: of all draws, of a split's worst and of its best."""
    row: dict[str, Any] = {"encoder": encoder}
    for choice in CHOICES:
        mine = [one for one in trials if (one.encoder, one.choice) == (encoder, choice)]
        splits = [
            [one.balanced_accuracy for one in mine if one.repeat == repeat] for repeat in sorted({one.repeat for one in mine})
        ]
        row[choice] = tuple(float(np.mean([of(draws) for draws in splits])) for of in (np.mean, np.min, np.max))
    return row
