"""What the report shows of one task, computed and drawn, ready for the template."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from morphoscope.reporting import svg
from morphoscope.reporting.breakdown import GroupResults, Slice, by_group, by_pixel_size, slices_by
from morphoscope.reporting.gallery import Mistake, worst_mistakes
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.run_summary import FUSED, RunSummary
from morphoscope.reporting.verdict import Verdict, verdict
from morphoscope.scores import calibration

_MAX_PICTURES = 96
"""In the whole report, so that it stays a file to send by mail."""


@dataclass(frozen=True)
class Row:
    """A name with its accuracy on the 0 to 100 % axis."""

    name: str
    n: int
    accuracy: float | None
    plot: Markup


@dataclass(frozen=True)
class PairBothWays:
    """Two classes and how often each is taken for the other."""

    first: str
    second: str
    forward: float
    backward: float
    n_forward: int
    n_backward: int


@dataclass(frozen=True)
class TaskPage:
    """What the page shows of one task; `parents` is the same one level up."""

    name: str
    anchor: str
    is_multilabel: bool
    metrics: Mapping[str, Any]
    verdict: Verdict
    plot: Markup
    parents: TaskPage | None
    pairs: Sequence[PairBothWays] = ()
    reliability: Markup | None = None
    risk_coverage: Markup | None = None
    mistakes: Sequence[Mistake] = ()
    branches: Sequence[Row] = ()
    groups: GroupResults | None = None
    worst_groups: Sequence[Row] = ()
    pixel_sizes: Sequence[Row] = ()
    folds: Sequence[Row] = ()


def task_page(run: RunSummary, index: int) -> TaskPage:
    """The page of the run's task of that index."""
    outcome = run.outcomes[index]
    page = _summary(outcome, f"task-{index + 1}")
    groups = None if run.group_names is None else by_group(outcome, run.group_names)
    majority = outcome.majority_accuracy
    n_pictures = int(np.clip(_MAX_PICTURES // len(run.outcomes), 3, 8))
    return dataclasses.replace(
        page,
        reliability=svg.reliability_diagram(calibration.reliability(*outcome.answers())),
        risk_coverage=_risk_coverage(outcome),
        mistakes=worst_mistakes(outcome, run.names, run.thumbnails, n_pictures),
        branches=_branches(run, index),
        groups=groups,
        worst_groups=_rows(groups.worst if groups else [], majority),
        pixel_sizes=_rows(by_pixel_size(outcome, run.pixel_size_nm), majority),
        folds=_rows([] if run.folds is None else slices_by(outcome, np.asarray(run.folds)), majority),
    )


def _summary(outcome: TaskOutcome, anchor: str) -> TaskPage:
    metrics = outcome.metrics()
    words = verdict(metrics)
    plot = svg.whisker(metrics["accuracy"], metrics["accuracy_ci95"], metrics["majority_accuracy"], words.is_bad)
    return TaskPage(
        name=outcome.task.name,
        anchor=anchor,
        is_multilabel=outcome.task.is_multilabel,
        metrics=metrics,
        verdict=words,
        plot=plot,
        parents=_summary(outcome.at_parent_level(), f"{anchor}-parents") if outcome.task.has_parents else None,
        pairs=_both_ways(metrics),
    )


def _both_ways(metrics: Mapping[str, Any], n_most: int = 8) -> list[PairBothWays]:
    """The most confused pairs of classes, each with both of its directions, also where one of them never happened."""
    found = {(pair["true"], pair["predicted"]): pair for pair in metrics["confused_pairs"]}
    never = {"n": 0, "percent_of_true": 0.0}
    pairs: list[PairBothWays] = []
    for (true, predicted), forward in found.items():
        backward = found.get((predicted, true), never)
        if (true, predicted) not in {(pair.second, pair.first) for pair in pairs}:
            pairs.append(
                PairBothWays(
                    true, predicted, forward["percent_of_true"], backward["percent_of_true"], forward["n"], backward["n"]
                )
            )
    return pairs[:n_most]


def _branches(run: RunSummary, index: int) -> list[Row]:
    if not run.branch_outcomes:
        return []
    outcomes = {FUSED: run.outcomes[index]} | {name: outcomes[index] for name, outcomes in run.branch_outcomes.items()}
    return [
        Row(name, o.n_images, o.accuracy, svg.whisker(o.accuracy, o.accuracy_interval(), o.majority_accuracy))
        for name, o in outcomes.items()
    ]


def _rows(slices: Sequence[Slice], majority: float | None) -> list[Row]:
    return [Row(s.name, s.n, s.accuracy, svg.whisker(s.accuracy, s.interval, majority)) for s in slices]


def _risk_coverage(outcome: TaskOutcome) -> Markup:
    labelled = outcome.is_labelled
    coverage, accuracy = calibration.risk_coverage(outcome.prediction.confidence[labelled], outcome.hits[labelled])
    if not len(coverage):
        return Markup()
    title = "Accuracy over the share of pictures answered"
    return svg.line_plot([svg.Line(coverage, accuracy)], title, "share answered", svg.SHARE, svg.SHARE, (210, 210))
