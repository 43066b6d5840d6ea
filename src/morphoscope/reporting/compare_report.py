"""The page of `compare`: which recipe, how sure, at what cost, and by which protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from morphoscope.reporting import svg
from morphoscope.reporting.bar_chart import Bar, BarGroup, bar_colour, bar_opacity, grouped_bars
from morphoscope.reporting.comparison import Comparison
from morphoscope.reporting.page import render_page
from morphoscope.reporting.versions import versions
from morphoscope.training.comparison.division import Division


@dataclass(frozen=True, eq=False)
class ComparePage:
    """The comparison, and how it was made: split, untouched (percent), epochs, minutes and encoder as asked, None where the
    recipes decide; workers: processes at a time. group: the column that splits keep whole. unreadable: a sentence each."""

    comparison: Comparison
    division: Division
    split: str
    seeds: Sequence[int]
    untouched: int
    epochs: int | None
    minutes: float | None
    encoder: str | None
    workers: int
    group: str | None
    unreadable: Sequence[str] = ()


def write_compare_report(page: ComparePage) -> str:
    """The page as text, self-contained; every name in it is escaped."""
    comparison = page.comparison
    n_pictures = len(comparison.groups)
    return render_page(
        "compare.html.j2",
        page=page,
        best=comparison.best,
        mean_accuracy=comparison.mean_accuracy,
        finished=comparison.finished,
        legend=[(name, _swatch(number)) for number, name in enumerate(comparison.finished)],
        chart=accuracy_chart(comparison),
        tasks=[_task(comparison, number) for number in range(len(comparison.schema.tasks))],
        untouched=[
            (task.name, standing, svg.whisker(standing.test.accuracy, standing.test.interval, standing.majority))
            for task, standing in zip(comparison.schema.tasks, comparison.untouched_standings(), strict=False)
        ],
        costs=comparison.costs(),
        failures=comparison.failures,
        n_pictures=n_pictures,
        n_groups=len(np.unique(comparison.groups)),
        n_untouched=len(page.division.final.test),
        n_folds=max(len(folds) for folds in page.division.folds.values()),
        n_runs=len({(r.seed, r.fold) for r in comparison.results}),
        versions=versions(),
    )


def accuracy_chart(comparison: Comparison, *, alone: bool = False) -> Markup:
    """Accuracy on the test pictures of cross-validation, a group a task and a bar a recipe, with the majority class."""
    groups = []
    for number, task in enumerate(comparison.schema.tasks):
        by_name = {standing.recipe: standing for standing in comparison.standings(number)}
        ordered = [by_name[name] for name in comparison.finished]
        bars = [Bar(one.recipe, one.test.accuracy, one.test.interval) for one in ordered if one.test.accuracy is not None]
        level = next((one.majority for one in ordered if one.majority is not None), None)
        groups.append(BarGroup(task.name, bars, level))
    return grouped_bars(groups, "Accuracy by task and recipe, with the majority class", alone=alone) if groups else Markup()


def _task(comparison: Comparison, number: int) -> dict[str, Any]:
    standings = comparison.standings(number)
    return {
        "name": comparison.schema.tasks[number].name,
        "rows": [(one, svg.whisker(one.test.accuracy, one.test.interval, one.majority)) for one in standings],
        "pairs": sorted(comparison.pairs(number), key=lambda pair: 2.0 if pair.adjusted_p is None else pair.adjusted_p),
    }


def _swatch(number: int) -> Markup:
    return Markup('<i class="swatch" style="background:{};opacity:{}"></i>').format(bar_colour(number), bar_opacity(number))
