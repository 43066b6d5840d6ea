"""The same numbers again: by seed, by recipe, after a kill; and no resuming of something else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pandas as pd
import pytest
import torch

from morphoscope.apps.verbs.train import train
from morphoscope.errors import LabelSheetError, OutputError
from morphoscope.models.bundle import Bundle
from morphoscope.training import experiment
from morphoscope.training.fit import Fitted

SMALL = ("model.backbone=test_resnet", "model.image_size=64")
Figures = Callable[[Path], tuple[dict[str, Any], str, str]]
Start = Callable[..., "Popen[str]"]
FINAL_METRICS = "metrics.json"


class StoppedError(Exception):
    """Stands for whatever ends a run between two fits."""


@pytest.fixture
def options(rendered: Path) -> dict[str, Any]:
    return {"labels": rendered / "labels.csv", "group": "Sample", "tasks": ["Modality"], "epochs": 2, "settings": SMALL}


@pytest.fixture
def unfinished(rendered: Path, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was stopped when its only fit had begun."""

    def stopped(*_: object) -> Fitted:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "fit", stopped)
        with pytest.raises(StoppedError):
            train(rendered / "images", **options, out=tmp_path / "run")
    return tmp_path / "run"


def test_a_seed_decides_the_numbers(rendered: Path, options: dict[str, Any], tmp_path: Path, figures: Figures) -> None:
    for name, seed in (("once", 7), ("twice", 7), ("other", 8)):
        train(rendered / "images", **options | {"epochs": 1}, seed=seed, out=tmp_path / name)
    assert figures(tmp_path / "once") == figures(tmp_path / "twice")
    assert figures(tmp_path / "once")[1] != figures(tmp_path / "other")[1]


@pytest.mark.parametrize(
    "further",
    [{"split": "kfold:2x1"}, pytest.param({"split": "kfold:2x1", "ablate": True}, marks=pytest.mark.slow)],
    ids=["folds", "ablations"],
)
def test_the_recipe_alone_repeats_a_run_with_all_its_options(
    further: dict[str, Any], rendered: Path, settings_sheet: Path, options: dict[str, Any], tmp_path: Path, figures: Figures
) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    train(rendered / "images", **options | {"epochs": 1}, **further, metadata=settings_sheet, scale="header", out=first)
    train(recipe=first / "recipe.toml", out=again)
    assert figures(first) == figures(again)
    assert (first / "recipe.toml").read_text(encoding="utf-8") == (again / "recipe.toml").read_text(encoding="utf-8")


def test_a_repeat_ignores_the_clock(rendered: Path, options: dict[str, Any], tmp_path: Path, figures: Figures) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    train(rendered / "images", **options | {"epochs": 500}, time_budget_min=0.03, out=first)
    assert len(pd.read_csv(first / "history.csv")) < 500
    train(rendered / "images", recipe=first / "recipe.toml", time_budget_min=0.01, out=again)
    assert figures(first) == figures(again)


@pytest.fixture
def calibrating(options: dict[str, Any]) -> dict[str, Any]:
    return options | {"epochs": 1, "settings": (*SMALL, "fit.calibration_fits=2")}


def test_further_fits_calibrate_and_a_repeat_has_as_many(
    rendered: Path, options: dict[str, Any], calibrating: dict[str, Any], tmp_path: Path, figures: Figures
) -> None:
    plain, first, again = (tmp_path / name for name in ("plain", "first", "again"))
    train(rendered / "images", **options | {"epochs": 1}, out=plain)
    train(rendered / "images", **calibrating, out=first)
    assert (first / "splits.csv").read_bytes() == (plain / "splits.csv").read_bytes()
    few, many = (Bundle.load(run) for run in (plain, first))
    n_validation = (pd.read_csv(first / "splits.csv")["split"] == "validation").sum()
    assert few.confidence[0].n_calibration == n_validation
    assert many.confidence[0].n_calibration > 2 * n_validation
    for name, tensor in few.network.state_dict().items():
        assert torch.equal(tensor, many.network.state_dict()[name]), "the model itself is the same"
    train(recipe=first / "recipe.toml", time_budget_min=10, out=again)
    assert figures(first) == figures(again)
    assert (first / "recipe.toml").read_text(encoding="utf-8") == (again / "recipe.toml").read_text(encoding="utf-8")
    page = (first / "report.html").read_text(encoding="utf-8")
    assert "each picture answered by a network that did not learn from it" in page


def test_a_run_stopped_while_it_calibrates_goes_on_there(
    rendered: Path, calibrating: dict[str, Any], tmp_path: Path, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = experiment.fit

    def until_calibration(task: Any, deadline: float | None = None, resume: bool = False) -> Fitted:
        if task.label.endswith("calibration 2"):
            raise StoppedError
        return usual(task, deadline, resume)

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "fit", until_calibration)
        with pytest.raises(StoppedError):
            train(rendered / "images", **calibrating, out=tmp_path / "stopped")
    said: list[str] = []
    train(rendered / "images", **calibrating, resume=True, out=tmp_path / "stopped", say=said.append)
    train(rendered / "images", **calibrating, out=tmp_path / "whole")
    assert figures(tmp_path / "stopped") == figures(tmp_path / "whole")
    assert said.count("  It is finished already.") == 2


def test_what_is_left_of_a_time_budget_calibrates(rendered: Path, options: dict[str, Any], tmp_path: Path) -> None:
    train(rendered / "images", **options | {"epochs": 1}, time_budget_min=5, out=tmp_path / "run")
    n_validation = (pd.read_csv(tmp_path / "run" / "splits.csv")["split"] == "validation").sum()
    assert Bundle.load(tmp_path / "run").confidence[0].n_calibration > 3 * n_validation


def test_epochs_given_beside_the_recipe_of_a_run_are_taken(trained: Path, tmp_path: Path) -> None:
    train(recipe=trained / "recipe.toml", epochs=3, tasks=["Modality"], out=tmp_path / "longer")
    assert len(pd.read_csv(tmp_path / "longer" / "history.csv")) == 3


def test_the_recipe_of_a_run_lends_no_sheet_to_other_pictures(trained: Path, class_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelSheetError, match=r"class folders of .*--group names 'Sample'"):
        train(class_folders, recipe=trained / "recipe.toml", epochs=1, out=tmp_path / "other")


def kill_once_a_checkpoint_is_there(process: Popen[str], run: Path) -> None:
    deadline = time.monotonic() + 300
    while not list(run.rglob("last.ckpt")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()


def test_a_run_killed_in_the_middle_ends_with_the_numbers_of_an_undisturbed_one(
    rendered: Path, small: list[str], tmp_path: Path, start: Start, figures: Figures
) -> None:
    words = ["train", rendered / "images", "--labels", rendered / "labels.csv", "--tasks", "Modality", "--epochs", 12, *small]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_once_a_checkpoint_is_there(start(*words, "--checkpoint-seconds", 0, "--out", killed), killed)
    assert not (killed / "metrics.json").exists()
    options: dict[str, Any] = {"labels": rendered / "labels.csv", "tasks": ["Modality"], "epochs": 12, "settings": SMALL}
    said: list[str] = []
    resumed = train(rendered / "images", **options, resume=True, out=killed, say=said.append)
    undisturbed = train(rendered / "images", **options, out=whole)
    assert list(resumed.history["epoch"]) == list(undisturbed.history["epoch"])
    assert figures(killed) == figures(whole)
    assert "  It goes on from its checkpoint." in said
    assert not list(killed.rglob("*.ckpt")), "a finished run keeps no checkpoint"


def test_folds_that_were_finished_are_not_trained_again(
    rendered: Path, options: dict[str, Any], tmp_path: Path, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[str] = []
    usual = experiment.fit

    def until_second(task: Any, deadline: float | None = None, resume: bool = False) -> Fitted:
        fits.append(task.label)
        if len(fits) == 2:
            raise StoppedError
        return usual(task, deadline, resume)

    options |= {"split": "kfold:2x1", "epochs": 1}
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "fit", until_second)
        with pytest.raises(StoppedError):
            train(rendered / "images", **options, out=tmp_path / "stopped")
    finished = tmp_path / "stopped" / "fits" / "fold-1-of-2" / "finished.json"
    before = json.loads(finished.read_text(encoding="utf-8"))
    train(rendered / "images", **options, resume=True, out=tmp_path / "stopped")
    train(rendered / "images", **options, out=tmp_path / "whole")
    assert json.loads(finished.read_text(encoding="utf-8")) == before
    assert figures(tmp_path / "stopped") == figures(tmp_path / "whole")


def resume_refused(images: Path, out: Path, options: dict[str, Any]) -> str:
    with pytest.raises(OutputError) as refused:
        train(images, **options, resume=True, out=out)
    return str(refused.value)


def test_resume_without_a_run_says_so(rendered: Path, options: dict[str, Any], tmp_path: Path) -> None:
    sentence = resume_refused(rendered / "images", tmp_path / "none", options)
    assert "no run was begun there" in sentence
    assert sentence.endswith("Leave --resume out to begin one.")


def test_resume_of_a_finished_run_says_so(rendered: Path, options: dict[str, Any], trained: Path) -> None:
    sentence = resume_refused(rendered / "images", trained, options)
    assert "the run there is finished" in sentence
    assert "--overwrite" in sentence


def test_resume_with_other_settings_names_them(rendered: Path, unfinished: Path, options: dict[str, Any]) -> None:
    changed = options | {"settings": [*SMALL, "fit.learning_rate=0.002"], "group": None}
    sentence = resume_refused(rendered / "images", unfinished, changed)
    assert "fit.learning_rate was 0.001 and is 0.002" in sentence
    assert "--group was Sample and is None" in sentence


@pytest.fixture
def own_pictures(rendered: Path, tmp_path: Path, options: dict[str, Any]) -> Iterator[Path]:
    """A copy of the pictures that a test may change."""
    folder = tmp_path / "images"
    folder.mkdir()
    for path in (rendered / "images").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    yield folder


def test_resume_with_other_pictures_names_them(own_pictures: Path, unfinished: Path, options: dict[str, Any]) -> None:
    first, second, third, *_ = sorted(own_pictures.iterdir())
    first.write_bytes(second.read_bytes())
    third.unlink()
    sentence = resume_refused(own_pictures, unfinished, options)
    assert f"1 gone ({third.name})" in sentence
    assert f"1 of another content, label, group or metadata ({first.name})" in sentence


def test_resume_where_the_pictures_moved_is_fine(own_pictures: Path, unfinished: Path, options: dict[str, Any]) -> None:
    train(own_pictures, **options, resume=True, out=unfinished)
    assert (unfinished / "metrics.json").exists()


def test_an_unfinished_run_is_not_overwritten_unasked(rendered: Path, unfinished: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OutputError, match="add --resume to go on with it, or --overwrite to replace it"):
        train(rendered / "images", **options, out=unfinished)
    assert (unfinished / "fits" / "unfinished.json").exists()
