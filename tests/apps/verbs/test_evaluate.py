"""A finished model on labelled pictures: figures by the contract, and honest about which pictures they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from morphoscope.apps.verbs.evaluate import evaluate
from morphoscope.errors import LabelSheetError, MorphoscopeError, OutputError
from morphoscope.reporting.run_summary import RunSummary
from morphoscope.synthesis import write_dataset


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered pictures of other samples than the model's."""
    folder = tmp_path_factory.mktemp("unseen")
    write_dataset("particles", 18, folder, size=(72, 96), seed=9)
    return folder


@pytest.fixture(scope="module")
def evaluated(trained: Path, unseen: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSummary, Path]:
    out = tmp_path_factory.mktemp("evaluated") / "evaluation"
    return evaluate(trained, unseen / "images", labels=unseen / "labels.csv", group="Sample", out=out), out


def metrics_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def test_its_files(evaluated: tuple[RunSummary, Path]) -> None:
    assert {path.name for path in evaluated[1].iterdir()} == {
        "metrics.json",
        "predictions.csv",
        "predictions.xlsx",
        "report.html",
    }


def test_figures_are_those_of_the_predictions(evaluated: tuple[RunSummary, Path], unseen: Path) -> None:
    run, out = evaluated
    table = pd.read_csv(out / "predictions.csv", dtype=str, keep_default_na=False)
    labels = pd.read_csv(unseen / "labels.csv", dtype=str, keep_default_na=False)
    for name, task in metrics_of(out)["tasks"].items():
        truth = labels[name].where(labels[name].isin(task["classes"]), "")
        assert list(table[f"{name}.true"]) == list(truth)
        known = table[table[f"{name}.true"] != ""]
        assert task["n"] == len(known)
        assert task["accuracy"] == pytest.approx((known[f"{name}.best"] == known[f"{name}.true"]).mean())
    assert not any("used to train" in warning for warning in run.warnings)


def test_it_says_when_the_model_has_seen_the_pictures(trained: Path, rendered: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run = evaluate(trained, rendered / "images", labels=rendered / "labels.csv", out=tmp_path / "e", say=said.append)
    splits = pd.read_csv(trained / "splits.csv")
    seen = (splits["split"] != "test").sum()
    sentence = f"{seen} of 36 pictures were used to train or choose this model"
    assert any(sentence in warning for warning in run.warnings)
    assert any(sentence in line for line in said)
    assert sentence in (tmp_path / "e" / "report.html").read_text(encoding="utf-8")


def test_the_held_out_pictures_give_the_figures_of_the_training(
    trained: Path, rendered: Path, settings_sheet: Path, tmp_path: Path
) -> None:
    splits = pd.read_csv(trained / "splits.csv")
    held_out = splits.loc[splits["split"] == "test", "filename"]
    labels = pd.read_csv(rendered / "labels.csv", dtype=str, keep_default_na=False)
    labels[labels["filename"].isin(held_out)].to_csv(tmp_path / "test.csv", index=False)
    evaluate(
        trained,
        rendered / "images",
        labels=tmp_path / "test.csv",
        metadata=settings_sheet,
        group="Sample",
        out=tmp_path / "e",
    )
    here, there = metrics_of(tmp_path / "e")["tasks"], metrics_of(trained)["tasks"]
    for name, task in there.items():
        for key in ("n", "accuracy", "accuracy_ci95", "balanced_accuracy", "confusion"):
            assert here[name][key] == task[key]


def test_a_sheet_without_any_task_of_the_model(trained: Path, unseen: Path, tmp_path: Path) -> None:
    labels = pd.read_csv(unseen / "labels.csv")[["filename"]].assign(Colour=["red", "blue"] * 9)
    labels.to_csv(tmp_path / "labels.csv", index=False)
    with pytest.raises(LabelSheetError, match="no column is a task of the model; found Colour"):
        evaluate(trained, unseen / "images", labels=tmp_path / "labels.csv", out=tmp_path / "e")


def test_some_tasks_are_enough(trained: Path, unseen: Path, tmp_path: Path) -> None:
    labels = pd.read_csv(unseen / "labels.csv", dtype=str, keep_default_na=False)
    labels[["filename", "Modality"]].to_csv(tmp_path / "labels.csv", index=False)
    evaluate(trained, unseen / "images", labels=tmp_path / "labels.csv", out=tmp_path / "e")
    tasks = metrics_of(tmp_path / "e")["tasks"]
    assert tasks["Modality"]["n"] == 18
    assert tasks["Morphology"]["n"] == 0
    assert tasks["Morphology"]["accuracy"] is None


def test_no_readable_picture(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tif").write_bytes(b"")
    (tmp_path / "labels.csv").write_text("filename,Modality\na,SEM\n", encoding="utf-8")
    with pytest.raises(MorphoscopeError, match="None of 1 files could be read as a picture"):
        evaluate(trained, tmp_path / "in", labels=tmp_path / "labels.csv", out=tmp_path / "e")


def test_an_earlier_evaluation_is_not_replaced_unasked(evaluated: tuple[RunSummary, Path], trained: Path, unseen: Path) -> None:
    with pytest.raises(OutputError, match=r"holds earlier results \(metrics.json, predictions.csv, report.html\)"):
        evaluate(trained, unseen / "images", labels=unseen / "labels.csv", out=evaluated[1])
