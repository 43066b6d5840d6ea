"""Compare: recipes, seeds and folds on one data set, with an untouched part for the recipe that cross-validation picks."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, silent
from morphoscope.apps.verbs.contestants import Contestant, contestants, labelled_recipes
from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder, working_side
from morphoscope.apps.verbs.output import claim_folder, working_alone, write_whole, writing
from morphoscope.apps.verbs.planned_runs import planned_runs
from morphoscope.apps.verbs.processes import usual_workers
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.workers import Failure, Talk, in_workers
from morphoscope.calibration.resolve import Scale
from morphoscope.data.split import check_protocol
from morphoscope.errors import MorphoscopeError
from morphoscope.reporting.compare_report import ComparePage, write_compare_report
from morphoscope.reporting.comparison import Comparison
from morphoscope.reporting.page_text import duration
from morphoscope.training.comparison.division import Division, divided
from morphoscope.training.comparison.result import RunResult, read_result
from morphoscope.training.comparison.run import Run, run_once
from morphoscope.training.recipe import Recipe

TABLE, ERRORS, PAIRS, PAGE = "compare.csv", "errors.csv", "pairs.csv", "report.html"
RUNS, PICTURES = "runs", "pictures"
USUAL_SPLIT, USUAL_UNTOUCHED = "kfold:3", 20
MOST_UNTOUCHED = 50


def compare(
    images: Paths,
    out: PathLike,
    *,
    labels: Paths = (),
    recipes: Sequence[PathLike] = ("default",),
    seeds: Sequence[int] = (0,),
    split: str = USUAL_SPLIT,
    untouched: int = USUAL_UNTOUCHED,
    group: str | None = None,
    sample: str | None = None,
    metadata: PathLike | None = None,
    scale: Scale | None = None,
    schema: PathLike | None = None,
    tasks: Sequence[str] = (),
    unmatched: Literal["error", "blank"] | None = None,
    encoder: str | None = None,
    epochs: int | None = None,
    time_budget_min: float | None = None,
    jobs: int | None = None,
    settings: Sequence[str] = (),
    say: Say = silent,
) -> Comparison:
    """Runs every recipe with every seed on every fold, and writes compare.csv, pairs.csv, errors.csv and report.html under `out`.

        morphoscope.compare("images", "comparison", labels="labels.xlsx", group="Sample", recipes=["default", "accords-resnet18"])

    The options are those of `morphoscope compare`. untouched: percent of the pictures that only the best recipe answers, at the
    end. time_budget_min: for each fit. Finished runs are taken from `out` as they are, so a comparison that was interrupted or
    got a further recipe goes on. Raises MorphoscopeError whose text is meant to be shown, also where no recipe worked.
    """
    folder_out, seeds = Path(out), list(dict.fromkeys(seeds))
    wanted = [*([f"encoder={encoder}"] if encoder else []), *settings]
    chosen = labelled_recipes([str(recipe) for recipe in recipes], wanted, epochs)
    _check(seeds, split, untouched)
    claim_folder(folder_out, (), may_replace=True)
    request = FolderRequest.of(images, labels, metadata, schema, group, sample, tasks, unmatched, scale)
    workers = jobs or usual_workers()
    with working_alone(folder_out), writing(folder_out, "Make room there; the same command goes on with what is finished."):
        folder = read_folder(request, max(chosen.values(), key=working_side), say)
        groups = [entry.group for entry in folder.catalogue.entries]
        division = divided(folder.truths, folder.effective_groups, groups, split, seeds, untouched)
        state = _State(folder_out, folder, list(chosen), {}, {}, say)
        comparison = _compared(state, chosen, division, request, time_budget_min, workers)
        page = ComparePage(
            comparison,
            division,
            split,
            seeds,
            untouched,
            epochs,
            time_budget_min,
            encoder,
            workers,
            request.group,
            folder.unreadable,
        )
        write_whole(folder_out / PAGE, write_compare_report(page))
    state.tell_the_end(comparison)
    return comparison


@dataclass(frozen=True, eq=False)
class _State:
    """What has come out so far. results: by run. failures: the first reason of each recipe that failed."""

    out: Path
    folder: Folder
    labels: list[str]
    results: dict[Run, RunResult]
    failures: dict[str, str]
    say: Say

    def comparison(self) -> Comparison:
        cross_validated = [result for run, result in self.results.items() if run.number is not None]
        untouched = [result for run, result in self.results.items() if run.number is None]
        truths, groups = self.folder.truths, self.folder.effective_groups
        schema = self.folder.catalogue.schema
        return Comparison(schema, truths, groups, self.labels, cross_validated, untouched, dict(self.failures))

    def write_tables(self) -> Comparison:
        """The tables as far as they are known. Raises OSError."""
        comparison = self.comparison()
        write_whole(self.out / TABLE, _csv(comparison.rows()))
        write_whole(self.out / PAIRS, _csv(_pair_rows(comparison)))
        errors = [{"recipe": recipe, "error": sentence} for recipe, sentence in self.failures.items()]
        write_whole(self.out / ERRORS, _csv(errors, ["recipe", "error"]))
        return comparison

    def tell_the_end(self, comparison: Comparison) -> None:
        """Which recipe is best, and where the report is. Raises MorphoscopeError where none gave a result."""
        if not comparison.finished:
            raise MorphoscopeError(
                f"compare: none of {len(self.labels)} recipes gave a result ({next(iter(self.failures.values()))}); expected one "
                f"at least. See {self.out / ERRORS}."
            )
        for sentence in _verdict(comparison):
            self.say(sentence)
        self.say(f"Report: {self.out / PAGE}")


def _compared(
    state: _State,
    recipes: dict[str, Recipe],
    division: Division,
    request: FolderRequest,
    minutes: float | None,
    workers: int,
) -> Comparison:
    """Cross-validation of all, then the untouched pictures for the one that it picks."""
    pictures = state.out / PICTURES
    shutil.rmtree(pictures, ignore_errors=True)
    try:
        ready = contestants(recipes, state.folder, pictures, state.failures, state.say)
        _run(state, planned_runs(ready, division.folds, state.folder, request, state.out / RUNS, minutes), ready, workers)
        comparison = state.write_tables()
        if division.has_untouched and comparison.best:
            best = [one for one in ready if one.label == comparison.best]
            last = {seed: [division.final] for seed in division.folds}
            runs = planned_runs(best, last, state.folder, request, state.out / RUNS, minutes, is_final=True)
            _run(state, runs, best, workers)
            comparison = state.write_tables()
    finally:
        shutil.rmtree(pictures, ignore_errors=True)
    return comparison


def _run(state: _State, runs: Sequence[Run], ready: Sequence[Contestant], workers: int) -> None:
    """All runs that have no result yet. A recipe that fails once is not tried again, and the others go on."""
    for run in runs:
        if result := read_result(run.folder, run.key):
            state.results[run] = result
    left = [run for run in runs if run not in state.results]
    state.say(f"{len(runs)} runs, {len(runs) - len(left)} of them finished already.")
    materials = {one.label: one.material for one in ready}

    def waiting() -> Iterator[tuple[Run, Any]]:
        yield from ((run, materials[run.label]) for run in left if run.label not in state.failures)

    state.write_tables()
    with bar("Comparing", len(left)) as progress:
        outcomes = in_workers(_work, waiting(), min(workers, max(1, len(left))), _no_answer)
        for done, ((run, _), outcome) in enumerate(outcomes, start=1):
            if isinstance(outcome, Failure):
                _note_failure(state, run, outcome)
            else:
                state.results[run] = outcome
                state.say(f"{run.name}: {_accuracies(state.comparison(), outcome)} after {duration(60 * outcome.minutes)}.")
            state.write_tables()
            progress(done)


def _work(job: tuple[Run, Any], talk: Talk) -> RunResult:
    """In a worker: the run, and its result on disk before anybody hears of it."""
    run, material = job
    run.folder.mkdir(parents=True, exist_ok=True)
    result = run_once(run, material.load())
    result.write(run.folder)
    shutil.rmtree(run.folder / "fit", ignore_errors=True)
    return result


def _no_answer(job: tuple[Run, Any], said: Any) -> None:
    """These jobs don't talk."""


def _note_failure(state: _State, run: Run, failure: Failure) -> None:
    sentence = f"{run.name}: {failure.sentence}"
    state.failures.setdefault(run.label, sentence)
    state.say(f"Failed: {sentence}")
    if failure.details:
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / "failure.txt").write_text(failure.details, encoding="utf-8")


def _accuracies(comparison: Comparison, result: RunResult) -> str:
    rows = Comparison(comparison.schema, comparison.truths, comparison.groups, [result.recipe], [result]).rows()
    known = [f"{row['task']} {100 * row['test_accuracy']:.1f} %" for row in rows if row["test_accuracy"] is not None]
    return ", ".join(known) or "no labelled test picture"


def _check(seeds: Sequence[int], split: str, untouched: int) -> None:
    check_protocol(split)
    if not seeds or min(seeds) < 0:
        raise MorphoscopeError(
            f"--seeds: found {list(seeds)}; expected whole numbers from 0 on. Write --seeds 3, or --seeds 0,1,2."
        )
    if not 0 <= untouched <= MOST_UNTOUCHED:
        raise MorphoscopeError(
            f"--untouched is {untouched}; expected a percentage from 0, which sets nothing aside, to {MOST_UNTOUCHED}. Correct it."
        )


def _verdict(comparison: Comparison) -> list[str]:
    best = comparison.best
    sentences = [f"Best in cross-validation: {best}, mean accuracy {100 * comparison.mean_accuracy(best or ''):.1f} %."]
    for standing, task in zip(comparison.untouched_standings(), comparison.schema.tasks, strict=False):
        if standing.test.accuracy is None or standing.test.interval is None or standing.majority is None:
            continue
        low, high = standing.test.interval
        sentences.append(
            f"  {task.name}, untouched pictures: {100 * standing.test.accuracy:.1f} % "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f}); majority class {100 * standing.majority:.1f} %."
        )
    return sentences


def _pair_rows(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "task": task.name,
            "first": pair.first,
            "second": pair.second,
            "difference": pair.test.mean if pair.test else None,
            "low": pair.test.interval[0] if pair.test else None,
            "high": pair.test.interval[1] if pair.test else None,
            "p": pair.test.p if pair.test else None,
            "p_holm": pair.adjusted_p,
            "splits": pair.test.n_splits if pair.test else None,
        }
        for number, task in enumerate(comparison.schema.tasks)
        for pair in comparison.pairs(number)
    ]


def _csv(rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
