"""Where the image branch starts: the shipped encoder, random weights, a user's model, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from morphoscope.errors import MorphoscopeError
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import resolved_encoder, shipped_backbone, start_from


def test_auto_is_the_shipped_encoder_only_where_it_fits() -> None:
    assert resolved_encoder("auto", shipped_backbone()) == "default"
    assert resolved_encoder("auto", "resnet18") == "random"


def test_the_shipped_encoder_replaces_every_weight_and_sees_pictures() -> None:
    torch.manual_seed(0)
    branch = ImageBranch(shipped_backbone())
    before = {name: tensor.clone() for name, tensor in branch.backbone.state_dict().items()}
    start_from("random", branch)
    assert all(torch.equal(tensor, before[name]) for name, tensor in branch.backbone.state_dict().items())
    start_from("default", branch)
    after = branch.backbone.state_dict()
    assert all(not torch.equal(after[name], before[name]) for name in before if name.endswith("weight"))
    assert after["conv1.0.weight"].dtype == torch.float32
    with torch.no_grad():
        features = branch.eval()(torch.rand(3, 1, 96, 128))
    assert torch.isfinite(features).all()
    assert features.std() > 0


def test_a_users_weights_are_taken_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trained, branch = ImageBranch("resnet10t"), ImageBranch("resnet10t")
    state = {f"branches.image.backbone.{name}": tensor for name, tensor in trained.backbone.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    for encoder in (tmp_path, tmp_path / "weights.safetensors"):
        start_from(resolved_encoder(str(encoder), "resnet10t"), branch)
        assert torch.equal(branch.backbone.conv1[0].weight, trained.backbone.conv1[0].weight)
    with pytest.raises(MorphoscopeError, match="can't be used"):
        start_from(str(tmp_path), ImageBranch("resnet18"))


@pytest.mark.parametrize(
    ("encoder", "backbone", "said"),
    [
        ("imagenet", "resnet18", "--encoder random"),
        ("defualt", "resnet10t", "Did you mean 'default'"),
        ("default", "resnet18", "it is a resnet10t"),
    ],
)
def test_an_encoder_that_cannot_be_had_is_told_at_once(encoder: str, backbone: str, said: str) -> None:
    with pytest.raises(MorphoscopeError, match=said):
        resolved_encoder(encoder, backbone)


def test_truncated_weights_are_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"\x00" * 20)
    with pytest.raises(MorphoscopeError, match="can't be used"):
        start_from(str(path), ImageBranch("resnet10t"))


def test_a_file_of_colour_weights_answers_grey_pictures_as_it_answers_them_in_colour(tmp_path: Path) -> None:
    colour = timm.create_model("resnet10t", num_classes=7).eval()
    save_file(colour.state_dict(), tmp_path / "weights.safetensors")
    branch = ImageBranch("resnet10t", grey_mean=0.0, grey_std=1.0).eval()
    start_from(str(tmp_path / "weights.safetensors"), branch)
    grey = torch.rand(2, 1, 48, 64)
    with torch.inference_mode():
        expected = colour.forward_head(colour.forward_features(grey.repeat(1, 3, 1, 1)), pre_logits=True)
        assert torch.allclose(branch(grey), expected, atol=1e-4)
