"""The page of `sweep`: the best settings, what they give on untouched pictures, which settings matter, and every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from morphoscope.data.split import Fold
from morphoscope.reporting import svg
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.page import render_page
from morphoscope.reporting.page_text import setting
from morphoscope.reporting.parallel_coordinates import Axis, Trace, parallel_coordinates
from morphoscope.reporting.versions import versions
from morphoscope.schema import Schema
from morphoscope.training.experiment import Trial
from morphoscope.training.sweep.space import Parameter

if TYPE_CHECKING:
    from morphoscope.training.sweep.search import Record

SCORE = "validation accuracy"


@dataclass(frozen=True, eq=False)
class SweepPage:
    """trial: the best one with its answers to the untouched pictures, where some were set aside. fold: what learned, what chose,
    and the untouched. importances: by method and setting. untouched: percent. workers: processes at a time."""

    recipe: str
    space: Sequence[Parameter]
    records: Sequence[Record]
    best: Record
    importances: Mapping[str, Mapping[str, float]]
    schema: Schema
    truths: Sequence[np.ndarray]
    groups: np.ndarray
    trial: Trial | None
    fold: Fold
    pruning: str
    untouched: int
    seed: int
    workers: int
    group: str | None

    @property
    def outcomes(self) -> list[TaskOutcome]:
        """The best trial on the untouched pictures, a task each."""
        if self.trial is None:
            return []
        rows, learned = self.fold.test, self.fold.train
        predictions = zip(self.trial.predictions(self.schema), self.truths, strict=True)
        return [
            TaskOutcome(prediction, truth[rows], truth[learned].sum(axis=0), self.groups[rows])
            for prediction, truth in predictions
        ]


def write_sweep_report(page: SweepPage) -> str:
    """The page as text, self-contained; every name in it is escaped."""
    tested = [(outcome.task.name, outcome.metrics()) for outcome in page.outcomes]
    ranked = sorted(page.records, key=lambda r: -(r.score.validation_accuracy if r.score and r.is_complete else -1.0))
    return render_page(
        "sweep.html.j2",
        page=page,
        best=page.best,
        swept=[one.name for one in page.space],
        untouched=[(name, m, svg.whisker(m["accuracy"], m["accuracy_ci95"], m["majority_accuracy"])) for name, m in tested],
        n_states={state: sum(r.state == state for r in page.records) for state in ("complete", "pruned", "failed", "running")},
        coordinates=_coordinates(page),
        progress=_progress(page),
        ranked=ranked,
        n_groups=len(np.unique(page.groups)),
        versions=versions(),
    )


def _coordinates(page: SweepPage) -> Markup:
    """Complete trials by their score, those that were ended early pale and without one."""
    scores = [r.score.validation_accuracy for r in page.records if r.is_complete and r.score]
    low, high = min(scores), max(scores)
    axes = [
        Axis(one.name, places=tuple(map(setting, one.choices))) if one.choices else Axis(one.name, one.low, one.high, one.is_log)
        for one in page.space
    ]
    traces = []
    for record in page.records:
        values = {one.name: setting(record.values[one.name]) if one.choices else record.values[one.name] for one in page.space
                  if one.name in record.values}  # fmt: skip
        if record.is_complete and record.score:
            value = record.score.validation_accuracy
            strength = (value - low) / (high - low) if high > low else 1.0
            traces.append(Trace(f"trial {record.number}: {100 * value:.1f} %", values | {SCORE: value}, strength))
        elif values:
            traces.append(Trace(f"trial {record.number}: {record.state}", values, None))
    return parallel_coordinates(
        [*axes, Axis(SCORE, low, high, is_share=True)], traces, "Settings and validation accuracy of every trial"
    )


def _progress(page: SweepPage) -> Markup:
    """Validation accuracy by trial, and the best until then."""
    done = [r for r in page.records if r.is_complete and r.score]
    numbers = np.array([r.number for r in done], dtype=float)
    values = np.array([r.score.validation_accuracy for r in done if r.score])
    lines = [
        svg.Line(numbers, values, "soft", "trial"),
        svg.Line(numbers, np.maximum.accumulate(values), "accent", "best so far"),
    ]
    return svg.line_plot(lines, "Validation accuracy by trial", "trial", y_range=svg.SHARE, size=(420, 200))
