"""The methods paragraph: what a paper has to say about a run, ready to paste."""

from __future__ import annotations

from collections.abc import Iterator

from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.page_text import counted, figure, percent, settings
from morphoscope.reporting.run_summary import METADATA_ONLY, RunSummary, SplitSummary
from morphoscope.units import format_length

_PHRASES = {
    "optimizer": "the optimiser {}",
    "learning_rate": "a learning rate of {:g}",
    "weight_decay": "a weight decay of {:g}",
    "batch_size": "batches of {}",
    "image_size": "pictures of {} px",
    "epochs": "at most {} epochs",
}
"""Settings of a recipe that a paper names, by their names in the recipe."""


def methods_paragraph(run: RunSummary) -> str:
    """One paragraph of plain text: data, network, split, decisions, intervals, results, versions."""
    return " ".join(sentence for part in (_data(run), _network(run), _split(run), _results(run)) for sentence in part)


def citation(run: RunSummary) -> str:
    """The reference that the paragraph's [1] points to."""
    version = run.versions.get("morphoscope", "unknown")
    return f"[1] Morphoscope, version {version} (software, Apache-2.0), {run.started.year}."


def _data(run: RunSummary) -> Iterator[str]:
    tasks = "; ".join(f"{outcome.task.name} ({', '.join(outcome.task.classes)})" for outcome in run.outcomes)
    yield f"We classified {run.data.n_images} electron micrographs with Morphoscope {run.versions.get('morphoscope', '')} [1]."
    yield f"{'The task was' if len(run.outcomes) == 1 else 'The tasks were'} {tasks}."
    if run.data.pixel_size_range_nm:
        low, high = map(format_length, run.data.pixel_size_range_nm)
        yield f"The pixel size was known for {run.data.n_with_scale} of them and ranged from {low} to {high}."


def _network(run: RunSummary) -> Iterator[str]:
    has_metadata = any(name.startswith(METADATA_ONLY) for name in run.branch_outcomes)
    inputs = ["the picture without its information bar", *(["the instrument's metadata"] if has_metadata else [])]
    inputs += [f"the channel {name} ({counted(count, 'picture')} had one)" for name, count in run.data.channels.items()]
    yield (
        f"A {run.encoder} network ({run.n_parameters / 1e6:.1f} million parameters) received {' and '.join(inputs)} and answered "
        f"with one output layer{' per task' if len(run.outcomes) > 1 else ''}."
    )
    known = {name.rpartition(".")[2]: value for name, value in settings(run.recipe).items()}
    phrases = [phrase.format(known[key]) for key, phrase in _PHRASES.items() if known.get(key) is not None]
    yield f"It was trained with {', '.join([*phrases, f'random seed {run.seed}'])}."


def _split(run: RunSummary) -> Iterator[str]:
    split = run.split
    strata = "all tasks together" if len(run.outcomes) > 1 else "its classes"
    yield f"The pictures were split {_protocol(split)}, stratified over {strata}."
    if split.group_column:
        yield f"All pictures of one {split.group_column} stayed on one side ({split.n_groups} in all)."
    if split.n_duplicates_held_together:
        yield f"{counted(split.n_duplicates_held_together, 'near-duplicate picture')} stayed with their originals."
    if split.decisions:
        uses = "; ".join(f"{decision.images} ({decision.n}), {decision.decision}" for decision in split.decisions)
        yield f"Each part of the pictures served one purpose: {uses}."
    yield "Confidences were calibrated by temperature scaling, and sets of classes by split conformal prediction at 90 %."


def _results(run: RunSummary) -> Iterator[str]:
    results = "; ".join(_result(outcome) for outcome in run.outcomes)
    yield f"Accuracy on the held-out pictures: {results}."
    groups = f", widened for the resemblance within one {run.split.group_column}" if run.split.group_column else ""
    design = " (Rao and Scott 1992; Korn and Graubard 1998)" if groups else ""
    yield (f"Intervals are 95 % Wilson score intervals{groups}{design}; the majority class is the one most frequent in training.")
    software = ", ".join(f"{name} {run.versions[name]}" for name in ("python", "torch", "timm") if name in run.versions)
    yield f"Computed with {software}."


def _result(outcome: TaskOutcome) -> str:
    metrics = outcome.metrics()
    if metrics["accuracy"] is None:
        return f"{outcome.task.name}, not measurable (no labelled picture)"
    low, high = metrics["accuracy_ci95"]
    return (
        f"{outcome.task.name} {percent(metrics['accuracy'])} (95 % interval {percent(low)} to {percent(high)}; "
        f"n = {metrics['n']}; majority class {percent(metrics['majority_accuracy'])}; "
        f"balanced accuracy {percent(metrics['balanced_accuracy'])}; macro-F1 {figure(metrics['macro_f1'])})"
    )


def _protocol(split: SplitSummary) -> str:
    kind, _, numbers = split.protocol.partition(":")
    if kind == "kfold":
        folds, _, repeats = numbers.partition("x")
        times = "" if repeats in ("", "1") else f", repeated {repeats} times"
        return f"by {folds}-fold cross-validation{times}"
    if kind == "logo":
        return "by leaving one group out at a time"
    return f"{kind} into training and held-out pictures" if kind.count("/") == 1 else f"{kind} into training, validation and test"
