"""What can be trained on, and how a split becomes honest figures."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from morphoscope.apps.verbs.train import train
from morphoscope.calibration.picture_reading import PictureReading
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.run_summary import RunSummary
from morphoscope.synthesis import write_dataset

SMALL = ("model.backbone=test_resnet", "model.image_size=64")
Train = Callable[..., RunSummary]


@pytest.fixture
def quickly(rendered: Path, tmp_path: Path) -> Train:
    """Trains for one epoch on one task of the rendered pictures, unless told otherwise."""

    def run(images: Any = rendered / "images", **options: Any) -> RunSummary:
        usual: dict[str, Any] = {"labels": rendered / "labels.csv", "tasks": ["Modality"], "epochs": 1, "out": tmp_path / "run"}
        return train(images, **usual | {"settings": SMALL} | options)

    return run


def sheet_of(rendered: Path, path: Path, **columns: Any) -> Path:
    """A sheet with the file names of the rendered pictures, their samples, and the given columns."""
    labels = pd.read_csv(rendered / "labels.csv")[["filename", "Sample"]].assign(**columns)
    labels.to_csv(path, index=False)
    return path


def test_folds_test_every_picture_once_and_the_bundle_is_calibrated_on_all(
    quickly: Train, rendered: Path, tmp_path: Path
) -> None:
    run = quickly(split="kfold:3x1", group="Sample")
    splits = pd.read_csv(tmp_path / "run" / "splits.csv")
    tested = splits[splits["split"] == "test"]
    assert sorted(tested["filename"]) == sorted(splits["filename"].unique())
    assert sorted(tested["fold"].unique()) == [0, 1, 2]
    assert sorted(run.names) == sorted(tested["filename"])
    assert run.command == f"morphoscope train --recipe {tmp_path / 'run' / 'recipe.toml'} --out again"
    assert run.title == f"{rendered.name}/images"
    assert run.folds is not None
    assert set(pd.read_csv(tmp_path / "run" / "history.csv")["fold"]) == {0, 1, 2}
    assert [one.n_calibration for one in Bundle.load(tmp_path / "run").confidence] == [36]


def test_each_group_is_left_out_once(quickly: Train, rendered: Path, tmp_path: Path) -> None:
    labels = pd.read_csv(rendered / "labels.csv")
    three = labels["Sample"].map({name: f"paper {i % 3}" for i, name in enumerate(labels["Sample"].unique())})
    labels.assign(Paper=three).to_csv(tmp_path / "papers.csv", index=False)
    run = quickly(labels=tmp_path / "papers.csv", split="logo", group="Paper")
    splits = pd.read_csv(tmp_path / "run" / "splits.csv")
    assert splits[splits["split"] == "test"].groupby("fold")["group"].nunique().tolist() == [1, 1, 1]
    assert len(run.names) == 36


def test_three_parts_have_their_shares(quickly: Train, tmp_path: Path) -> None:
    quickly(split="70/20/10")
    shares = pd.read_csv(tmp_path / "run" / "splits.csv")["split"].value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.7, abs=0.08)
    assert shares["validation"] == pytest.approx(0.2, abs=0.08)
    assert shares["test"] == pytest.approx(0.1, abs=0.08)


def test_a_refit_learns_from_all_and_is_calibrated_on_what_the_trial_did_not_see(quickly: Train, tmp_path: Path) -> None:
    run = quickly(refit=True)
    splits = pd.read_csv(tmp_path / "run" / "splits.csv")
    held_back = splits["split"].isin(["validation", "test"]).sum()
    bundle = Bundle.load(tmp_path / "run")
    assert bundle.confidence[0].n_calibration == held_back
    assert len(bundle.novelty.references) == 36
    assert sorted(run.names) == sorted(splits.loc[splits["split"] == "test", "filename"])
    assert any("final model" in decision.decision for decision in run.split.decisions)


def test_ablations_are_retrained(quickly: Train, settings_sheet: Path) -> None:
    run = quickly(ablate=True, metadata=settings_sheet)
    retrained = {"image only, retrained", "metadata only, retrained", "network only, retrained"}
    assert retrained <= set(run.branch_outcomes)


def test_an_ablation_that_takes_nothing_away_is_spared(quickly: Train) -> None:
    run = quickly(ablate=True, settings=[*SMALL, 'model.branches=["image"]'])
    assert not run.branch_outcomes


def test_class_folders_need_no_sheet(class_folders: Path, quickly: Train) -> None:
    run = quickly(class_folders, labels=(), tasks=())
    (outcome,) = run.outcomes
    assert outcome.task.name == "class"
    assert len(outcome.task.classes) == 10
    assert all("/" in name for name in run.names)


def test_several_folders_have_each_their_sheet(rendered: Path, tmp_path: Path, quickly: Train) -> None:
    labels = pd.read_csv(rendered / "labels.csv")
    folders, sheets = [], []
    for day, rows in (("monday", labels.iloc[:18]), ("tuesday", labels.iloc[18:])):
        (tmp_path / day).mkdir()
        for name in rows["filename"]:
            (tmp_path / day / name).write_bytes((rendered / "images" / name).read_bytes())
        rows.to_csv(tmp_path / f"{day}.csv", index=False)
        folders.append(tmp_path / day)
        sheets.append(tmp_path / f"{day}.csv")
    run = quickly(folders, labels=sheets)
    assert run.data.n_images == 36
    assert pd.read_csv(tmp_path / "run" / "splits.csv")["filename"].is_unique


def test_several_classes_in_a_cell_are_all_predicted(rendered: Path, tmp_path: Path, quickly: Train) -> None:
    cells = ["Sphere", "Rod", "Sphere|Rod", "Cube"] * 9
    sheet = sheet_of(rendered, tmp_path / "several.csv", Shapes=cells)
    (outcome,) = quickly(labels=sheet, tasks=()).outcomes
    assert outcome.task.is_multilabel
    assert outcome.task.classes == ("Cube", "Rod", "Sphere")
    assert (outcome.truth.sum(axis=1) == 2).any()
    table = pd.read_csv(tmp_path / "run" / "predictions.csv", keep_default_na=False)
    assert table["Shapes.true"].str.contains("|", regex=False).any()


def test_parents_are_reported_at_both_levels(rendered: Path, tmp_path: Path, quickly: Train) -> None:
    sheet = sheet_of(rendered, tmp_path / "parents.csv", Kind=["Fibres/Polymer", "Fibres/Glass", "Particles"] * 12)
    (outcome,) = quickly(labels=sheet, tasks=()).outcomes
    metrics = outcome.metrics()
    assert metrics["classes"] == ["Fibres/Glass", "Fibres/Polymer", "Particles"]
    assert metrics["parents"]["classes"] == ["Fibres", "Particles"]
    assert metrics["parents"]["accuracy"] >= metrics["accuracy"]


def test_only_the_named_tasks_are_learnt(quickly: Train) -> None:
    run = quickly(tasks=["Morphology", "Modality"])
    assert [outcome.task.name for outcome in run.outcomes] == ["Morphology", "Modality"]


def test_a_schema_fixes_classes_and_their_order(rendered: Path, tmp_path: Path, quickly: Train) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('[tasks.Modality]\nclasses = ["TEM", "SEM"]\n', encoding="utf-8")
    said: list[str] = []
    (outcome,) = quickly(tasks=(), schema=schema, unmatched="blank", say=said.append).outcomes
    assert outcome.task.classes == ("TEM", "SEM")
    assert "unmatched: 'STEM-DF'" in "\n".join(said)


def test_a_task_of_one_class_is_left_out_and_a_class_of_one_picture_is_warned_of(
    rendered: Path, tmp_path: Path, quickly: Train
) -> None:
    shapes = ["Sphere", "Rod"] * 17 + ["Cube", "Sphere"]
    sheet = sheet_of(rendered, tmp_path / "few.csv", Same=["yes"] * 36, Shape=shapes)
    run = quickly(labels=sheet, tasks=())
    assert [outcome.task.name for outcome in run.outcomes] == ["Shape"]
    warnings = " ".join(run.warnings)
    assert "'Same' is left out: only one class occurs" in warnings
    assert "'Cube' (1)" in warnings


def test_pictures_without_scale_or_settings_do_without_the_metadata_branch(tmp_path: Path, quickly: Train) -> None:
    write_dataset("sem10", 20, tmp_path / "png", size=(64, 80), file_format="png", bar=0.0)
    labels = pd.read_csv(tmp_path / "png" / "labels.csv")
    labels["class"] = ["a", "b"] * 10
    labels[["filename", "class"]].to_csv(tmp_path / "png" / "labels.csv", index=False)
    run = quickly(tmp_path / "png" / "images", labels=tmp_path / "png" / "labels.csv", tasks=())
    assert np.isnan(run.pixel_size_nm).all()
    assert "metadata" not in Bundle.load(tmp_path / "run").network.spec.branches


def test_scales_that_take_too_long_to_read_are_the_headers_for_all(
    quickly: Train, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in sorted((rendered / "images").iterdir()):
        Image.fromarray(np.asarray(Image.open(path).convert("L"))).save(bare / f"{path.stem}.png")
    monkeypatch.setattr("morphoscope.data.readings.read_picture", lambda pixels: time.sleep(0.05) or PictureReading())
    said: list[str] = []
    quickly(bare, time_budget_min=0.05, say=said.append)
    assert any("only headers and sidecars are used" in line for line in said)
    recipe = tomllib.loads((tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8"))
    assert recipe["data"]["scale"] == "header", "a repeat must do the same whatever the clock"


def test_the_time_budget_covers_the_whole_command(quickly: Train) -> None:
    began = time.monotonic()
    pixels = 'model.branches=["image", "texture"]'
    run = quickly(epochs=10_000, time_budget_min=0.2, settings=[*SMALL, "fit.patience=100", pixels])
    assert time.monotonic() - began < 5 * 12, "a budget that nobody keeps, not a busy machine, is to be found here"
    assert 1 < len(run.history) < 10_000
