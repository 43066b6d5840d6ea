"""The search of a sweep: Optuna proposes settings, hears validation accuracies, and keeps all of it in a journal on disk.

One process alone writes the journal; whoever trains talks to it. Each trial's proposal depends only on the seed, the trial's
number and what is known by then, so with one worker a sweep that was interrupted equals one that was not.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.importance import FanovaImportanceEvaluator, MeanDecreaseImpurityImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from morphoscope.errors import OutputError
from morphoscope.training.sweep.space import Parameter
from morphoscope.training.sweep.trial import SweepScore

Pruning = Literal["median", "hyperband", "none"]

JOURNAL = "sweep.journal"
_STUDY, _SIGNATURE, _ERROR = "sweep", "signature", "error"
UNPRUNED_TRIALS, UNPRUNED_EPOCHS = 4, 2
"""The first trials, and the first epochs of each, that are never ended early."""
RANDOM_TRIALS = 6
"""Proposed at random before the search models anything."""
FEWEST_FOR_IMPORTANCE = 4
_BEGINS_TRIAL, _IS_SETTING = b'"datetime_start":', b'"param_name":'
"""Keys of the journal's lines, as Optuna writes them. All of a trial's settings follow its beginning, with nothing of others between."""


@dataclass(frozen=True)
class Record:
    """A trial as it stands. values: by setting, as the recipe has them. score: where it has ended with one."""

    number: int
    state: str
    values: dict[str, Any]
    score: SweepScore | None
    error: str

    @property
    def is_complete(self) -> bool:
        """Whether it ended at its own time with a score."""
        return self.state == "complete"


class Search:
    """A study in a folder: new, or the one that was interrupted there."""

    def __init__(self, folder: Path, space: Sequence[Parameter], signature: str, seed: int, pruning: Pruning) -> None:
        """signature: of everything that makes trials comparable. Raises OutputError where the folder's study has another."""
        self._space, self._seed = list(space), seed
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path = folder / JOURNAL
        _mend(path, len(self._space))
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            study_name=_STUDY,
            direction="maximize",
            pruner=_pruner(pruning),
            load_if_exists=True,
        )
        known = self._study.user_attrs.get(_SIGNATURE, signature)
        if known != signature:
            raise OutputError(
                f"--out {folder}: it holds a sweep of other pictures, recipe, space or options; expected the same, or none. "
                "Choose another --out."
            )
        self._study.set_user_attr(_SIGNATURE, signature)
        self._open: dict[int, optuna.Trial] = {}
        self._interrupted = [trial for trial in self._trials() if trial.state == TrialState.RUNNING]

    def ask(self, most: int) -> tuple[int, dict[str, Any]] | None:
        """Number and settings of the next trial: first those that were interrupted; None where there are `most` already."""
        if self._interrupted:
            frozen = self._interrupted.pop(0)
            trial = optuna.Trial(self._study, frozen._trial_id)
        elif len(self._trials()) < most:
            self._study.sampler = _sampler(self._seed, len(self._trials()))
            trial = self._study.ask()
        else:
            return None
        self._open[trial.number] = trial
        self._study.sampler = _sampler(self._seed, trial.number)
        return trial.number, {one.name: one.value_of(_suggested(trial, one)) for one in self._space}

    def may_go_on(self, number: int, epoch: int, value: float) -> bool:
        """Notes an epoch's validation accuracy; False where the trial is to be ended, as others were better by then."""
        trial = self._open[number]
        if epoch not in self._trials()[number].intermediate_values:
            trial.report(value, epoch)
        return not trial.should_prune()

    def tell(self, number: int, score: SweepScore) -> None:
        """The trial has ended."""
        trial = self._open.pop(number)
        for name, value in asdict(score).items():
            trial.set_user_attr(name, value)
        state = TrialState.PRUNED if score.is_pruned else TrialState.COMPLETE
        self._study.tell(trial, None if score.is_pruned else score.validation_accuracy, state=state)

    def tell_failure(self, number: int, sentence: str) -> None:
        """The trial gave nothing."""
        trial = self._open.pop(number)
        trial.set_user_attr(_ERROR, sentence)
        self._study.tell(trial, state=TrialState.FAIL)

    def records(self) -> list[Record]:
        """All trials so far, in their order."""
        return [self._record(trial) for trial in self._trials()]

    def best(self) -> Record | None:
        """The complete trial of the highest validation accuracy; of equals, the one of the lowest validation loss."""
        found = [record for record in self.records() if record.is_complete and record.score]
        return max(
            found, key=lambda r: (r.score.validation_accuracy, -r.score.validation_loss) if r.score else (0, 0), default=None
        )

    def importances(self) -> dict[str, dict[str, float]]:
        """By method, each setting's share of the differences between complete trials; empty where there are too few.

        fANOVA: Hutter, Hoos & Leyton-Brown 2014; and the mean decrease in impurity of a random forest.
        """
        values = {record.score.validation_accuracy for record in self.records() if record.is_complete and record.score}
        if len(self._space) < 2 or len(values) < FEWEST_FOR_IMPORTANCE:
            return {}
        methods = {"fANOVA": FanovaImportanceEvaluator(seed=0), "impurity": MeanDecreaseImpurityImportanceEvaluator(seed=0)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return {
                name: {key: float(share) for key, share in get_param_importances(self._study, evaluator=method).items()}
                for name, method in methods.items()
            }

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _record(self, trial: FrozenTrial) -> Record:
        by_name = {one.name: one for one in self._space}
        values = {name: by_name[name].value_of(label) for name, label in trial.params.items()}
        attributes = dict(trial.user_attrs)
        error = str(attributes.pop(_ERROR, ""))
        has_score = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        return Record(trial.number, _state(trial.state), values, SweepScore(**attributes) if has_score else None, error)


def _state(state: TrialState) -> str:
    return "failed" if state == TrialState.FAIL else state.name.lower()


def _suggested(trial: optuna.Trial, one: Parameter) -> Any:
    """The trial's value of a parameter: a new one, or what an interrupted trial has."""
    if one.choices:
        return trial.suggest_categorical(one.name, one.labels)
    if one.is_whole:
        return trial.suggest_int(one.name, int(one.low), int(one.high), step=int(one.step or 1), log=one.is_log)
    return trial.suggest_float(one.name, one.low, one.high, step=one.step, log=one.is_log)


def _sampler(seed: int, number: int) -> optuna.samplers.BaseSampler:
    """Tree-structured Parzen estimator that counts running trials as bad, so that parallel ones look elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            seed=(seed * 1_000_003 + number) % 2**32, n_startup_trials=RANDOM_TRIALS, multivariate=True, constant_liar=True
        )


def _pruner(pruning: Pruning) -> optuna.pruners.BasePruner:
    if pruning == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS, n_warmup_steps=UNPRUNED_EPOCHS)
    if pruning == "hyperband":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.pruners.HyperbandPruner(min_resource=UNPRUNED_EPOCHS)
    return optuna.pruners.NopPruner()


def _mend(path: Path, n_settings: int) -> None:
    """A journal whose writer was killed may hold its lock, and end in half a line or in a trial with half of its settings; nobody
    else writes here. Such a trial is asked for again, with the same draws as before: settings that it has would not be drawn."""
    for left_over in path.parent.glob(f"{path.name}.lock*"):
        left_over.unlink(missing_ok=True)
    if not path.is_file():
        return
    content = path.read_bytes()
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
    begun = max((place for place, line in enumerate(lines) if _BEGINS_TRIAL in line), default=len(lines))
    if sum(_IS_SETTING in line for line in lines[begun:]) < n_settings:
        lines = lines[:begun]
    whole = sum(map(len, lines))
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
