"""sweep from the command line: its files, resuming after a kill, and bad input as sentences."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from morphoscope.training.recipe import load_recipe

SPACE = '"fit.learning_rate" = { low = 1e-4, high = 1e-2, log = true }\n"augmentation.flip" = [true, false]\n'


@pytest.fixture
def words(rendered: Path, tmp_path: Path) -> list[object]:
    """A sweep of some seconds."""
    space = tmp_path / "space.toml"
    space.write_text(SPACE, encoding="utf-8")
    data = [rendered / "images", "--labels", rendered / "labels.csv", "--group", "Sample", "--tasks", "Modality"]
    settings = ["model.backbone=test_resnet", "model.image_size=32", 'model.branches=["image"]']
    network = [*(word for setting in settings for word in ("--set", setting)), "--encoder", "random", "--epochs", 1]
    return ["sweep", *data, "--space", space, *network, "--jobs", 1]


def settled(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "sweep.csv").drop(columns="minutes")


def test_a_killed_sweep_goes_on_and_ends_as_one_that_was_not(morphoscope, words: list[object], tmp_path: Path, start) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    said = morphoscope(*words, "--trials", 2, "--out", whole)
    assert said.code == 0, said.err
    process = start(*words, "--trials", 2, "--out", killed)
    while not (killed / "sweep.csv").is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert morphoscope(*words, "--trials", 2, "--out", killed).code == 0
    pd.testing.assert_frame_equal(settled(killed), settled(whole), rtol=1e-5)  # sums in another process may end in other digits
    table = settled(whole)
    assert list(table["trial"]) == [0, 1]
    assert table["fit.learning_rate"].between(1e-4, 1e-2).all()
    assert {"validation_accuracy", "train_accuracy", "epochs", "state", "model.backbone"} <= set(table)
    best = table.sort_values(["validation_accuracy", "validation_loss"], ascending=[False, True]).iloc[0]
    recipe = load_recipe(str(whole / "best.toml"))
    assert recipe.fit.learning_rate == pytest.approx(best["fit.learning_rate"])
    assert recipe.augmentation.flip == best["augmentation.flip"]
    page = (whole / "report.html").read_text(encoding="utf-8")
    assert f"Trial {best['trial']}" in page
    assert "untouched picture" in page
    assert len(list(whole.glob("trials/*/*.safetensors"))) == 1
    other = morphoscope(*words, "--seed", 5, "--trials", 2, "--out", whole)
    assert "it holds a sweep of other pictures, recipe, space or options" in other.sentence


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ('"fit.learning_rat" = [0.1]', [], "Did you mean 'fit.learning_rate'"),
        (SPACE, ["--recipe", "defualt"], "Did you mean 'default'"),
        (SPACE, ["--space", "nowhere.toml"], "it can't be read"),
    ],
)
def test_bad_usage_is_one_sentence(
    text: str, options: list[str], said: str, morphoscope, words: list[object], tmp_path: Path
) -> None:
    (tmp_path / "space.toml").write_text(text, encoding="utf-8")
    assert said in morphoscope(*words, *options, "--out", tmp_path / "out").sentence


def test_without_any_score_it_fails_with_the_first_reason(morphoscope, words: list[object], tmp_path: Path) -> None:
    said = morphoscope(*words, "--encoder", "imagenet", "--trials", 1, "--out", tmp_path / "out")
    assert "none of 1 trials came to an end with a score (--encoder imagenet" in said.sentence
    assert pd.read_csv(tmp_path / "out" / "sweep.csv")["state"].tolist() == ["failed"]
