"""The page of `curve --masks`: how well objects are found against masks to learn from, by start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.reporting.curve_plot import CurveLine, curve_plot
from morphoscope.reporting.page import render_page, write_page
from morphoscope.reporting.versions import versions
from morphoscope.scores.intervals import Interval
from morphoscope.training.segmentation.mask_curve import FIGURES, OTSU, Figures, MaskCurvePlan, MaskTrial, mean_and_band

TITLES = {"ap50": "AP50", "iou": "Foreground IoU", "dice": "Dice"}
Point = tuple[str, int, list[Figures]]
"""A start, a number of masks, and a repeat's figures each."""


@dataclass(frozen=True, eq=False)
class MaskCurvePage:
    """All that the page tells. unlearned: by name, with `otsu` and, by their starts' names, segmenters before they learn.
    test_groups: of each held-out picture. n_flattered: held-out pictures that a start has learned from."""

    plan: MaskCurvePlan
    learned: Mapping[MaskTrial, Figures]
    unlearned: Mapping[str, Figures]
    test_groups: np.ndarray
    n_pictures: int
    n_flattered: int = 0

    @property
    def points(self) -> list[Point]:
        """Start by start, each from no mask, where that is something, to the most."""
        found: list[Point] = [(OTSU, 0, [self.unlearned[OTSU]])]
        for start in self.plan.starts:
            if start.name in self.unlearned:
                found.append((str(start), 0, [self.unlearned[start.name]]))
            found += [
                (str(start), masks, [self.learned[MaskTrial(start, masks, repeat)] for repeat in range(self.plan.repeats)])
                for masks in self.plan.masks
            ]
        return found

    def estimate(self, point: Point, figure: str) -> tuple[float, Interval | None]:
        """The mean with its 95 % interval."""
        return mean_and_band(point[2], self.test_groups, figure)


def drawn(page: MaskCurvePage, figure: str, *, alone: bool = False) -> str:
    """A figure against masks as SVG, Otsu's dotted."""
    lines = []
    for start in page.plan.starts:
        mine = [point for point in page.points if point[0] == str(start)]
        means, bands = zip(*(page.estimate(point, figure) for point in mine), strict=True)
        masks = [point[1] for point in mine]
        lines.append(CurveLine(str(start), masks, np.array(means), list(bands), masks))
    level = page.estimate(page.points[0], figure)[0]
    return curve_plot(lines, f"{TITLES[figure]} against masks", level, axis="masks to learn from", alone=alone)


def write_mask_curve_report(page: MaskCurvePage, path: Path) -> None:
    """Writes the page, and beside it a plot a figure as SVG. Raises OutputError or OSError."""
    for figure in FIGURES:
        path.with_name(f"curve-{figure}.svg").write_text(drawn(page, figure, alone=True), encoding="utf-8")
    text = render_page(
        "mask_curve.html.j2",
        page=page,
        plots=[{"title": TITLES[figure], "plot": drawn(page, figure)} for figure in FIGURES],
        titles=[TITLES[figure] for figure in FIGURES],
        rows=[_row(page, point) for point in page.points],
        n_groups=len(np.unique(page.test_groups)),
        versions=versions(),
    )
    write_page(text, path)


def _row(page: MaskCurvePage, point: Point) -> dict[str, Any]:
    return {"name": point[0], "masks": point[1], "cells": [page.estimate(point, figure) for figure in FIGURES]}
