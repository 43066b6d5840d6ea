"""The files of a training, by the contract that other programs rely on."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from morphoscope.models.bundle import Bundle

TASK_KEYS = {
    "n",
    "accuracy",
    "accuracy_ci95",
    "majority_accuracy",
    "balanced_accuracy",
    "macro_f1",
    "skill",
    "ece",
    "coverage",
    "accuracy_at_coverage",
    "classes",
    "confusion",
    "per_class",
    "confused_pairs",
}
RUN_KEYS = {"tasks", "split", "encoder", "seconds_training", "seconds_inference_per_image", "peak_memory_mb", "versions"}


@pytest.fixture(scope="module")
def metrics(trained: Path) -> dict[str, Any]:
    return json.loads((trained / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def predictions(trained: Path) -> pd.DataFrame:
    return pd.read_csv(trained / "predictions.csv", dtype=str, keep_default_na=False)


def test_every_file_is_there(trained: Path) -> None:
    found = {path.name for path in trained.iterdir()}
    expected = {"model", "metrics.json", "report.html", "predictions.csv", "predictions.xlsx", "splits.csv", "recipe.toml"}
    assert expected | {"history.csv", "fits"} == found
    assert list(trained.rglob("events.out.tfevents.*")), "no TensorBoard events"


def test_nothing_is_left_to_resume(trained: Path) -> None:
    left = {path.name for path in (trained / "fits").rglob("*") if path.is_file() and "tensorboard" not in path.parts}
    assert left == {"plan.json", "finished.json"}


def test_metrics_have_the_keys_of_the_contract(metrics: dict[str, Any]) -> None:
    assert set(metrics) >= RUN_KEYS
    assert list(metrics["tasks"]) == ["Modality", "Particle count", "Morphology", "Structure", "Arrangement"]
    for task in metrics["tasks"].values():
        assert set(task) >= TASK_KEYS
        low, high = task["accuracy_ci95"]
        assert 0 <= low <= task["accuracy"] <= high <= 1
        assert set(task["per_class"]) == set(task["classes"])
        assert all(set(one) == {"precision", "recall", "f1", "n"} for one in task["per_class"].values())
        assert all(set(one) == {"true", "predicted", "n", "percent_of_true"} for one in task["confused_pairs"])
    assert {"python", "torch", "morphoscope"} <= set(metrics["versions"])
    assert metrics["seconds_training"] > 0
    assert 0 < metrics["seconds_inference_per_image"] < 1
    assert metrics["peak_memory_mb"] > 50


def test_figures_agree_with_the_predictions(metrics: dict[str, Any], predictions: pd.DataFrame) -> None:
    for name, task in metrics["tasks"].items():
        labelled = predictions[predictions[f"{name}.true"] != ""]
        assert task["n"] == len(labelled)
        assert task["accuracy"] == pytest.approx((labelled[f"{name}.best"] == labelled[f"{name}.true"]).mean())
        # Rows of the confusion matrix are the truth.
        assert [sum(row) for row in task["confusion"]] == [(labelled[f"{name}.true"] == c).sum() for c in task["classes"]]


def test_skill_is_the_gain_over_the_majority_class(metrics: dict[str, Any]) -> None:
    for task in metrics["tasks"].values():
        expected = (task["accuracy"] - task["majority_accuracy"]) / (1 - task["majority_accuracy"])
        assert task["skill"] == pytest.approx(expected)


def test_predictions_have_the_columns_of_the_contract(predictions: pd.DataFrame, metrics: dict[str, Any]) -> None:
    columns = ["path", "status", "error", "pixel_size_nm", "pixel_size_origin", "novelty"]
    for name, task in metrics["tasks"].items():
        columns += [name, f"{name}.best", f"{name}.confidence", f"{name}.set", f"{name}.true"]
        columns += [f"{name}.p[{each}]" for each in task["classes"]]
    assert list(predictions) == columns
    assert set(predictions["status"]) == {"ok"}
    assert predictions["novelty"].astype(float).between(0, 1).all()
    for name, task in metrics["tasks"].items():
        probabilities = predictions[[f"{name}.p[{each}]" for each in task["classes"]]].astype(float)
        assert probabilities.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
        assert (predictions[name].isin(["", *task["classes"]])).all()


def test_the_workbook_holds_the_same_rows(trained: Path, predictions: pd.DataFrame) -> None:
    twin = pd.read_excel(trained / "predictions.xlsx")
    assert list(twin) == list(predictions)
    assert list(twin["path"]) == list(predictions["path"])


def test_splits_name_every_picture_once_and_divide_no_group(trained: Path, rendered: Path, predictions: pd.DataFrame) -> None:
    splits = pd.read_csv(trained / "splits.csv")
    assert list(splits) == ["filename", "split", "fold", "repeat", "group"]
    labels = pd.read_csv(rendered / "labels.csv")
    assert sorted(splits["filename"]) == sorted(labels["filename"])
    assert (splits.groupby("group")["split"].nunique() == 1).all()
    assert set(splits.loc[splits["split"] == "test", "filename"]) == set(predictions["path"])
    assert dict(zip(labels["filename"], labels["Sample"], strict=True)) == dict(
        zip(splits["filename"], splits["group"], strict=True)
    )


def test_history_has_a_row_an_epoch(trained: Path) -> None:
    history = pd.read_csv(trained / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert {"train_loss", "validation_loss", "learning_rate", "validation_accuracy[Modality]"} <= set(history)


def test_the_recipe_is_complete(trained: Path, rendered: Path, settings_sheet: Path) -> None:
    recipe = tomllib.loads((trained / "recipe.toml").read_text(encoding="utf-8"))
    assert recipe["seed"] == 1
    assert recipe["fit"]["epochs"] == recipe["fit"]["stopped_after"] == 2
    assert recipe["fit"]["batch_size"] > 0
    assert recipe["data"]["images"] == [str(rendered / "images")]
    assert recipe["data"]["labels"] == [str(rendered / "labels.csv")]
    assert recipe["data"]["metadata"] == str(settings_sheet)
    assert recipe["data"]["group"] == "Sample"


def test_the_report_stands_alone_and_shows_every_task(trained: Path, metrics: dict[str, Any]) -> None:
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in metrics["tasks"])
    assert "<script src" not in page
    assert 'href="http' not in page


def test_the_bundle_reads_the_columns_of_the_metadata_sheet(trained: Path) -> None:
    bundle = Bundle.load(trained)
    columns = {column.name for column in bundle.metadata_encoder.numeric}
    assert "anneal_C" in columns
    assert [set(c.categories) for c in bundle.metadata_encoder.categorical if c.name == "operator"] == [{"ada", "ben"}]
    assert (trained / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_branches_are_scored_alone(metrics: dict[str, Any]) -> None:
    assert {"image only", "metadata only"} <= set(metrics["branches"])
