"""`train --masks` from folders to a model that `segment` takes, and every kind of bad input as a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from morphoscope.apps.verbs.segment import segment
from morphoscope.apps.verbs.train_masks import train_masks
from morphoscope.data.masks import MaskRequest, read_masked_folder
from morphoscope.errors import MorphoscopeError

Morphoscope = Callable[..., Any]
TINY = ["steps=2", "batch_size=2", "view_px=64", "look_pictures=1"]


@pytest.fixture(scope="module")
def finished(masked: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run from the shipped segmenter, and what it said."""
    out, said = tmp_path_factory.mktemp("finished") / "run", list[str]()
    summary = train_masks(
        masked / "images",
        masked / "instance_maps",
        labels=masked / "labels.csv",
        group="sample",
        settings=TINY,
        out=out,
        say=said.append,
    )
    assert summary.n_test == summary.figures["n"] > 0
    return out, said


def copied(masked: Path, place: Path, count: int) -> tuple[Path, Path]:
    """The first pictures of the folder with their masks."""
    for kind in ("images", "instance_maps"):
        (place / kind).mkdir(parents=True)
    for path in sorted((masked / "images").iterdir())[:count]:
        shutil.copy(path, place / "images")
        shutil.copy(masked / "instance_maps" / f"{path.stem}.png", place / "instance_maps")
    return place / "images", place / "instance_maps"


def test_everything_is_written(finished: tuple[Path, list[str]]) -> None:
    out, said = finished
    metrics = json.loads((out / "metrics.json").read_text())
    predictions, splits = pd.read_csv(out / "predictions.csv"), pd.read_csv(out / "splits.csv")
    assert metrics["masks"] | {"objects": 0} == {"kind": "instance", "n": 12, "objects": 0, "left_out": 0}
    assert set(metrics["baselines"]) == {"shipped_segmenter", "otsu_watershed"}
    for name in ("ap50", "ap75", "iou", "dice", "row_averaged_iou_lu2022"):
        assert metrics["objects"][name] == pytest.approx(predictions[name].mean())
    for name in ("count_error", "diameter_error"):
        assert metrics["objects"][name] == pytest.approx(predictions[name].median())
    held_out = splits[splits["split"] == "test"]["filename"]
    assert sorted(predictions["path"]) == sorted(held_out)
    assert splits.groupby("group")["split"].agg(lambda parts: len({"test"} & set(parts)) * len(set(parts))).le(1).all()
    assert {"step", "loss", "validation_ap50"} <= set(pd.read_csv(out / "history.csv"))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == len(predictions)
    assert "http" not in page.replace("http-equiv", "")
    assert any("of kind instance (a number is an object)" in line for line in said)


def test_segment_takes_the_model(finished: tuple[Path, list[str]], masked: Path, tmp_path: Path) -> None:
    picture = sorted((masked / "images").iterdir())[0]
    segment([picture], tmp_path / "maps", model=finished[0])
    assert np.asarray(Image.open(tmp_path / "maps" / f"{picture.stem}.png")).shape == (72, 96)


def test_the_recipe_repeats_the_run(finished: tuple[Path, list[str]], tmp_path: Path, morphoscope: Morphoscope) -> None:
    said = morphoscope("train", "--recipe", finished[0] / "recipe.toml", "--out", tmp_path / "again")
    assert said.code == 0, said.err
    for name in ("predictions.csv", "splits.csv"):
        assert (tmp_path / "again" / name).read_text() == (finished[0] / name).read_text()
    first, second = (pd.read_csv(run / "history.csv") for run in (finished[0], tmp_path / "again"))
    pd.testing.assert_frame_equal(first.drop(columns="seconds"), second.drop(columns="seconds"))


@pytest.mark.parametrize(("count", "n_test"), [(1, 0), (2, 1)])
def test_one_and_two_masks(masked: Path, tmp_path: Path, count: int, n_test: int) -> None:
    said: list[str] = []
    images, masks = copied(masked, tmp_path, count)
    summary = train_masks(images, masks, settings=[*TINY, "steps=1"], encoder="random", out=tmp_path / "run", say=said.append)
    assert (summary.n_train, summary.n_validation, summary.n_test) == (1, 0, n_test)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["objects"]["n"] == n_test
    assert ("Not tested" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")) == (n_test == 0)
    assert any("too few independent pictures to choose weights by" in line for line in said)
    assert (tmp_path / "run" / "model" / "segmenter.safetensors").is_file()


def test_binary_masks_of_16_bit_tiff_with_all_that_can_be_wrong(masked: Path, tmp_path: Path) -> None:
    import tifffile

    images, masks = copied(masked, tmp_path, 6)
    paths = sorted(masks.iterdir())
    for index, path in enumerate(paths):
        binary = (np.asarray(Image.open(path)) > 0).astype(np.uint16) * 65_535
        binary = binary[:50] if index == 0 else 0 * binary if index == 1 else binary
        if index != 2:
            tifffile.imwrite(path.with_suffix(".tif"), binary)
        path.unlink()
    said: list[str] = []
    summary = train_masks(images, masks, settings=[*TINY, "steps=1"], encoder="random", out=tmp_path / "run", say=said.append)
    text = "\n".join(said)
    assert summary.mask_kind == "binary"
    assert "has 50 x 96 px; expected the picture's 72 x 96" in text
    assert "found no mask in" in text
    assert "1 masks are empty; their pictures count as pictures without objects" in text
    assert summary.n_train + summary.n_validation + summary.n_test == 4


def test_masks_beside_the_pictures_are_no_pictures(masked: Path, tmp_path: Path) -> None:
    images, masks = copied(masked, tmp_path, 3)
    for path in masks.iterdir():
        shutil.move(path, images / f"{path.stem}_mask.png")
    folder = read_masked_folder(MaskRequest((images,), images))
    assert len(folder.pictures) == 3
    assert not folder.left_out


def refused(morphoscope: Morphoscope, *words: object) -> str:
    return morphoscope("train", *words).sentence


def test_refusals(masked: Path, tmp_path: Path, morphoscope: Morphoscope) -> None:
    images, masks, out = masked / "images", masked / "instance_maps", ("--out", tmp_path / "run")
    given = (images, "--masks", masks, *out)
    for option in (["--ablate"], ["--refit"], ["--resume"], ["--tasks", "Modality"], ["--metadata", masked / "labels.csv"]):
        sentence = refused(morphoscope, *given, *option)
        assert sentence.startswith(f"{option[0]}: found")
        assert "; expected" in sentence
        assert sentence.endswith(f"Leave {option[0]} out.")
    assert "no column is named; expected one" in refused(morphoscope, *given, "--labels", masked / "labels.csv")
    assert "'Paper', which is no column" in refused(morphoscope, *given, "--labels", masked / "labels.csv", "--group", "Paper")
    assert "no sheet is named that has this column" in refused(morphoscope, *given, "--group", "Sample")
    assert "holds out one part" in refused(morphoscope, *given, "--split", "kfold:3")
    assert "found no setting 'stepps'" in refused(morphoscope, *given, "--set", "stepps=3")
    assert "expected default-segmenter" in refused(morphoscope, *given, "--encoder", "nowhere").replace("one of ", "")
    assert "found no such folder" in refused(morphoscope, images, "--masks", tmp_path / "none", *out)
    assert "without masks" in refused(morphoscope, images, "--mask-kind", "binary", *out)
    assert "expected masks in a folder of their own" in refused(morphoscope, masks, "--masks", masks, *out)


def test_empty_masks_alone_are_refused(masked: Path, tmp_path: Path) -> None:
    images, masks = copied(masked, tmp_path, 3)
    for path in masks.iterdir():
        Image.fromarray(0 * np.asarray(Image.open(path))).save(path)
    with pytest.raises(MorphoscopeError, match="all 3 masks are empty; expected objects"):
        train_masks(images, masks, out=tmp_path / "run")


def test_earlier_results_are_not_lost_unasked(finished: tuple[Path, list[str]], masked: Path) -> None:
    with pytest.raises(MorphoscopeError, match="it holds earlier results"):
        train_masks(masked / "images", masked / "instance_maps", out=finished[0])


def test_ctrl_c_keeps_the_best_weights_and_says_so(
    masked: Path, tmp_path: Path, morphoscope: Morphoscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    from morphoscope.training.interrupts import StopAfterStep

    monkeypatch.setattr(StopAfterStep, "was_asked", property(lambda self: True, lambda self, value: None), raising=False)
    images, masks = copied(masked, tmp_path, 4)
    words = [word for setting in TINY for word in ("--set", setting)]
    said = morphoscope("train", images, "--masks", masks, "--encoder", "random", *words, "--out", tmp_path / "run")
    assert said.code == 130
    assert "Stopped after 1 steps." in said.err
    assert "keeps the best weights so far" in said.err
    assert (tmp_path / "run" / "model" / "segmenter.safetensors").is_file()
    assert not (tmp_path / "run" / "metrics.json").exists()
