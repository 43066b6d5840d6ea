"""The masked autoencoder: its loss against the formula with loops, what it may see, and that it learns without collapsing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphoscope.data.preprocessing import resample
from morphoscope.errors import MorphoscopeError
from morphoscope.models.branches.image import ImageBranch
from morphoscope.synthesis import render
from morphoscope.training.selfsupervised.collapse import collapse_measures, has_collapsed
from morphoscope.training.selfsupervised.mae import MaskedAutoencoder, masked_patch_loss, to_patches
from morphoscope.training.selfsupervised.recipe import load_pretraining

TINY = {"depth": 2, "embed_dim": 32, "num_heads": 2, "patch_size": 8, "img_size": 64}


def tiny_transformer() -> ImageBranch:
    return ImageBranch("vit_tiny_patch16_224", **TINY)


@pytest.mark.parametrize("normalise", [True, False])
def test_the_loss_is_that_of_he_2022_on_masked_patches_only(normalise: bool) -> None:
    rng = np.random.default_rng(0)
    drawn, patches = rng.normal(size=(3, 5, 7)), rng.normal(size=(3, 5, 7))
    is_masked = rng.random((3, 5)) < 0.6
    errors = []
    for picture in range(3):
        for place in range(5):
            true = patches[picture, place]
            if normalise:
                true = (true - true.mean()) / np.sqrt(true.var(ddof=1) + 1e-6)
            if is_masked[picture, place]:
                errors.append(((drawn[picture, place] - true) ** 2).mean())
    tensors = [torch.from_numpy(array) for array in (drawn, patches, is_masked)]
    assert float(masked_patch_loss(*tensors, normalise)) == pytest.approx(np.mean(errors), rel=1e-5)
    drawn[~is_masked] += 100
    tensors[0] = torch.from_numpy(drawn)
    assert float(masked_patch_loss(*tensors, normalise)) == pytest.approx(np.mean(errors), rel=1e-5), "seen patches count nothing"


def test_patches_are_cut_row_by_row() -> None:
    picture = torch.arange(4 * 6).reshape(1, 1, 4, 6).float()
    patches = to_patches(picture, 2, 3)
    assert patches.shape == (1, 4, 6)
    assert patches[0, 1].tolist() == [3, 4, 5, 9, 10, 11]
    assert patches[0, 2].tolist() == [12, 13, 14, 18, 19, 20]


def test_the_encoder_sees_a_quarter_of_the_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    branch, method = tiny_transformer(), MaskedAutoencoder(32, decoder_width=16, decoder_depth=1)
    method.follow(branch)
    lengths: list[int] = []
    branch.backbone.blocks.register_forward_hook(lambda _, inputs, __: lengths.append(inputs[0].shape[1]))  # type: ignore[union-attr]
    pictures = torch.rand(2, 1, 64, 96)
    assert torch.isfinite(method.loss(branch, pictures, pictures))
    assert lengths == [1 + 8 * 12 // 4]


def test_it_learns_to_draw_what_it_does_not_see_and_does_not_collapse() -> None:
    torch.manual_seed(0)
    stack = np.stack([resample(one.pixels, (64, 64)) for one in render("sem10", 40, size=128, seed=1, bar=0)])
    pictures = torch.from_numpy(stack)[:, None].float() / 255
    branch, method = tiny_transformer(), MaskedAutoencoder(32, decoder_width=32, decoder_depth=1)
    method.follow(branch)
    optimizer = torch.optim.AdamW([*branch.parameters(), *method.parameters()], 2e-3)
    losses = []
    for _ in range(60):
        loss = method.loss(branch, pictures[torch.randperm(40)[:20]], pictures[:1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:5])
    with torch.no_grad():
        measures = collapse_measures(branch.eval()(pictures).numpy())
    assert not has_collapsed(measures), measures


def test_its_usual_settings_and_what_it_says_of_other_networks() -> None:
    recipe = load_pretraining("mae", ["views.side=96"])
    assert (recipe.backbone, recipe.views.noise, recipe.views.side) == ("vit_tiny_patch16_224", 0, 96)
    assert load_pretraining("simclr").backbone == "resnet10t"
    with pytest.raises(MorphoscopeError, match=r"views.side is 20 px.*8 × 8 px.*Add --set views.side=32"):
        MaskedAutoencoder.check(tiny_transformer(), 20)
    MaskedAutoencoder.check(tiny_transformer(), 40)
    with pytest.raises(MorphoscopeError, match=r"resnet10t is no vision transformer.*Add --backbone vit_tiny_patch16_224"):
        MaskedAutoencoder(512).follow(ImageBranch("resnet10t"))
