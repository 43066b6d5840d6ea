"""Sweep: which settings of a recipe suit some pictures, found on inner validation and tested once on untouched pictures."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, silent
from morphoscope.apps.verbs.contestants import plain
from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder, working_side
from morphoscope.apps.verbs.output import claim_folder, working_alone, write_whole, writing
from morphoscope.apps.verbs.processes import usual_workers
from morphoscope.apps.verbs.shared_material import SharedMaterial
from morphoscope.apps.verbs.train import with_known_network
from morphoscope.apps.verbs.unfinished import beginning_of
from morphoscope.apps.verbs.workers import Failure, Talk, in_workers
from morphoscope.calibration.resolve import Scale
from morphoscope.data.split import Fold
from morphoscope.errors import MorphoscopeError, did_you_mean
from morphoscope.reporting.sweep_report import SweepPage, write_sweep_report
from morphoscope.reporting.sweep_table import sweep_table
from morphoscope.training.comparison.division import divided
from morphoscope.training.recipe import Recipe, load_recipe
from morphoscope.training.sweep.space import Parameter, load_space, with_values
from morphoscope.training.sweep.trial import SweepRun, SweepScore, score_of, untouched_trial

if TYPE_CHECKING:  # Optuna loads when a sweep begins
    from morphoscope.training.sweep.search import Pruning, Record, Search

TABLE, BEST, PAGE, TRIALS, PICTURES = "sweep.csv", "best.toml", "report.html", "trials", "pictures"
PRUNINGS = ("median", "hyperband", "none")
USUAL_TRIALS = 20


@dataclass(frozen=True, eq=False)
class SweepResult:
    """recipe: the best one, as best.toml has it. best: its trial. records: all trials. page: what report.html tells."""

    recipe: Recipe
    best: Record
    records: list[Record]
    page: SweepPage


def sweep(
    images: Paths,
    out: PathLike,
    *,
    space: PathLike,
    labels: Paths = (),
    recipe: PathLike = "default",
    trials: int = USUAL_TRIALS,
    time_budget_min: float | None = None,
    untouched: int = 20,
    pruning: Pruning = "median",
    seed: int = 0,
    group: str | None = None,
    sample: str | None = None,
    metadata: PathLike | None = None,
    scale: Scale | None = None,
    tasks: Sequence[str] = (),
    encoder: str | None = None,
    epochs: int | None = None,
    jobs: int | None = None,
    settings: Sequence[str] = (),
    say: Say = silent,
) -> SweepResult:
    """Tries settings of a recipe and writes sweep.csv, best.toml and report.html under `out`.

        found = morphoscope.sweep("images", "sweep", space="space.toml", labels="labels.csv", group="Sample", trials=30)

    The options are those of `morphoscope sweep`. trials: in all, those of an interrupted sweep in `out` included; it goes on.
    time_budget_min: no trial begins that would end later, judged by the longest so far. Returns the best recipe and every
    trial. Raises MorphoscopeError whose text is meant to be shown.
    """
    began, folder_out = time.monotonic(), Path(out)
    wanted = [f"seed={seed}", *([f"encoder={encoder}"] if encoder else []), *settings]
    start = plain(load_recipe(str(recipe), wanted), epochs)
    parameters = load_space(Path(space), start)
    _check(pruning, trials)
    claim_folder(folder_out, (), may_replace=True)
    request = FolderRequest.of(images, labels, metadata, None, group, sample, tasks, scale=scale)
    with working_alone(folder_out), writing(folder_out, "Make room there; the same command goes on with what is finished."):
        folder = read_folder(request, _largest(start, parameters), say)
        user_groups = [entry.group for entry in folder.catalogue.entries]
        division = divided(folder.truths, folder.effective_groups, user_groups, "80/20", [0], untouched)
        shutil.rmtree(folder_out / PICTURES, ignore_errors=True)
        try:
            search = _begun(folder_out, parameters, start, folder, request, division.final, seed, pruning)
            deadline = None if time_budget_min is None else began + 60 * time_budget_min
            state = _Sweep(folder_out, folder, start, parameters, search, division.final, trials, deadline, say)
            workers = jobs or usual_workers()
            state.run(workers)
            return state.finish(pruning, untouched, seed, workers, group)
        finally:
            shutil.rmtree(folder_out / PICTURES, ignore_errors=True)


@dataclass(eq=False)
class _Sweep:
    """A sweep that runs. longest: minutes of the longest trial so far. materials: prepared pictures by what they depend on."""

    out: Path
    folder: Folder
    start: Recipe
    space: list[Parameter]
    search: Search
    fold: Fold
    most: int
    deadline: float | None
    say: Say
    longest: float = 0.0
    materials: dict[str, SharedMaterial] = field(default_factory=dict)

    def run(self, workers: int) -> None:
        """Trials until there are enough, or time is up."""
        for (run, _), outcome in in_workers(_work, self._jobs(), min(workers, self.most), self._answer):
            if isinstance(outcome, Failure):
                self._failed(run.number, outcome.sentence)
            else:
                self.search.tell(run.number, outcome)
                self.longest = max(self.longest, outcome.minutes)
                how = f"ended early after {outcome.epochs} epochs" if outcome.is_pruned else f"{outcome.epochs} epochs"
                self.say(f"Trial {run.number}: validation accuracy {100 * outcome.validation_accuracy:.1f} %, {how}.")
            self._keep_only_the_best()
            self.write_tables()

    def write_tables(self) -> None:
        """sweep.csv and best.toml as far as they are known. Raises OSError."""
        records = self.search.records()
        write_whole(
            self.out / TABLE,
            sweep_table(records, self.start, self.space, [task.name for task in self.folder.catalogue.schema.tasks]),
        )
        if best := self.search.best():
            write_whole(self.out / BEST, self.recipe_of(best.values).to_toml())

    def recipe_of(self, values: dict[str, Any]) -> Recipe:
        """The recipe with a trial's values."""
        return with_values(self.start, values, "the sweep")

    def finish(self, pruning: str, untouched: int, seed: int, workers: int, group: str | None) -> SweepResult:
        """The report, with the untouched pictures asked once, by the best trial's network."""
        self.write_tables()
        best, records = self.search.best(), self.search.records()
        if best is None:
            why = next((f" ({record.error})" for record in records if record.error), "")
            raise MorphoscopeError(
                f"sweep: none of {len(records)} trials came to an end with a score{why}; expected one at least. "
                f"See {self.out / TABLE}, and give more --trials or time."
            )
        recipe = self.recipe_of(best.values)
        outcome = None
        if len(self.fold.test):
            run, material = self._job(best.number, best.values)
            outcome = untouched_trial(run, material.load())
        schema, truths = self.folder.catalogue.schema, self.folder.truths
        page = SweepPage(
            self.start.name, self.space, records, best, self.search.importances(), schema, truths, self.folder.effective_groups,
            outcome, self.fold, pruning, untouched, seed, workers, group,
        )  # fmt: skip
        write_whole(self.out / PAGE, write_sweep_report(page))
        score = best.score
        self.say(f"Best: trial {best.number}, validation accuracy {100 * (score.validation_accuracy if score else 0):.1f} %.")
        self.say(f"Its recipe: {self.out / BEST}; report: {self.out / PAGE}")
        return SweepResult(recipe, best, records, page)

    def _jobs(self) -> Iterator[tuple[SweepRun, SharedMaterial]]:
        while not self._is_time_up():
            asked = self.search.ask(self.most)
            if asked is None:
                return
            number, values = asked
            try:
                yield self._job(number, values)
            except MorphoscopeError as error:
                self._failed(number, str(error))

    def _is_time_up(self) -> bool:
        return self.deadline is not None and self.longest > 0 and time.monotonic() + 60 * self.longest > self.deadline

    def _job(self, number: int, values: dict[str, Any]) -> tuple[SweepRun, SharedMaterial]:
        recipe = with_known_network(self.recipe_of(values))
        deadline = self.deadline if self.longest == 0 else None
        return SweepRun(number, recipe, self.fold, self._folder_of(number), deadline), self._material(recipe)

    def _material(self, recipe: Recipe) -> SharedMaterial:
        key = recipe.model.model_dump_json(exclude={"dropout"})
        if key not in self.materials:
            self.materials[key] = SharedMaterial.of(self.folder.material(recipe, silent), self.out / PICTURES)
        return self.materials[key]

    def _folder_of(self, number: int) -> Path:
        return self.out / TRIALS / f"trial-{number:04d}"

    def _answer(self, job: tuple[SweepRun, SharedMaterial], said: tuple[int, float]) -> bool:
        return self.search.may_go_on(job[0].number, *said)

    def _failed(self, number: int, sentence: str) -> None:
        self.search.tell_failure(number, sentence)
        self.say(f"Trial {number} failed: {sentence}")

    def _keep_only_the_best(self) -> None:
        """Weights of other trials that have ended are of no more use."""
        best = self.search.best()
        for record in self.search.records():
            if record.state != "running" and (best is None or record.number != best.number):
                for weights in self._folder_of(record.number).glob("*.safetensors"):
                    weights.unlink()


def _work(job: tuple[SweepRun, SharedMaterial], talk: Talk) -> SweepScore:
    """In a worker: a trial, which tells of each epoch and hears whether to go on."""
    run, material = job
    return score_of(run, material.load(), lambda epoch, value: bool(talk((epoch, value))))


def _begun(
    out: Path,
    space: Sequence[Parameter],
    start: Recipe,
    folder: Folder,
    request: FolderRequest,
    fold: Fold,
    seed: int,
    pruning: Pruning,
) -> Search:
    """The search, new or gone on with. Raises OutputError where `out` holds that of something else."""
    from morphoscope.training.sweep.search import Search

    parts = {part: [folder.names[row] for row in rows] for part, rows in fold.parts().items()}
    begins_with = asdict(beginning_of(start, request, refit=False, ablate=False, folder=folder))
    content = json.dumps([begins_with, [asdict(one) for one in space], parts, seed, pruning], sort_keys=True)
    return Search(out, space, hashlib.sha256(content.encode()).hexdigest(), seed, pruning)


def _largest(start: Recipe, space: Sequence[Parameter]) -> Recipe:
    """The recipe with the largest pictures of the space, which decides how large working copies are."""
    sizes = [value for one in space if one.name == "model.image_size" for value in one.extremes()]
    return max([start, *(with_values(start, {"model.image_size": size}, "the sweep") for size in sizes)], key=working_side)


def _check(pruning: str, trials: int) -> None:
    if pruning not in PRUNINGS:
        raise MorphoscopeError(
            f"--pruning is '{pruning}'; expected {', '.join(PRUNINGS)}.{did_you_mean(pruning, PRUNINGS)} Correct it."
        )
    if trials < 1:
        raise MorphoscopeError(f"--trials is {trials}; expected 1 or more. Correct it.")
