"""Attention rollout: the product with loops, what a token was made to look at, and the sheet that shows it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphoscope.inference.attention import beyond_even, rollout, rollout_of
from morphoscope.models.branches.autoencoder import AutoencoderBranch
from morphoscope.models.branches.image import ImageBranch

TINY = {"depth": 3, "embed_dim": 32, "num_heads": 2, "patch_size": 8, "img_size": 64}


def test_the_rollout_is_equation_one_of_abnar_2020() -> None:
    rng = np.random.default_rng(0)
    layers = [rng.dirichlet(np.ones(5), size=(2, 3, 5)) for _ in range(4)]  # (B, heads, N, N), rows that sum to one
    found = rollout([torch.from_numpy(layer) for layer in layers]).numpy()
    for picture in range(2):
        product = np.eye(5)
        for layer in layers:
            product = (0.5 * layer[picture].mean(0) + 0.5 * np.eye(5)) @ product
        assert np.allclose(found[picture], product, atol=1e-6)
    assert np.allclose(found.sum(-1), 1)


def test_a_map_is_a_share_a_place_and_the_features_stay_as_they_are() -> None:
    branch = ImageBranch("vit_tiny_patch16_224", **TINY).eval()
    pictures = torch.rand(2, 1, 64, 96)
    with torch.inference_mode():
        before = branch(pictures)
    maps = rollout_of(branch, pictures)
    assert maps is not None
    assert maps.shape == (2, 8, 12)
    assert torch.allclose(maps.sum((1, 2)), torch.ones(2), atol=1e-5)
    with torch.inference_mode():
        assert torch.equal(branch(pictures), before)
    assert all(block.attn.fused_attn for block in branch.backbone.blocks)  # type: ignore[union-attr]


def test_what_the_class_token_was_made_to_look_at_is_bright() -> None:
    torch.manual_seed(0)
    branch = ImageBranch("vit_tiny_patch16_224", depth=1, embed_dim=8, num_heads=1, patch_size=8, img_size=32).eval()
    block = branch.backbone.blocks[0]  # type: ignore[union-attr, index]
    transformer = branch.backbone
    with torch.no_grad():
        # Patches write their brightness into the first channel; queries ask for it, keys offer it.
        transformer.patch_embed.proj.weight.zero_()  # type: ignore[union-attr]
        transformer.patch_embed.proj.bias.copy_(torch.arange(8.0) / 8)  # type: ignore[union-attr]
        transformer.patch_embed.proj.weight[0] = 1 / 16  # type: ignore[union-attr]
        transformer.pos_embed.zero_()  # type: ignore[union-attr]
        block.attn.qkv.weight.zero_()
        block.attn.qkv.bias.zero_()
        block.attn.qkv.bias[0] = 10.0
        block.attn.qkv.weight[8, 0] = 1.0
    picture = torch.full((1, 1, 32, 32), 0.5)
    picture[0, 0, 8:16, 16:24] = 1.0
    maps = rollout_of(branch, picture)
    assert maps is not None
    assert divmod(int(maps.argmax()), 4) == (1, 2)


def test_an_even_look_stays_dark_and_an_uneven_one_shows_where() -> None:
    even = np.full((4, 6), 1 / 24)
    assert np.allclose(beyond_even(even), 0)
    assert beyond_even(even + np.linspace(-0.0005, 0.0005, 24).reshape(4, 6)).max() < 0.02
    uneven = even * 0.5
    uneven[1, 2] += 0.5
    assert beyond_even(uneven)[1, 2] == 1
    assert beyond_even(uneven).sum() == 1


@pytest.mark.parametrize(("kind", "is_shown"), [("transformer", True), ("dense", False)])
def test_the_transformer_autoencoder_tells_and_the_dense_one_can_not(kind: str, is_shown: bool) -> None:
    maps = rollout_of(AutoencoderBranch(kind, side=32, code=16).eval(), torch.rand(2, 1, 48, 64))  # type: ignore[arg-type]
    assert (maps is not None) == is_shown
    if maps is not None:
        assert maps.shape == (2, 4, 4)


@pytest.mark.parametrize("backbone", ["resnet10t", "swin_tiny_patch4_window7_224"])
def test_networks_without_global_attention_have_none(backbone: str) -> None:
    assert rollout_of(ImageBranch(backbone).eval(), torch.rand(1, 1, 64, 64)) is None
