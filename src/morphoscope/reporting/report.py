"""report.html: one file that shows a sceptical reader how well a model works, and where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from morphoscope.reporting import svg
from morphoscope.reporting.methods import citation, methods_paragraph
from morphoscope.reporting.page import render_page, write_page
from morphoscope.reporting.run_summary import RunSummary
from morphoscope.reporting.task_page import task_page
from morphoscope.reporting.verdict import shortcuts


def write_report(run: RunSummary, out: Path) -> Path:
    """Write `report.html` into the folder `out`, or to `out` itself where it ends in .html. Raises OutputError."""
    path = out if out.suffix == ".html" else out / "report.html"
    return write_page(render_report(run), path)


def render_report(run: RunSummary) -> str:
    """The page as text; every name in it is escaped, and a content policy keeps it from loading anything."""
    return render_page(
        "report.html.j2",
        run=run,
        tasks=[task_page(run, index) for index in range(len(run.outcomes))],
        shortcuts=shortcuts(run.outcomes, run.branch_outcomes),
        curves=_learning_curves(run.history),
        methods=methods_paragraph(run),
        citation=citation(run),
    )


def _learning_curves(history: pd.DataFrame) -> list[tuple[str, Markup]]:
    """A plot of the losses and one a task of its validation accuracy; several folds are drawn over each other."""
    folds = [fold for _, fold in history.groupby("fold")] if "fold" in history else [history]
    style = "" if len(folds) == 1 else " thin"
    plots = {
        "Loss": [("train_loss", "soft", "training"), ("validation_loss", "accent", "validation")],
        "Learning rate": [("learning_rate", "accent", "learning rate")],
    }
    for column in history.columns:
        if column.startswith("validation_accuracy["):
            plots[column.removeprefix("validation_accuracy[").removesuffix("]")] = [(column, "accent", "validation accuracy")]
    return [(title, plot) for title, curves in plots.items() if (plot := _curve_plot(title, curves, folds, style))]


def _curve_plot(title: str, curves: Sequence[tuple[str, str, str]], folds: Sequence[pd.DataFrame], style: str) -> Markup:
    lines = [
        svg.Line(fold["epoch"].to_numpy(float), fold[column].to_numpy(float), colour + style, label)
        for fold in folds
        for column, colour, label in curves
        if column in fold
    ]
    y_range = svg.SHARE if curves[0][0].startswith("validation_accuracy[") else None
    return svg.line_plot(lines, f"{title} over epochs", "epoch", y_range=y_range)
