"""A recipe that pretrains: from the training pictures alone, then a frozen encoder under its heads; resumed and repeated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.split import Fold
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import encoder_branch
from morphoscope.schema import Schema, Task
from morphoscope.training import pretrained_start as module
from morphoscope.training.experiment import Material, Pace, run_trial
from morphoscope.training.pretrained_start import pretraining_recipe, pretrains
from morphoscope.training.recipe import Recipe, load_recipe

COUNT = 16
ROWS = np.arange(COUNT)
FOLD = Fold(ROWS[:8], ROWS[8:12], ROWS[12:], 0, 0)


def recipe(*settings: str) -> Recipe:
    quick = ["encoder=random", "backbone=resnet10t", "image_size=[32,32]", "precision=fp32", "epochs=2", "pretraining_epochs=2"]
    return load_recipe("lu-simclr", [*quick, *settings])


@pytest.fixture(scope="module")
def material() -> Material:
    canvases = np.random.default_rng(1).integers(0, 255, (COUNT, 32, 32), np.uint8)
    truth = np.array([[i % 2 == 0, i % 2 == 1] for i in range(COUNT)])
    return Material(Schema((Task("parity", ("even", "odd")),)), Preprocessing(32, 32), canvases, {}, [{}] * COUNT, [truth])


def test_the_heads_learn_on_the_frozen_encoder_that_the_training_pictures_taught(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    usual = module.pretrain_encoder
    monkeypatch.setattr(
        module, "pretrain_encoder", lambda pictures, *rest: (seen.append(len(pictures)), usual(pictures, *rest))[1]
    )
    trial = run_trial(material, FOLD, recipe(), tmp_path, "trial", Pace())
    assert seen == [len(FOLD.train)]
    assert trial.fitted.pretraining_epochs == 2
    learned = encoder_branch(str(tmp_path / "pretraining")).backbone.state_dict()
    kept = trial.fitted.network.branches["image"].backbone.state_dict()  # type: ignore[union-attr, operator]
    assert all(torch.equal(tensor, kept[name]) for name, tensor in learned.items()), (
        "frozen, the statistics of its norms included"
    )
    untaught = ImageBranch("resnet10t").backbone.state_dict()
    assert not torch.equal(learned["conv1.0.weight"], untaught["conv1.0.weight"])

    monkeypatch.setattr(module, "pretrain_encoder", None)
    again = run_trial(material, FOLD, recipe(), tmp_path, "trial", Pace(resume=True))
    assert again.fitted.pretraining_epochs == 2, "a resumed run takes what is there"


def test_a_repeat_stops_where_the_clock_stopped_the_first_run(material: Material, tmp_path: Path) -> None:
    trial = run_trial(material, FOLD, recipe("pretraining_epochs=50", "pretraining_stopped_after=1"), tmp_path, "trial", Pace())
    assert trial.fitted.pretraining_epochs == 1
    assert json.loads((tmp_path / "pretraining" / "encoder.json").read_text(encoding="utf-8"))["epochs"] == 1


def test_an_encoder_of_ones_own_takes_its_place() -> None:
    assert pretrains(recipe())
    assert not pretrains(recipe().model_copy(update={"encoder": "/some/encoder"}))
    assert not pretrains(load_recipe("default"))


def test_its_settings_are_those_of_the_recipe_of_pretraining_within_the_pictures_bounds() -> None:
    published = pretraining_recipe(load_recipe("lu-simclr", ["encoder=random"]), (224, 224), 832)
    assert (published.learning.epochs, published.learning.batch_size, published.views.side) == (200, 64, 224)
    few = pretraining_recipe(recipe(), (32, 48), 11)
    assert (few.learning.epochs, few.learning.batch_size, few.views.side, few.backbone) == (2, 8, 48, "resnet10t")
