"""The model card: a page beside the weights that says what the model is for, what it was measured on, and its limits."""

from __future__ import annotations

from morphoscope.reporting.methods import methods_paragraph
from morphoscope.reporting.run_summary import RunSummary

_INTENDED = (
    "Labels electron micrographs of the kinds it was trained on with the classes below. It abstains where it is not sure, and "
    "its `novelty` is high for pictures unlike its training pictures: look at those yourself. It is no substitute for a "
    "microscopist's judgement in quality control or diagnosis."
)


def model_card(run: RunSummary) -> str:
    """Markdown text of MODEL_CARD.md."""
    lines = [f"# {run.title}", "", _INTENDED, "", "## Tasks", ""]
    lines += [f"- {outcome.task.name}: {', '.join(outcome.task.classes)}" for outcome in run.outcomes]
    lines += [
        "",
        "## Figures on held-out pictures",
        "",
        "| task | n | accuracy | 95 % interval | majority class | balanced accuracy |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    for outcome in run.outcomes:
        m = outcome.metrics()
        interval = m["accuracy_ci95"]
        between = f"{interval[0]:.3f} – {interval[1]:.3f}" if interval else ""
        figures = [_figure(m[key]) for key in ("accuracy", "majority_accuracy", "balanced_accuracy")]
        lines.append(f"| {outcome.task.name} | {m['n']} | {figures[0]} | {between} | {figures[1]} | {figures[2]} |")
    lines += ["", "## How it was made", "", methods_paragraph(run), "", f"    {run.command}", ""]
    if run.warnings:
        lines += ["## Limits", "", *[f"- {warning}" for warning in run.warnings], ""]
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
