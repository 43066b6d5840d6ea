"""compare from the command line: its table and page, resuming after a kill, and bad input as sentences."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from morphoscope.apps.verbs import compare as verb

CONTRACT = [
    "recipe",
    "seed",
    "fold",
    "task",
    "train_accuracy",
    "test_accuracy",
    "balanced_accuracy",
    "parameters",
    "images_per_second",
    "minutes",
]
CLOCK = ["minutes", "images_per_second", "training_images_per_second"]
TASKS = ["Modality", "Arrangement"]


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two small recipes, and one whose weights can't be had."""
    folder = tmp_path_factory.mktemp("recipes")
    settings = {"one": ("test_resnet", "random"), "two": ("test_vit", "random"), "far": ("resnet10t", "imagenet")}
    for name, (backbone, encoder) in settings.items():
        model = f'[model]\nbackbone = "{backbone}"\nimage_size = 32\nbranches = ["image"]\n'
        (folder / f"{name}.toml").write_text(f'name = "{name}"\nencoder = "{encoder}"\n{model}', encoding="utf-8")
    return ",".join(str(folder / f"{name}.toml") for name in ("one", "far", "two"))


@pytest.fixture(scope="module")
def words(rendered: Path, recipes: str) -> list[object]:
    """A comparison of some seconds."""
    data = [rendered / "images", "--labels", rendered / "labels.csv", "--group", "Sample", "--tasks", ",".join(TASKS)]
    return ["compare", *data, "--recipes", recipes, "--seeds", "1,", "--split", "80/20", "--epochs", 1, "--jobs", 1]


def without_clock(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "compare.csv").drop(columns=CLOCK)


def test_a_comparison_has_every_run_the_failures_and_an_untouched_figure(
    morphoscope, words: list[object], tmp_path: Path, start, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    said = morphoscope(*words, "--out", whole)
    assert said.code == 0, said.err
    table = pd.read_csv(whole / "compare.csv")
    assert list(table.columns[:10]) == CONTRACT
    assert table[["recipe", "seed", "fold", "task"]].values.tolist() == [
        [recipe, 1, 0, task] for recipe in ("one", "two") for task in TASKS
    ]
    assert table[["train_accuracy", "test_accuracy", "majority_accuracy"]].stack().between(0, 1).all()
    errors = pd.read_csv(whole / "errors.csv")
    assert errors["recipe"].tolist() == ["far"]
    assert "not on this machine" in errors["error"][0]
    page = (whole / "report.html").read_text(encoding="utf-8")
    assert "not on this machine" in page
    assert "untouched pictures" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")

    process = start(*words, "--out", killed)
    while not (finished := list(killed.glob("runs/*/result.json"))):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in finished}
    assert morphoscope(*words, "--out", killed).code == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == before
    assert without_clock(killed).equals(without_clock(whole))

    def refuse(*_: object) -> None:
        raise AssertionError("a finished run was repeated")

    monkeypatch.setattr(verb, "run_once", refuse)
    tables = [(whole / name).read_bytes() for name in ("compare.csv", "pairs.csv", "report.html")]
    assert morphoscope(*words, "--out", whole).code == 0
    assert [(whole / name).read_bytes() for name in ("compare.csv", "pairs.csv", "report.html")] == tables


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--recipes", "defualt", "Did you mean 'default'"),
        ("--recipes", "", "expected one or more"),
        ("--seeds", "1,two", "expected how many, such as 3, or which"),
        ("--untouched", "80", "expected a percentage from 0"),
        ("--split", "kfold", "is no protocol"),
        ("--set", "model.backbon=x", "Did you mean 'model.backbone'"),
    ],
)
def test_bad_usage_is_one_sentence(option: str, value: str, said: str, morphoscope, rendered: Path, tmp_path: Path) -> None:
    usual = {"--recipes": "default", "--labels": str(rendered / "labels.csv")} | {option: value}
    options = [word for pair in usual.items() for word in pair]
    assert said in morphoscope("compare", rendered / "images", *options, "--out", tmp_path / "out").sentence


def test_without_any_result_it_fails_with_the_first_reason(morphoscope, rendered: Path, tmp_path: Path) -> None:
    data = [rendered / "images", "--labels", rendered / "labels.csv"]
    small = ["--set", "model.image_size=32", "--set", 'model.branches=["image"]']
    said = morphoscope("compare", *data, "--recipes", "default", "--encoder", "imagenet", *small, "--out", tmp_path / "out")
    assert "none of 1 recipes gave a result" in said.sentence
    assert "nothing to compare" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
