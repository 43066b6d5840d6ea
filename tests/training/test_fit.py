"""One fit: its record, the weights it keeps, when it stops, what it leaves for a resume. And what a refit knows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.split import Fold
from morphoscope.inference.forward import FUSED
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.network import NetworkSpec
from morphoscope.schema import Schema, Task
from morphoscope.training import callbacks
from morphoscope.training.experiment import Material, Pace, answers, held_back_answers, run_refit, run_trial
from morphoscope.training.fit import FitTask, Fitted, fit
from morphoscope.training.recipe import Recipe, checked_recipe
from morphoscope.training.samples import Samples

SHAPE, DIRECTION = Task("Shape", ("Stripes", "Noise")), Task("Direction", ("Down", "Across", "None"), is_multilabel=True)
SCHEMA = Schema((SHAPE, DIRECTION))
COUNT = 32
NOTHING = np.array([], dtype=int)


def recipe(**fit_settings: Any) -> Recipe:
    settings = {"epochs": 3, "batch_size": 8, "precision": "fp32", "learning_rate": 0.003} | fit_settings
    model = {"backbone": "test_resnet", "image_size": 32, "branches": ["image"]}
    return checked_recipe({"encoder": "random", "model": model, "fit": settings}, "test")


@pytest.fixture(scope="module")
def material() -> Material:
    """Stripes down or across, or noise, 32 x 48 px; the second task is unlabelled for a quarter of the pictures."""
    rng = np.random.default_rng(0)
    rows = np.arange(32)[:, None] * np.ones((1, 48))
    columns = np.ones((32, 1)) * np.arange(48)[None]
    canvases = []
    for index in range(COUNT):
        wave = (rows, columns)[index // 2 % 2]
        stripes = 128 + 90 * np.sin(wave * 0.9 + index)
        canvases.append(stripes if index % 2 == 0 else 128 + 60 * rng.standard_normal((32, 48)))
    shape = np.array([[index % 2 == 0, index % 2 == 1] for index in range(COUNT)])
    direction = np.stack([(index % 2 == 0) & (index // 2 % 2 == np.array([1, 0, -1])) for index in range(COUNT)])
    direction[1::2, 2] = True
    direction[3::4] = False
    pixels = np.clip(np.stack(canvases), 0, 255).astype(np.uint8)
    return Material(SCHEMA, Preprocessing(32, 48), pixels, {}, [{}] * COUNT, [shape, direction])


@pytest.fixture
def task(material: Material, tmp_path: Path) -> FitTask:
    encoder = MetadataEncoder()
    spec = NetworkSpec({"image": {"backbone": "test_resnet"}}, SCHEMA)
    samples = Samples(material.canvases, {}, material.truths)
    return FitTask(spec, encoder, samples, np.arange(24), np.arange(24, 32), recipe(), tmp_path / "fit")


def same_network(one: Fitted, other: Fitted) -> bool:
    pairs = zip(one.network.state_dict().values(), other.network.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_record_has_a_row_an_epoch_and_the_best_is_kept(task: FitTask) -> None:
    fitted = fit(task)
    assert list(fitted.history["epoch"]) == [1, 2, 3]
    assert {"train_loss", "validation_loss", "validation_accuracy[Shape]", "learning_rate"} <= set(fitted.history)
    assert fitted.best_epoch == fitted.history["epoch"][fitted.history["validation_loss"][::-1].idxmin()]
    assert (fitted.epochs, fitted.stopped_after, fitted.batch_size) == (3, 3, 8)
    assert fitted.history["learning_rate"].iloc[-1] < fitted.history["learning_rate"].iloc[0] / 10


def test_it_learns_and_the_kept_network_is_the_one_that_was_measured(task: FitTask) -> None:
    fitted = fit(replace(task, recipe=recipe(epochs=12)))
    said = answers(fitted, task.samples, task.validation, {}).logits[FUSED][0]
    right = (said.argmax(1) == task.samples.truths[0][task.validation].argmax(1)).mean()
    assert right == pytest.approx(fitted.history["validation_accuracy[Shape]"][fitted.best_epoch - 1])
    assert right >= 0.75


def test_data_decide_epochs_and_batch_size_where_the_recipe_leaves_them_open(task: FitTask) -> None:
    fitted = fit(replace(task, recipe=recipe(epochs=0, batch_size=0, stopped_after=1)))
    assert (fitted.epochs, fitted.batch_size, fitted.stopped_after) == (100, 4, 1)


def test_the_clock_bounds_the_epochs_and_the_learning_rate_still_comes_down(
    task: FitTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("morphoscope.training.fit._seconds_per_epoch", lambda *_: 100.0)
    fitted = fit(replace(task, recipe=recipe(epochs=100_000, patience=10)), deadline=time.monotonic() + 1000)
    assert 5 <= fitted.epochs <= 9, "as many as the budget holds, less a margin"
    assert fitted.stopped_after == fitted.epochs
    assert fitted.history["learning_rate"].iloc[-1] < fitted.history["learning_rate"].max() / 2


def test_the_pace_of_an_epoch_is_measured(task: FitTask) -> None:
    fitted = fit(replace(task, recipe=recipe(epochs=100_000, patience=10)), deadline=time.monotonic() + 3)
    assert 1 <= fitted.epochs < 100_000


def test_a_deadline_in_the_past_still_gives_a_network(task: FitTask) -> None:
    assert fit(task, deadline=time.monotonic() - 10).stopped_after == 1


@pytest.mark.parametrize("patience", [{"patience": 0.1}, {"patience_epochs": 2}], ids=str)
def test_no_progress_ends_it_early(task: FitTask, monkeypatch: pytest.MonkeyPatch, patience: dict[str, float]) -> None:
    monkeypatch.setattr("morphoscope.training.module._calibrated_loss", lambda *_: 1.0 + next(rising))
    rising = iter(range(100))
    fitted = fit(replace(task, recipe=recipe(epochs=20, **patience)))
    assert fitted.best_epoch == 1
    assert fitted.stopped_after == 3


def test_a_watcher_hears_of_every_epoch_once_and_may_end_the_fit(task: FitTask) -> None:
    heard: list[int] = []

    def watch(epoch: int, figures: Mapping[str, float]) -> bool:
        assert "validation_loss" in figures
        heard.append(epoch)
        return epoch < 2

    assert fit(replace(task, watch=watch)).stopped_after == 2
    assert heard == [1, 2]


def test_without_pictures_to_stop_by_the_last_epoch_is_kept(task: FitTask) -> None:
    fitted = fit(replace(task, training=np.arange(32), validation=NOTHING))
    assert fitted.best_epoch == fitted.stopped_after == 3
    assert "validation_loss" not in fitted.history


def test_tasks_without_a_label_in_a_batch_or_at_all_are_no_nan(task: FitTask) -> None:
    shape, direction = task.samples.truths
    samples = Samples(task.samples.canvases, {}, [shape, np.zeros_like(direction)])
    fitted = fit(replace(task, samples=samples))
    assert np.isfinite(fitted.history["train_loss"]).all()
    assert "validation_accuracy[Direction]" not in fitted.history


class Killed(BaseException):
    """Ends a fit as no handler expects."""


def killed_after(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killer(callbacks.EpochBar):
        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch + 1 == epoch:
                raise Killed

    monkeypatch.setattr("morphoscope.training.fit.EpochBar", Killer)


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_resumed_fit_is_the_undisturbed_one_to_the_last_bit(
    epoch: int, task: FitTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(task, recipe=recipe(epochs=4), checkpoint_seconds=0)
    with monkeypatch.context() as patch:
        killed_after(epoch, patch)
        with pytest.raises(Killed):
            fit(task)
    resumed = fit(task, resume=True)
    whole = fit(replace(task, folder=tmp_path / "whole"))
    assert same_network(resumed, whole)
    assert resumed.history.equals(whole.history)
    assert resumed.best_epoch == whole.best_epoch


def test_a_finished_fit_is_loaded_and_not_repeated(task: FitTask, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fit(task)
    monkeypatch.setattr("morphoscope.training.fit._trainer", None)
    again = fit(task, resume=True)
    assert same_network(first, again)
    assert again.history.equals(first.history)
    assert not (task.folder / "last.ckpt").exists()


def test_a_resumed_fit_keeps_the_plan_whatever_the_clock_says_now(task: FitTask, monkeypatch: pytest.MonkeyPatch) -> None:
    task = replace(task, checkpoint_seconds=0)
    with monkeypatch.context() as patch:
        killed_after(1, patch)
        with pytest.raises(Killed):
            fit(task)
    assert json.loads((task.folder / "plan.json").read_text(encoding="utf-8")) == {"epochs": 3, "batch_size": 8}
    assert fit(task, deadline=time.monotonic() + 100, resume=True).epochs == 3


def test_checkpoints_come_as_often_as_asked(task: FitTask, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    usual = callbacks.AtomicCheckpoint.write
    monkeypatch.setattr(callbacks.AtomicCheckpoint, "write", lambda self, t: (written.append(t.current_epoch), usual(self, t)))
    fit(replace(task, checkpoint_seconds=0))
    assert written == [0, 1, 2]
    written.clear()
    fit(replace(task, checkpoint_seconds=1000))
    assert written == []


def test_it_can_run_outside_the_main_thread(task: FitTask) -> None:
    found: list[Fitted] = []
    thread = threading.Thread(target=lambda: found.append(fit(replace(task, recipe=recipe(epochs=1)))))
    thread.start()
    thread.join()
    assert found[0].stopped_after == 1


@pytest.fixture
def trial_of(material: Material, tmp_path: Path) -> Callable[[Fold], Any]:
    def run(fold: Fold) -> Any:
        return run_trial(material, fold, recipe(epochs=2), tmp_path / f"fold {fold.fold}", "trial", Pace())

    return run


def test_each_row_is_answered_by_a_trial_that_did_not_learn_from_it(trial_of: Callable[[Fold], Any]) -> None:
    rows = np.arange(COUNT)
    folds = [Fold(rows[12:], rows[8:12], rows[:8], 0, 0), Fold(rows[:16], rows[16:20], rows[20:], 0, 1)]
    trials = [trial_of(fold) for fold in folds]
    held_back, logits = held_back_answers(trials)
    assert list(held_back) == list(range(12)) + list(range(16, 32))
    assert [one.shape for one in logits] == [(28, 2), (28, 3)]
    first, second = trials
    for task_index in range(2):
        found = dict(zip(held_back, logits[task_index], strict=True))
        for row in range(8):
            assert np.array_equal(found[row], first.test.logits[FUSED][task_index][row])
        for place, row in enumerate(range(16, 20)):
            assert np.array_equal(found[row], second.validation.logits[FUSED][task_index][place])
        for place, row in enumerate(range(20, 32)):
            assert np.array_equal(found[row], second.test.logits[FUSED][task_index][place])


def test_a_refit_learns_from_all_and_takes_confidence_from_the_trials(
    material: Material, trial_of: Callable[[Fold], Any], tmp_path: Path
) -> None:
    rows = np.arange(COUNT)
    trial = trial_of(Fold(rows[:16], rows[16:24], rows[24:], 0, 0))
    refit = run_refit(material, [trial], recipe(epochs=2), tmp_path / "refit", "refit", Pace())
    assert [one.n_calibration for one in refit.confidence[FUSED]] == [16, material.truths[1][16:].any(1).sum()]
    assert trial.strangeness > 1
    assert len(refit.novelty.references) == COUNT
    assert refit.fitted.stopped_after == 2
