"""The page of a training on masks: figures beside baselines, curves of the fit, and held-out pictures, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from morphoscope.reporting import svg
from morphoscope.reporting.page import render_page, write_page
from morphoscope.reporting.page_text import UNKNOWN
from morphoscope.scores.instances import PictureScore

METHODS = {
    "trained": "this model",
    "shipped_segmenter": "the segmenter that comes with Morphoscope, not trained further",
    "otsu_watershed": "Otsu’s threshold + watershed",
}
_COLUMNS = ("ap50", "ap75", "iou", "dice", "count_error", "diameter_error")


@dataclass(frozen=True, eq=False)
class ComparedPicture:
    """A held-out picture with both outlines; overlay: a `data:` address."""

    name: str
    score: PictureScore
    overlay: str


@dataclass(frozen=True, eq=False)
class ObjectsPage:
    """What the page says. figures: method to what `summarised` gives of it. facts: name to text, in order."""

    figures: Mapping[str, Mapping[str, Any]]
    notes: Sequence[str]
    facts: Mapping[str, str]
    history: pd.DataFrame
    kept_step: int
    pictures: Sequence[ComparedPicture]
    n_test: int
    command: str
    recipe: Mapping[str, Any]
    versions: Mapping[str, str]


def write_objects_report(page: ObjectsPage, folder: Path) -> Path:
    """Writes report.html into a folder. Raises OutputError."""
    path = folder / "report.html"
    return write_page(render_objects_report(page), path)


def render_objects_report(page: ObjectsPage) -> str:
    """The page as text; it loads nothing from outside."""
    return render_page(
        "objects.html.j2",
        page=page,
        rows=[_row(name, figures) for name, figures in page.figures.items()],
        best=page.figures.get("trained"),
        curves=_curves(page.history, page.kept_step),
        versions=page.versions,
    )


def _row(method: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    cells = []
    for name in _COLUMNS:
        is_error = name.endswith("error")
        interval = figures[f"{name}_ci95"]
        between = UNKNOWN if interval is None else "–".join(f"{100 * end:.0f}" if is_error else f"{end:.2f}" for end in interval)
        value = figures[name]
        text = UNKNOWN if value is None else f"{100 * value:.0f}\N{NO-BREAK SPACE}%" if is_error else f"{value:.3f}"
        cells.append({"value": text, "interval": between})
    return {"name": METHODS.get(method, method), "is_own": method == "trained", "cells": cells}


def _curves(history: pd.DataFrame, kept_step: int) -> list[dict[str, Any]]:
    """Plots over the steps, each with a caption; what was never looked at has none."""
    plots = []
    if "loss" in history and history["loss"].notna().any():
        rows = history[history["loss"].notna()]
        loss = svg.Line(rows["step"].to_numpy(float), rows["loss"].to_numpy(float), "accent", "training loss")
        plot = svg.line_plot([loss], "Training loss over steps", "step", size=(460, 220))
        plots.append({"caption": "Training loss", "says": "The weighted sum of all parts; history.csv has each.", "plot": plot})
    if "validation_ap50" in history:
        rows = history[history["validation_ap50"].notna()]
        steps = rows["step"].to_numpy(float)
        lines = [
            svg.Line(steps, rows[name].to_numpy(float), style, label)
            for name, style, label in (
                ("validation_ap50", "accent", "AP at IoU 0.5"),
                ("validation_iou", "soft", "foreground IoU"),
            )
        ]
        mark = svg.Line(np.full(2, float(kept_step)), np.array([0.0, 1.0]), "mark", f"kept: step {kept_step}")
        plot = svg.line_plot([*lines, mark], "Scores on validation pictures", "step", y_range=svg.SHARE, size=(460, 220))
        says = (
            f"In percent: AP at IoU 0.5 (strong) and foreground IoU (faint). Dashed: step {kept_step}, whose weights were kept."
        )
        plots.append({"caption": "Validation pictures", "says": says, "plot": plot})
    return [plot for plot in plots if plot["plot"] != Markup()]
