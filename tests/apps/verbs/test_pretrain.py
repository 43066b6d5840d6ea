"""Pretraining from pictures to an encoder that `train` takes: figures, resume to the same weights, and bad input as sentences."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from morphoscope.apps.verbs.pretrain import pretrain
from morphoscope.data.picture_file import open_picture_file, write_picture_file
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.io.find import find_micrographs
from morphoscope.training.selfsupervised.recipe import load_pretraining

QUICK = ["side=64", "views.side=48", "learning.batch_size=8"]


@pytest.fixture(scope="module")
def encoder(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs on the rendered pictures, watched by their labels."""
    out = tmp_path_factory.mktemp("pretrained")
    return pretrain(rendered / "images", out, epochs=2, labels=rendered / "labels.csv", group="Sample", settings=QUICK)


def test_it_writes_an_encoder_its_figures_and_a_sheet_of_neighbours(encoder: Path) -> None:
    card = json.loads((encoder / "encoder.json").read_text())
    assert (card["backbone"], card["method"], card["pictures"], card["epochs"]) == ("resnet10t", "simclr", 36, 2)
    assert card["side"] == 48
    assert {"spread", "effective_rank", "linear[Modality]", "knn[Modality]"} <= set(card["looks"][-1])
    history = pd.read_csv(encoder / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert np.isfinite(history["train_loss"]).all()
    assert list((encoder / "tensorboard").iterdir())
    with Image.open(encoder / "neighbours.png") as sheet:
        assert min(sheet.size) > 600
    assert not {"pictures.npy", "last.ckpt", "unfinished.json"} & {path.name for path in encoder.iterdir()}


def test_train_starts_from_it(encoder: Path, morphoscope, class_folders: Path, tmp_path: Path) -> None:
    quick = ["--epochs", 1, "--set", "model.image_size=64"]
    said = morphoscope("train", class_folders, "--encoder", encoder, *quick, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert str(encoder) in (tmp_path / "run" / "recipe.toml").read_text()
    other = ["--set", "backbone=resnet18"]
    said = morphoscope("train", class_folders, "--encoder", encoder, *other, "--out", tmp_path / "other")
    assert "it is a resnet10t, the recipe's backbone is resnet18" in said.sentence


def test_a_truncated_encoder_is_a_sentence(encoder: Path, morphoscope, class_folders: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(encoder, broken)
    weights = (broken / "encoder.safetensors").read_bytes()
    (broken / "encoder.safetensors").write_bytes(weights[: len(weights) // 2])
    for command in (["train", class_folders, "--encoder", broken], ["embed", broken, class_folders]):
        assert "its weights can't be used" in morphoscope(*command, "--out", tmp_path / "out.csv").sentence


def test_a_run_that_was_interrupted_ends_where_an_undisturbed_one_does(rendered: Path, tmp_path: Path, monkeypatch) -> None:
    whole = pretrain(rendered / "images", tmp_path / "whole", method="byol", epochs=3, settings=QUICK)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # Killed in the second epoch, when the first has left its checkpoint.
        patch.setattr("morphoscope.training.selfsupervised.byol.BYOL.loss", _after(4, stop))
        with pytest.raises(KeyboardInterrupt):
            pretrain(rendered / "images", tmp_path / "cut", method="byol", epochs=3, settings=QUICK, checkpoint_seconds=0)
    assert (tmp_path / "cut" / "last.ckpt").is_file()
    with pytest.raises(OutputError, match="not those that the run began with"):
        pretrain(rendered / "images", tmp_path / "cut", method="byol", epochs=4, settings=QUICK, resume=True)
    cut = pretrain(rendered / "images", tmp_path / "cut", method="byol", epochs=3, settings=QUICK, resume=True)
    one, other = (load_file(folder / "encoder.safetensors") for folder in (whole, cut))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (whole / "history.csv").read_text() == (cut / "history.csv").read_text()


def test_a_data_set_is_its_images_not_its_instance_maps(rendered: Path, tmp_path: Path) -> None:
    data, said = tmp_path / "data", []
    shutil.copytree(rendered / "images", data / "images")
    (data / "instance_maps").mkdir()
    for number in range(3):
        objects = np.zeros((40, 52), np.uint8)
        objects[5 : 20 + number, 8:30] = 1
        Image.fromarray(objects).save(data / "instance_maps" / f"map{number}.png")
    out = pretrain(data, tmp_path / "out", epochs=1, settings=QUICK, say=said.append)
    assert json.loads((out / "encoder.json").read_text())["pictures"] == 36
    assert len(pd.read_csv(out / "pictures.csv")) == 36
    assert [line for line in said if "data set" in line] == [
        f"{data} is a data set: its images were taken from {data / 'images'}."
    ]


def test_a_run_stopped_before_its_first_checkpoint_is_resumed_from_its_begin(rendered: Path, tmp_path: Path, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def run(out: Path, **more: object) -> Path:
        return pretrain(rendered / "images", out, method="byol", epochs=1, settings=QUICK, **more)

    with monkeypatch.context() as patch:
        patch.setattr("morphoscope.training.selfsupervised.byol.BYOL.loss", _after(1, stop))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "cut")
    with pytest.raises(OutputError, match=r"add --resume to go on with it, or --overwrite"):
        run(tmp_path / "cut")
    run(tmp_path / "cut", resume=True)
    run(tmp_path / "whole")
    one, other = (load_file(tmp_path / name / "encoder.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(OutputError, match="the run there is finished"):
        run(tmp_path / "cut", resume=True)


def test_other_pictures_are_not_resumed_with(rendered: Path, tmp_path: Path, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "images"
    shutil.copytree(rendered / "images", folder)
    with monkeypatch.context() as patch:
        patch.setattr("morphoscope.training.selfsupervised.byol.BYOL.loss", _after(4, stop))
        with pytest.raises(KeyboardInterrupt):
            pretrain(folder, tmp_path / "out", method="byol", epochs=2, settings=QUICK, checkpoint_seconds=0)
    checkpoint = (tmp_path / "out" / "last.ckpt").read_bytes()
    some = find_micrographs([folder])
    shutil.copy(some[0], some[1])  # the same name, another content
    some[2].rename(folder / f"renamed{some[2].suffix}")
    with pytest.raises(OutputError, match=r"the pictures are not those.*1 gone.*1 new.*1 of another content"):
        pretrain(folder, tmp_path / "out", method="byol", epochs=2, settings=QUICK, resume=True)
    assert (tmp_path / "out" / "last.ckpt").read_bytes() == checkpoint


def test_an_encoder_is_replaced_only_by_one_that_was_learned(encoder: Path, rendered: Path, tmp_path: Path) -> None:
    good, same = tmp_path / "good", tmp_path / "same"
    shutil.copytree(encoder, good)
    same.mkdir()
    picture = find_micrographs([rendered / "images"])[0]
    for number in range(3):
        shutil.copy(picture, same / f"{number}{picture.suffix}")
    kept = {name: (good / name).read_bytes() for name in ("encoder.safetensors", "encoder.json", "recipe.toml")}
    for images, settings in (
        (tmp_path / "nowhere", QUICK),
        (same, QUICK),
        (rendered / "images", [*QUICK, "learning.batch_size=37"]),
        (rendered / "images", [*QUICK, "method_settings.lambda=2"]),
        (rendered / "images", [*QUICK, "learning.learning_rate=1e30"]),
    ):
        with pytest.raises(MorphoscopeError):
            pretrain(images, good, epochs=2, settings=settings, overwrite=True)
        assert {name: (good / name).read_bytes() for name in kept} == kept
    pretrain(rendered / "images", good, epochs=1, seed=5, settings=QUICK, overwrite=True)
    assert all((good / name).read_bytes() != content for name, content in kept.items())


@pytest.mark.parametrize(
    "settings", [["learning.learning_rate=1e30"], ["learning.learning_rate=1e12", "learning.optimizer=sgd", "gradient_clip=0"]]
)
def test_learning_that_leaves_the_numbers_is_a_sentence_and_no_dead_end(
    settings: list[str], rendered: Path, tmp_path: Path
) -> None:
    said = r"epoch [12]: the (loss|features) (is|are) (nan|inf|not finite); expected finite numbers. Use a smaller learning rate"
    with pytest.raises(MorphoscopeError, match=said):
        pretrain(rendered / "images", tmp_path / "out", epochs=2, settings=[*QUICK, "learning.warm_up=0", *settings])
    pretrain(rendered / "images", tmp_path / "out", epochs=1, settings=QUICK)


def test_probes_that_cannot_be_asked_are_left_out_and_said(rendered: Path, tmp_path: Path) -> None:
    sheet = pd.read_csv(rendered / "labels.csv").assign(Sample="one")
    sheet.to_csv(tmp_path / "labels.csv", index=False)
    labels, said = tmp_path / "labels.csv", []
    out = pretrain(
        rendered / "images", tmp_path / "out", epochs=2, labels=labels, group="Sample", settings=QUICK, say=said.append
    )

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    looks = json.loads((out / "encoder.json").read_text(), parse_constant=refuse)["looks"]
    assert not [name for row in looks for name in row if name.startswith(("linear", "knn"))]
    assert sum("No probes of Modality" in line and "in 1 groups" in line for line in said) == 1
    assert not any("nan" in line for line in said)


def test_the_clock_ends_a_run_within_an_epoch_and_the_recipe_takes_as_many_steps(rendered: Path, tmp_path: Path) -> None:
    long_ago = time.monotonic() - 600
    first = pretrain(rendered / "images", tmp_path / "first", epochs=3, time_budget_min=1, began=long_ago, settings=QUICK)
    history = pd.read_csv(first / "history.csv")
    assert list(history["epoch"]) == [1]
    assert history["learning_rate"].iloc[0] == 0, "it comes down with the clock"
    recipe = load_pretraining(str(first / "recipe.toml"))
    assert (recipe.learning.stopped_after_steps, recipe.learning.epochs) == (1, 3)
    again = pretrain(rendered / "images", tmp_path / "again", method=first / "recipe.toml", time_budget_min=60)
    assert pd.read_csv(again / "history.csv")["train_loss"].tolist() == pytest.approx(history["train_loss"].tolist())
    assert (again / "recipe.toml").read_text() == (first / "recipe.toml").read_text()
    longer = pretrain(rendered / "images", tmp_path / "longer", method=first / "recipe.toml", epochs=2)
    assert json.loads((longer / "encoder.json").read_text())["epochs"] == 2
    assert load_pretraining(str(longer / "recipe.toml")).learning.stopped_after_steps == 0


def _after(calls: int, then):
    from morphoscope.training.selfsupervised.byol import BYOL

    usual, count = BYOL.loss, [0]

    def loss(self, encoder, first, second):
        count[0] += 1
        if count[0] > calls:
            then()
        return usual(self, encoder, first, second)

    return loss


def test_pictures_are_stored_once_with_their_scale_and_what_cannot_be_read_is_told(rendered: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(rendered / "images", folder)
    first = find_micrographs([folder])[0]
    shutil.copy(first, folder / f"copy{first.suffix}")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    pictures = write_picture_file(find_micrographs([folder]), tmp_path / "file", 64)
    assert len(pictures) == 36
    assert pictures.copies == 1
    assert len(pictures.unreadable) == 1
    assert isinstance(pictures.canvases.base, np.memmap) or isinstance(pictures.canvases, np.memmap)
    height, width = pictures.canvases.shape[1:]
    assert width > height  # the canvas has the pictures' aspect
    truth = pd.read_csv(rendered / "truth.csv")
    known = np.isfinite(pictures.pixel_size_nm)
    assert known.mean() > 0.5
    nm = dict(zip(truth["filename"], truth["pixel_size_nm"], strict=True))
    # 72 x 96 px pictures fill a canvas of about 64² px: its pixel is larger by what they shrink.
    for path, size, is_known in zip(pictures.paths, pictures.pixel_size_nm, known, strict=True):
        if is_known and path.name in nm:
            assert 1.0 < size / nm[path.name] < 1.7
    again = open_picture_file(tmp_path / "file")
    assert again is not None
    assert np.array_equal(again.canvases, pictures.canvases)


def test_identical_pictures_and_fewer_than_a_batch_are_sentences(rendered: Path, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    picture = find_micrographs([rendered / "images"])[0]
    for number in range(5):
        shutil.copy(picture, folder / f"{number}{picture.suffix}")
    with pytest.raises(MorphoscopeError, match="all 5 files show the same picture"):
        pretrain(folder, tmp_path / "out")
    with pytest.raises(
        MorphoscopeError, match=r"found 36 pictures that differ; expected at least one batch of 64.*batch_size=36"
    ):
        pretrain(rendered / "images", tmp_path / "out", settings=["learning.batch_size=64"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "simclrr"], "Did you mean 'simclr'?"),
        (["--method", "lu-simclr"], "Add --encoder random"),
        (["--set", "views.noize=1"], "Did you mean 'views.noise'?"),
        (["--set", "views.noise=7"], "'views.noise' is 7"),
        (["--backbone", "resnet18", "--encoder", "default"], "it is a resnet10t"),
        (["--set", "method_settings.lambda=2"], "method_settings don't fit simclr"),
        (["--resume"], "no interrupted run is there"),
        (["--set", "learning.batch_size=1"], "expected at least 2"),
        (["--method", "mae", "--set", "views.side=72"], "the encoder's patches are 16 × 16 px"),
    ],
)
def test_bad_usage_is_one_sentence(words: list[str], said: str, morphoscope, rendered: Path, tmp_path: Path) -> None:
    answer = morphoscope("pretrain", rendered / "images", *words, "--out", tmp_path / "out", "--set", "side=48")
    assert said in answer.sentence


@pytest.mark.parametrize("name", ["lu-simclr", "lu-barlow-twins"])
def test_the_published_recipes_have_the_published_settings_and_take_a_step(name: str, rendered: Path, tmp_path: Path) -> None:
    recipe = load_pretraining(name)
    assert (recipe.backbone, recipe.encoder, recipe.learning.batch_size, recipe.learning.epochs) == (
        "resnet50",
        "imagenet",
        64,
        200,
    )
    assert (recipe.learning.optimizer, recipe.learning.learning_rate) == ("sgd", 0.2)
    assert (recipe.views.smallest_crop, recipe.views.largest_crop, recipe.views.contrast, recipe.views.tone) == (
        0.25,
        0.5,
        0.8,
        0.8,
    )
    small = ["backbone=resnet10t", "side=64", "views.side=48", "learning.batch_size=8"]
    out = pretrain(rendered / "images", tmp_path / name, method=name, encoder="random", epochs=1, settings=small)
    assert json.loads((out / "encoder.json").read_text())["recipe"] == name
