"""Every recipe builds its network and takes steps on small rendered pictures; within twenty its loss falls."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from morphoscope.data.preprocessing import Preprocessing, resample
from morphoscope.errors import RecipeError
from morphoscope.inference.forward import FUSED, ask
from morphoscope.models.branches.image import ImageBranch, check_canvas
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.schema import Schema, Task
from morphoscope.synthesis import render
from morphoscope.training.experiment import Material, run_trial
from morphoscope.training.fit import FitTask, _initialised, _module
from morphoscope.training.module import MultitaskModule
from morphoscope.training.optimisation import freeze, frozen_modules, optimizer_for, schedule_for, stage_of
from morphoscope.training.recipe import Recipe, load_recipe, recipe_names

COUNT = 12
SIDES = {"biswas-inception-v3": 299}
"""The smallest picture that the auxiliary classifier of Inception takes; every other recipe is tried at 64 px."""
LIGHT = ("default", "weintraub-simple-cnn", "biswas-cnn6")
"""Recipes whose twenty steps take a second or two; the others' are marked slow."""
BOTH = Schema((Task("kind", ("even", "odd")), Task("scale", ("fine", "coarse"))))


@cache
def pictures(side: int) -> np.ndarray:
    """(12, side, side) uint8: TEM particles beside TEM nanowires."""
    kinds = [list(render(kind, COUNT // 2, size=128, seed=5, bar=0)) for kind in ("tem-particles", "tem-nanowires")]
    return np.stack([resample(picture.pixels, (side, side)) for pair in zip(*kinds, strict=True) for picture in pair])


def small(name: str, *settings: str) -> tuple[Recipe, Material]:
    """The recipe without weights that must be fetched, and the pictures in the size that it is tried at."""
    side = SIDES.get(name, 64)
    recipe = load_recipe(
        name, ["encoder=random", "batch_size=6", "epochs=10", "precision=fp32", f"image_size=[{side},{side}]", *settings]
    )
    truth = np.array([[i % 2 == 0, i % 2 == 1] for i in range(COUNT)])
    coarse = truth.copy()
    coarse[4:6] = False  # not labelled
    described = {"texture": np.random.default_rng(0).random((COUNT, 7), np.float32)}
    metadata: list[Any] = [{"magnification": 2e5 * (1 + i % 3), "log pixel size": 0.1 * i} for i in range(COUNT)]
    return recipe, Material(BOTH, Preprocessing(side, side), pictures(side), described, metadata, [truth, coarse])


def stepper(recipe: Recipe, material: Material, folder: Path) -> tuple[MultitaskModule, Any]:
    """The module of a fit on all of the pictures, and a function that takes one step and returns its loss."""
    encoder = MetadataEncoder.fit(material.metadata, recipe.model.magnification_divisor)
    spec, rows = material.spec(recipe, encoder), np.arange(COUNT)
    task = FitTask(spec, encoder, material.samples(encoder, spec.branches), rows, rows[:0], recipe, folder)
    torch.manual_seed(0)
    module = _module(task, _initialised(task), recipe)
    module.log = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    optimizer = optimizer_for(module.network, recipe.fit)
    schedule = schedule_for(optimizer, recipe.fit, 20)

    def step(number: int) -> float:
        half = rows[:6] if number % 2 else rows[6:]
        optimizer.zero_grad()
        loss = module.training_step(task.samples.rows(half), number)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        module.on_train_batch_end()
        return float(loss.detach())

    module.network.train()
    return module, step


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_takes_a_step_in_which_everything_learns(name: str, tmp_path: Path) -> None:
    module, step = stepper(*small(name), tmp_path)
    assert np.isfinite(step(0))
    without = [key for key, weights in module.network.named_parameters() if weights.grad is None]
    assert [key for key in without if not key.startswith("stand_ins.")] == []


ONE_A_NETWORK = [name for name in recipe_names() if not re.search(r"-m[1-4]$|-pretrained$|-ad[23]$|resnet34|^lu-[bnv]", name)]


@pytest.mark.parametrize("name", ONE_A_NETWORK)
def test_a_network_comes_back_from_disk(name: str) -> None:
    recipe, material = small(name)
    encoder = MetadataEncoder.fit(material.metadata)
    network = MultimodalNetwork(material.spec(recipe, encoder)).eval()
    again = MultimodalNetwork(NetworkSpec.from_dict(json.loads(json.dumps(network.spec.to_dict())))).eval()
    again.load_state_dict(network.state_dict())
    batch = material.samples(encoder, network.spec.branches).rows(np.arange(4)).batch()
    for one, other in zip(ask(network, [batch]).logits[FUSED], ask(again, [batch]).logits[FUSED], strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    "name", [name if name in LIGHT else pytest.param(name, marks=pytest.mark.slow) for name in recipe_names()]
)
def test_its_loss_falls_within_twenty_steps(name: str, tmp_path: Path) -> None:
    # Without the augmentation, whose views differ more from step to step than so few steps bring; at the recipe's own rate.
    still = [f"augmentation.{key}=0" for key in ("rotation_deg", "zoom", "shift", "shear_deg", "contrast", "brightness")]
    recipe, material = small(name, *still, "augmentation.flip=false", "vertical_flip=false", "noise=0", "blur=0", "gamma=0")
    _, step = stepper(recipe, material, tmp_path)
    losses = [step(number) for number in range(20)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]), losses


def test_stages_change_rate_and_frozen_layers_when_their_epochs_are_over(tmp_path: Path) -> None:
    recipe, material = small("weintraub-xception", "epochs=4")
    assert [stage_of(recipe.fit, epoch).learning_rate for epoch in range(4)] == [6e-4, 1e-4, 1e-4, 1e-4]  # type: ignore[union-attr]
    staged = recipe.model_copy(update={"encoder": "from a file"})
    network = MultimodalNetwork(material.spec(recipe, MetadataEncoder())).train()
    freeze(network, staged, 0)
    assert learning(network) == {"heads"}
    freeze(network, staged, 1)
    assert learning(network) == {"heads", "conv3", "bn3", "conv4", "bn4"}
    backbone = network.branches["image"].backbone
    assert (backbone.bn2.training, backbone.bn3.training) == (False, True)  # type: ignore[union-attr]
    freeze(network, recipe, 0)
    freeze(MultimodalNetwork(network.spec), recipe, 0)
    network = MultimodalNetwork(network.spec)
    freeze(network, recipe, 0)
    assert "conv1" in learning(network), "what starts from random weights is never frozen"
    with pytest.raises(RecipeError, match="Did you mean 'conv3'"):
        frozen_modules(network.branches["image"], "conv33")  # type: ignore[arg-type]


def learning(network: MultimodalNetwork) -> set[str]:
    """First names of the parts of a network that learn."""
    names = [name for name, weights in network.named_parameters() if weights.requires_grad]
    return {name.removeprefix("branches.image.backbone.").split(".")[0] for name in names} - {"stand_ins"}


def test_stages_need_a_schedule_of_their_own() -> None:
    with pytest.raises(RecipeError, match="stages go with the schedule constant or cosine"):
        load_recipe("weintraub-xception", ["schedule=one-cycle"])


@pytest.mark.parametrize(
    ("backbone", "canvas", "works"), [("maxvit_tiny_tf_224", (64, 96), "224"), ("inception_v3", (32, 48), "96")]
)
def test_a_canvas_that_a_backbone_refuses_is_told_with_one_that_works(backbone: str, canvas: tuple[int, int], works: str) -> None:
    with pytest.raises(
        RecipeError, match=rf"{backbone} takes no pictures of {canvas[0]} x {canvas[1]} px .*image_size=\[{works},{works}\]"
    ):
        check_canvas(ImageBranch(backbone), canvas)


def test_an_auxiliary_loss_needs_an_auxiliary_classifier() -> None:
    with pytest.raises(RecipeError, match="resnet18 has no auxiliary classifier"):
        ImageBranch("resnet18", auxiliary=True)


@pytest.mark.parametrize("backbone", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "vit_small_patch14_dinov2"])
def test_transformers_take_pictures_of_other_sizes(backbone: str) -> None:
    branch = ImageBranch(backbone).eval()
    for canvas in ((64, 96), (96, 64), (80, 112)):
        check_canvas(branch, canvas)
        with torch.inference_mode():
            features, look = branch.look(torch.rand(2, 1, *canvas))
        assert features.shape == (2, branch.out_features)
        assert look.shape == (2, 2 * branch.out_features)


def test_a_trial_of_a_two_branch_recipe_as_published(tmp_path: Path) -> None:
    from morphoscope.data.split import Fold, chosen_on_test
    from morphoscope.training.experiment import Pace

    recipe, material = small("accords-resnet18", "epochs=1", "protocol=as-published")
    rows = np.arange(COUNT)
    fold = chosen_on_test(Fold(rows[:6], rows[6:8], rows[8:], 0, 0))
    assert (list(fold.train), list(fold.validation)) == (list(rows[:8]), list(fold.test))
    trial = run_trial(material, fold, recipe, tmp_path, "trial", Pace())
    assert trial.metadata_encoder.width == 2
    assert trial.metadata_encoder.encode({"magnification": 1.2e6}).tolist() == [6.0, 0.0], "as in the publication, unbounded"
    assert torch.equal(trial.fitted.network.mixture, torch.eye(3)[:1].repeat(2, 1)), "the fused answer alone"
