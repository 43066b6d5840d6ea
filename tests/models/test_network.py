"""Fusion: branches that are absent or masked, odd sizes, proven backbones, and the bundle's round trip."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import BundleError, RecipeError
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import Batch, MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema, Task

SCHEMA = Schema((Task("Shape", ("Rod", "Sphere")), Task("Seen", ("A", "B", "C"), is_multilabel=True)))


def spec(backbone: str = "resnet10t") -> NetworkSpec:
    return NetworkSpec({"image": {"backbone": backbone}, "texture": {"width": 7}, "metadata": {"width": 5}}, SCHEMA)


def batch(n: int = 2, height: int = 64, width: int = 96) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        {
            "image": torch.rand(n, 1, height, width, generator=generator),
            "texture": torch.rand(n, 7, generator=generator),
            "metadata": torch.rand(n, 5, generator=generator),
        }
    )


@pytest.mark.parametrize("backbone", ["resnet18", "resnet34", "efficientnet_b0", "convnext_tiny", "vit_tiny_patch16_224"])
def test_proven_backbones_take_one_channel_and_learn(backbone: str) -> None:
    size = 224 if backbone.startswith("vit") else 65
    network = MultimodalNetwork(spec(backbone))
    logits = network(batch(2, size, size))
    assert [tuple(one.shape) for one in logits] == [(2, 2), (2, 3)]
    sum(one.square().sum() for one in logits).backward()
    assert all(parameter.grad is not None for parameter in network.branches["image"].parameters())


def test_masking_a_branch_makes_the_answer_independent_of_it() -> None:
    network = MultimodalNetwork(spec()).eval()
    one, other = batch(), batch()
    other.inputs["metadata"] = other.inputs["metadata"] + 5
    with torch.no_grad():
        assert not torch.equal(network(one)[0], network(other)[0])
        assert torch.equal(network(one, {"image", "texture"})[0], network(other, {"image", "texture"})[0])


def test_an_absent_row_answers_as_a_masked_branch() -> None:
    network = MultimodalNetwork(spec()).eval()
    absent = batch()
    absent.absent["metadata"] = torch.tensor([True, False])
    with torch.no_grad():
        found, masked, whole = network(absent)[0], network(batch(), {"image", "texture"})[0], network(batch())[0]
    assert torch.allclose(found[0], masked[0])
    assert torch.allclose(found[1], whole[1])


def test_unknown_backbone_names_the_close_one() -> None:
    with pytest.raises(RecipeError, match="resnet18"):
        MultimodalNetwork(spec("resnet-18"))


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Bundle, Path]:
    network = MultimodalNetwork(spec()).eval()
    confidence = tuple(TaskConfidence(1.5, 0.2, 0.7, 30) for _ in SCHEMA.tasks)
    encoder = MetadataEncoder.fit([{"hv_kv": 10.0}, {"hv_kv": 20.0}])
    novelty = NoveltyReference.fit(np.random.default_rng(0).normal(size=(20, 4)), np.zeros((0, 4)))
    bundle = Bundle(network, Preprocessing(64, 96), encoder, confidence, novelty, {"seed": 1})
    bundle.save(tmp_path / "model", "# card\n")
    return bundle, tmp_path / "model"


def test_bundle_round_trip_gives_equal_answers(saved: tuple[Bundle, Path]) -> None:
    bundle, folder = saved
    for place in (folder, folder.parent):
        loaded = Bundle.load(place)
        with torch.no_grad():
            assert torch.equal(loaded.network(batch())[0], bundle.network.eval()(batch())[0])
        assert loaded.schema == SCHEMA
        assert loaded.confidence == bundle.confidence
        assert loaded.metadata_encoder == bundle.metadata_encoder
        assert loaded.preprocessing == bundle.preprocessing


def test_bundle_files_hold_no_pickle(saved: tuple[Bundle, Path]) -> None:
    assert sorted(path.name for path in saved[1].iterdir()) == [
        "MODEL_CARD.md",
        "bundle.json",
        "novelty.safetensors",
        "weights.safetensors",
    ]


def test_damaged_bundles_are_told(saved: tuple[Bundle, Path]) -> None:
    folder = saved[1]
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(BundleError, match="differs"):
        Bundle.load(folder)
    weights.unlink()
    with pytest.raises(BundleError, match="can't be loaded"):
        Bundle.load(folder)
    document = json.loads((folder / "bundle.json").read_text(encoding="utf-8")) | {"format": 99}
    (folder / "bundle.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(BundleError, match="format 99"):
        Bundle.load(folder)
    with pytest.raises(BundleError, match="no model here"):
        Bundle.load(folder / "nowhere")
