"""Figures put into plain words: what a reader who only looks should take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.run_summary import METADATA_ONLY

_SHORTCUT_MARGIN = 0.10


@dataclass(frozen=True)
class Verdict:
    """A few words on a task; bad where the accuracy is no evidence that the model learned anything."""

    words: str
    is_bad: bool = False


def verdict(metrics: Mapping[str, Any]) -> Verdict:
    """The words for a task's metrics, by whether the 95 % interval clears the majority class, then by skill."""
    interval, majority, skill = metrics["accuracy_ci95"], metrics["majority_accuracy"], metrics["skill"]
    if interval is None:
        return Verdict("no labelled picture to test on", True)
    if skill is None:
        return Verdict("only one class to be found here", True)
    if interval[1] < majority:
        return Verdict("worse than the majority class", True)
    if interval[0] <= majority:
        return Verdict("no better than the majority class", True)
    if skill < 1 / 3:
        return Verdict("somewhat better than the majority class")
    if skill < 2 / 3:
        return Verdict("clearly better than the majority class")
    return Verdict("far better than the majority class")


def shortcuts(outcomes: Sequence[TaskOutcome], branches: Mapping[str, Sequence[TaskOutcome]]) -> list[str]:
    """A sentence for each task that instrument metadata alone answer nearly as well as the whole model.

    That is: the interval of metadata alone lies above the majority class, and its accuracy within 10 points of the fused one.
    """
    by_metadata = [(name, alone) for name, alone in branches.items() if name.startswith(METADATA_ONLY)]
    sentences = {}
    for branch, branch_outcomes in by_metadata:
        for fused, alone in zip(outcomes, branch_outcomes, strict=True):
            whole, part, interval = fused.accuracy, alone.accuracy, alone.accuracy_interval()
            if whole is None or part is None or interval is None or interval[0] <= (alone.majority_accuracy or 0):
                continue
            if part >= whole - _SHORTCUT_MARGIN:
                sentences[fused.task.name] = (
                    f"{fused.task.name}: {branch} reaches {100 * part:.0f} %, close to the whole model's {100 * whole:.0f} %."
                )
    return list(sentences.values())
