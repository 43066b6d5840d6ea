"""Every recipe of a publication against the figures that its authors printed, and the size of every published network."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch

from morphoscope.errors import RecipeError
from morphoscope.models.branches.image import WITH_AUXILIARY, ImageBranch
from morphoscope.training.recipe import AS_PUBLISHED, load_recipe, recipe_names

# recipe: backbone, canvas (height x width), batch, epochs, optimiser, rate, weight decay, flips, start; as the sources print them.
PUBLISHED = """
accords-resnet18                    resnet18         224x224   32  10 adam    1e-4  0     hv imagenet
accords-resnet34                    resnet34         224x224   32  10 adam    1e-4  0     hv imagenet
accords-efficientnet-b0             efficientnet_b0  224x224   32  10 adam    1e-4  0     hv imagenet
accords-convnext-tiny               convnext_tiny    224x224   32  10 adam    1e-4  0     hv imagenet
weintraub-simple-cnn                simple_cnn       -         -   20 rmsprop 1e-3  0     -  random
weintraub-xception                  legacy_xception  299x299   16  20 rmsprop 6e-4  0     -  imagenet
biswas-cnn6                         cnn6             -         -   55 adam    1e-3  1e-4  hv random
biswas-inception-v3                 inception_v3     768x1024  -  100 adam    5e-3  1e-4  -  imagenet
biswas-densenet121-m0               densenet121      512x512   32  90 adam    5e-3  1e-4  h  random
biswas-densenet121-m0-pretrained    densenet121      512x512   32  90 adam    5e-3  1e-4  h  imagenet
biswas-densenet121-m1               densenet121      300x300   32 100 adam    5e-3  1e-4  h  random
biswas-densenet121-m2               densenet121      512x512   32 100 adam    1e-2  1e-4  hv random
biswas-densenet121-m3               densenet121      512x512   32 100 adam    2e-2  1e-4  h  random
biswas-densenet121-m4               densenet121      425x600   32 100 adam    7e-3  1e-4  h  random
biswas-autoencoder-densenet121-ad1  densenet121      480x480   32 100 adam    5e-3  1e-4  h  random
biswas-autoencoder-densenet121-ad2  densenet121      128x128   32 100 adam    5e-3  1e-4  h  random
biswas-autoencoder-densenet121-ad3  densenet121      480x480   32 100 adam    1e-2  1e-4  h  random
lu-simclr                           resnet50         224x224   4  300 adam    1e-3  0     -  imagenet
lu-barlow-twins                     resnet50         224x224   4  300 adam    1e-3  0     -  imagenet
lu-nanoparticles                    resnet50         224x224   4  300 adam    1e-3  0     -  imagenet
lu-virus                            resnet50         224x224   4  300 adam    1e-3  0     -  imagenet
"""
ROWS = {row.split()[0]: row.split()[1:] for row in PUBLISHED.strip().splitlines()}
OURS = {"default", "vit-autoencoder-densenet121"}
"""Recipes that reproduce no table."""

PARAMETERS_1000 = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "efficientnet_b0": 5_288_548,
    "convnext_tiny": 28_589_128,
    "legacy_xception": 22_855_952,
    "inception_v3": 27_161_264,
    "densenet121": 7_978_856,
    "resnet50": 25_557_032,
}
"""Of the networks with three channels and ImageNet's 1000 classes, the auxiliary classifier included, as their makers count them."""


def test_the_table_names_every_recipe() -> None:
    assert set(ROWS) | OURS == set(recipe_names())


@pytest.mark.parametrize("name", ROWS)
def test_a_recipe_has_the_published_settings(name: str) -> None:
    backbone, canvas, batch, epochs, optimiser, rate, decay, flips, start = ROWS[name]
    recipe = load_recipe(name)
    assert (recipe.model.backbone, recipe.encoder, recipe.fit.optimizer) == (backbone, start, optimiser)
    if canvas != "-":
        assert recipe.model.image_size == tuple(map(int, canvas.split("x")))
    if batch != "-":
        assert recipe.fit.batch_size == int(batch)
    assert recipe.fit.epochs == int(epochs)
    assert (recipe.fit.learning_rate, recipe.fit.weight_decay) == (float(rate), float(decay))
    assert (recipe.augmentation.flip, recipe.augmentation.vertical_flip) == ("h" in flips, "v" in flips)
    published = (recipe.fit.label_smoothing, recipe.fit.logit_adjustment, recipe.fit.averaging, recipe.augmentation.noise)
    assert published == (0, 0, 0, 0), "what no publication of them did"
    assert recipe.fit.schedule == "constant"


def test_what_only_one_publication_has() -> None:
    accords = load_recipe("accords-resnet18")
    assert (accords.augmentation.rotation_deg, accords.augmentation.contrast, accords.augmentation.brightness) == (20, 0.2, 0.2)
    assert (accords.model.grey_mean, accords.model.grey_std) == (0.449, 0.226), "ImageNet's means and deviations, averaged"
    assert (accords.model.branches, accords.model.metadata_hidden) == (("image", "metadata"), 0)
    xception = load_recipe("weintraub-xception")
    stages = [(stage.epochs, stage.learning_rate, stage.frozen_below) for stage in xception.fit.stages]
    assert stages == [(5, 6e-4, "heads"), (15, 1e-4, "conv3")]
    assert (xception.model.grey_mean, xception.model.grey_std) == (0.5, 0.5), "inputs in [-1, 1]"
    assert xception.split.protocol == "70/20/10"
    assert min(getattr(xception.augmentation, name) for name in ("rotation_deg", "shift", "shear_deg", "zoom")) > 0
    assert load_recipe("biswas-inception-v3").fit.auxiliary_loss == 1
    autoencoder = load_recipe("biswas-autoencoder-densenet121-ad1")
    assert (autoencoder.model.branches, autoencoder.model.autoencoder_kind) == (("image", "autoencoder"), "dense")
    assert autoencoder.fit.reconstruction_loss > 0
    for name, method in (("lu-simclr", "lu-simclr"), ("lu-barlow-twins", "lu-barlow-twins")):
        head = load_recipe(name)
        assert (head.pretraining, [stage.frozen_below for stage in head.fit.stages]) == (method, ["heads"])
        assert head.fit.patience_epochs == 10, "epochs without improvement"
    cnn = load_recipe("biswas-cnn6")
    assert (cnn.model.grey_mean, cnn.model.grey_std) == (0.5, 0.5)


@pytest.mark.parametrize("name", sorted({row[0] for row in ROWS.values()} & set(PARAMETERS_1000)))
def test_a_network_has_the_published_number_of_weights(name: str) -> None:
    settings: dict[str, Any] = {"aux_logits": True} if name in WITH_AUXILIARY else {}
    with torch.device("meta"):
        published = timm.create_model(name, **settings)
        assert count(published) == PARAMETERS_1000[name]
        ours = ImageBranch(name, auxiliary=bool(settings))
    first = next(iter(published.parameters()))
    lost = count(published.get_classifier()) + first.numel() * 2 // 3  # one grey channel in place of three
    if settings:
        lost += count(published.AuxLogits.fc)
    assert count(ours) == PARAMETERS_1000[name] - lost


def test_the_small_networks_have_the_layers_of_their_drawings() -> None:
    keras = 32 * 9 + 32 + 32 * 32 * 9 + 32 + 32 * 62 * 62 * 128 + 128
    assert count(ImageBranch("simple_cnn", canvas=(128, 128))) == keras
    convolutions = [m for m in ImageBranch("cnn6").modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) + 1 == 6, "with the classifier"


@pytest.mark.parametrize("name", sorted(set(ROWS)))
def test_as_published_brings_the_defects_back_and_says_so(name: str) -> None:
    corrected, published = load_recipe(name), load_recipe(name, ["protocol=as-published"])
    assert (corrected.split.chosen_on, corrected.split.keep_together, corrected.defects) == ("validation", True, ())
    assert (published.split.chosen_on, published.split.keep_together) == ("test", False)
    assert len(published.defects) >= 2
    assert all(sentence.endswith(".") for sentence in published.defects)


def test_a_resolved_recipe_as_published_repeats_itself(tmp_path: Any) -> None:
    published = load_recipe("accords-resnet18", ["protocol=as-published", "split.chosen_on=validation"])
    assert (published.model.magnification_divisor, published.split.chosen_on) == (200_000, "validation")
    file = tmp_path / "recipe.toml"
    file.write_text(published.to_toml(), encoding="utf-8")
    assert load_recipe(str(file)) == published
    with pytest.raises(RecipeError, match="states no protocol but its own"):
        load_recipe("default", [f"protocol={AS_PUBLISHED}"])


def count(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())
