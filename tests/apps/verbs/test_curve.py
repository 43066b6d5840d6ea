"""`curve` on labels: every encoder as it expects pictures, what a class lacks, and which picture to label first."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import timm
from safetensors.torch import save_file

from morphoscope.apps.verbs import curve as verb
from morphoscope.apps.verbs.curve import curve
from morphoscope.inference.embedding import Embedder
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import encoder_branch

QUICK = {"per_class": [1], "repeats": 1, "tasks": ["Modality"], "group": "Sample"}


def write_encoder(folder: Path, backbone: str = "resnet18", **said: object) -> Path:
    """What `pretrain` leaves, of random weights."""
    folder.mkdir()
    save_file(ImageBranch(backbone).backbone.state_dict(), folder / "encoder.safetensors")
    (folder / "encoder.json").write_text(json.dumps({"backbone": backbone} | said))
    return folder


def test_an_encoder_sees_pictures_of_the_side_that_it_learned_from(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others see those of the shipped one, unless the user asks for a side."""
    own = write_encoder(tmp_path / "encoder", side=64)
    assert (Embedder.load(str(own)).preprocessing.height, Embedder.load("default").preprocessing.height) == (64, 128)
    seen: list[tuple[str, int]] = []
    look = verb.frozen_features
    monkeypatch.setattr(
        verb, "frozen_features", lambda branch, some: (seen.append((branch.name, some[0].size)), look(branch, some))[1]
    )
    curve(rendered / "images", tmp_path / "a", labels=rendered / "labels.csv", encoders=[str(own)], **QUICK)
    assert [name for name, _ in seen] == ["resnet18", "resnet10t", "resnet10t"]
    assert [round(pixels**0.5, -1) for _, pixels in seen] == pytest.approx([60, 130, 130], abs=20)
    seen.clear()
    curve(rendered / "images", tmp_path / "b", labels=rendered / "labels.csv", encoders=[str(own)], image_size=96, **QUICK)
    assert len({pixels for _, pixels in seen}) == 1


def test_the_random_baseline_of_another_backbone_stands_beside_the_shipped_encoder(rendered: Path, tmp_path: Path) -> None:
    assert (encoder_branch("random", "resnet18").name, encoder_branch("default", "resnet18").name) == ("resnet18", "resnet10t")
    table = curve(
        rendered / "images", tmp_path / "c", labels=rendered / "labels.csv", backbone="resnet18", image_size=64, **QUICK
    )
    assert set(table["encoder"]) == {"default", "texture", "random"}


def test_a_bare_file_of_weights_is_drawn_with_its_backbone(rendered: Path, tmp_path: Path) -> None:
    """As ImageNet's come, where they are at hand: three channels and a classifier."""
    state = timm.create_model("resnet18", num_classes=10).state_dict()
    save_file(state, tmp_path / "imagenet.safetensors")
    encoders, sheet = [str(tmp_path / "imagenet.safetensors")], rendered / "labels.csv"
    table = curve(
        rendered / "images", tmp_path / "c", labels=sheet, encoders=encoders, backbone="resnet18", image_size=64, **QUICK
    )
    assert set(table["encoder"]) == {*encoders, "default", "texture", "random"}


def test_one_shot_says_which_pictures_and_the_page_shows_the_typical_ones(rendered: Path, tmp_path: Path) -> None:
    curve(rendered / "images", tmp_path / "c", labels=rendered / "labels.csv", image_size=64, **QUICK)
    sheet = pd.read_csv(rendered / "labels.csv").set_index("filename")["Modality"]
    for anchors in pd.read_csv(tmp_path / "c" / "one_shot.csv")["anchors"]:
        classes = [sheet[name] for name in anchors.split(" | ")]
        assert len(classes) == len(set(classes)) == sheet.nunique()
    page = (tmp_path / "c" / "curve.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == sheet.nunique()


def test_a_class_with_fewer_labels_than_asked_for_is_said(rendered: Path, tmp_path: Path) -> None:
    said: list[str] = []
    options = QUICK | {"per_class": [1, 500]}
    curve(rendered / "images", tmp_path / "c", labels=rendered / "labels.csv", image_size=64, say=said.append, **options)
    assert any("'Modality': some class has fewer than 500 labels" in sentence for sentence in said)


@pytest.mark.parametrize("content", ["{", "[]", '"words"', "{}"])
def test_a_damaged_document_of_an_encoder_is_a_sentence(content: str, morphoscope, rendered: Path, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder")
    (folder / "encoder.json").write_text(content)
    for words in (["curve", rendered / "images", "--labels", rendered / "labels.csv", "--encoders"], ["embed"]):
        answer = morphoscope(
            *words, folder, *([rendered / "images"] if words == ["embed"] else []), "--out", tmp_path / "out.csv"
        )
        assert f"--encoder {folder}: " in answer.sentence


def test_a_folder_without_weights_and_weights_of_another_network_are_sentences(
    morphoscope, rendered: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    answer = morphoscope("embed", tmp_path / "empty", rendered / "images", "--out", tmp_path / "f.csv")
    assert "found no weights in this folder" in answer.sentence
    folder = write_encoder(tmp_path / "encoder")
    (folder / "encoder.json").write_text('{"backbone": "resnet10t"}')
    answer = morphoscope("embed", folder, rendered / "images", "--out", tmp_path / "f.csv")
    assert "key" in answer.sentence
