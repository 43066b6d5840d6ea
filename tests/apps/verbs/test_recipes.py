"""Recipes of publications from the command line to the bundle: repeated to the bit, predicted with, and marked where as published."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from morphoscope.apps.verbs.train import train
from morphoscope.errors import MorphoscopeError

Figures = Callable[[Path], tuple[dict[str, Any], str, str]]
QUICK = ["model.image_size=[64,64]"]


def test_a_recipe_that_starts_from_imagenet_says_what_to_do(morphoscope: Any, class_folders: Path, tmp_path: Path) -> None:
    said = morphoscope("train", class_folders, "--recipe", "accords-resnet18", "--out", tmp_path / "run").sentence
    assert "ImageNet" in said
    assert "--encoder random" in said
    assert not (tmp_path / "run").exists()
    near = morphoscope("train", class_folders, "--recipe", "acords-resnet18", "--out", tmp_path / "run").sentence
    assert "Did you mean 'accords-resnet18'" in near


def test_a_multitask_recipe_as_published_is_marked_repeated_and_predicted_with(
    rendered: Path, tmp_path: Path, figures: Figures
) -> None:
    summary = train(
        rendered / "images",
        labels=rendered / "labels.csv",
        recipe="accords-resnet18",
        encoder="random",
        epochs=1,
        settings=[*QUICK, "protocol=as-published", "backbone=test_resnet"],
        out=tmp_path / "run",
    )
    (marked,) = [warning for warning in summary.warnings if warning.startswith("As published, so optimistic")]
    assert "Magnification / 200000" in marked
    assert summary.encoder == "test_resnet from random weights"
    splits = pd.read_csv(tmp_path / "run" / "splits.csv")
    chosen, tested = (set(splits[splits["split"] == part]["filename"]) for part in ("validation", "test"))
    assert chosen == tested
    assert "optimistic" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    resolved = tomllib.loads((tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8"))
    assert (resolved["protocol"], resolved["split"]["chosen_on"]) == ("as-published", "test")
    assert resolved["model"]["magnification_divisor"] == 200_000

    train(recipe=tmp_path / "run" / "recipe.toml", out=tmp_path / "again")
    assert figures(tmp_path / "again") == figures(tmp_path / "run")


def test_stages_count_their_epochs_each_and_a_repeat_takes_them_as_they_were(
    class_folders: Path, tmp_path: Path, figures: Figures
) -> None:
    settings = [*QUICK, "backbone=test_resnet", "fit.stages=[{epochs=1,learning_rate=0.001},{epochs=1,learning_rate=0.0001}]"]
    train(class_folders, recipe="weintraub-xception", encoder="random", epochs=2, settings=settings, out=tmp_path / "run")
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["learning_rate"].round(6).tolist() == [0.001, 0.0001, 0.0001, 0.0001], "at the end of an epoch, the next one's"
    train(recipe=tmp_path / "run" / "recipe.toml", out=tmp_path / "again")
    assert figures(tmp_path / "again") == figures(tmp_path / "run")


def test_a_recipe_that_pretrains_does_so_from_the_command_line(
    morphoscope: Any, class_folders: Path, tmp_path: Path, figures: Figures
) -> None:
    words = (
        "--recipe",
        "lu-barlow-twins",
        "--encoder",
        "random",
        "--epochs",
        1,
        "--set",
        "backbone=test_resnet",
        "--set",
        QUICK[0],
    )
    assert morphoscope("train", class_folders, *words, "--out", tmp_path / "run").code == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["encoder"] == "test_resnet from random weights, then lu-barlow-twins on the training pictures"
    assert not list((tmp_path / "run" / "fits").rglob("*.safetensors"))
    assert morphoscope("predict", tmp_path / "run", class_folders, "--out", tmp_path / "rows.csv").code == 0
    assert (pd.read_csv(tmp_path / "rows.csv")["status"] == "ok").all()
    train(recipe=tmp_path / "run" / "recipe.toml", out=tmp_path / "again")
    assert figures(tmp_path / "again") == figures(tmp_path / "run")


def test_a_canvas_that_the_backbone_refuses_ends_it_with_one_that_works(class_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(MorphoscopeError, match=r"inception_v3 takes no pictures of 64 x 64 px .*model\.image_size=\[299,299\]"):
        train(class_folders, recipe="biswas-inception-v3", encoder="random", settings=QUICK, out=tmp_path / "run")


def test_a_transformer_trains_predicts_and_shows_what_its_features_gather(
    morphoscope: Any, class_folders: Path, tmp_path: Path
) -> None:
    settings = [*QUICK, "backbone=test_vit", 'model.branches=["image"]']
    train(class_folders, encoder="random", epochs=1, settings=settings, out=tmp_path / "run")
    words = ("--out", tmp_path / "rows.csv", "--explain", tmp_path / "explained")
    assert morphoscope("predict", tmp_path / "run", class_folders / "Fibres", *words).code == 0
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert (rows["status"] == "ok").all()
    for path in (tmp_path / "explained").iterdir():
        with Image.open(path) as sheet:
            assert sheet.width > 2.5 * 96, "the picture, what speaks for its class, and what the features gather"


def test_a_masked_autoencoder_teaches_an_encoder_that_training_starts_from(
    morphoscope: Any, class_folders: Path, tmp_path: Path
) -> None:
    pictures = ["--set", "views.side=48", "--set", "side=64", "--epochs", 1]
    said = morphoscope("pretrain", class_folders, "--method", "mae", "--backbone", "resnet10t", "--out", tmp_path / "no").sentence
    assert "Add --backbone vit_tiny_patch16_224" in said
    assert not (tmp_path / "no").exists()
    assert morphoscope("pretrain", class_folders, "--method", "mae", *pictures, "--out", tmp_path / "encoder").code == 0
    settings = [*QUICK, "backbone=vit_tiny_patch16_224", 'model.branches=["image"]']
    summary = train(class_folders, encoder=str(tmp_path / "encoder"), epochs=1, settings=settings, out=tmp_path / "run")
    assert summary.encoder == f"vit_tiny_patch16_224 from {tmp_path / 'encoder'}"
