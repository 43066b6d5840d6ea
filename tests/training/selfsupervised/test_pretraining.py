"""Settings of a recipe of pretraining that reach the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from morphoscope.data.picture_file import PictureFile
from morphoscope.training.selfsupervised.pretraining import Pace, decided, pretrain_encoder
from morphoscope.training.selfsupervised.recipe import load_pretraining


def learned(folder: Path, *settings: str) -> torch.Tensor:
    """The first layer after one epoch on pictures of noise."""
    canvases = np.random.default_rng(0).integers(0, 255, (4, 32, 40), np.uint8)
    pictures = PictureFile(canvases, [Path(f"{i}.png") for i in range(4)], np.full(4, np.nan), [], 0)
    few = ["views.side=32", "batch_size=2", "epochs=1", "optimizer=sgd", "learning_rate=0.1", "encoder=random", "weight_decay=0"]
    recipe = decided(load_pretraining("simclr", [*few, *settings]), len(pictures))
    return pretrain_encoder(pictures, recipe, folder, Pace(looks=1)).branch.backbone.state_dict()["conv1.0.weight"]


def test_gradients_are_clipped_as_the_recipe_says(tmp_path: Path) -> None:
    assert load_pretraining("simclr").learning.gradient_clip == 5
    held = learned(tmp_path / "held", "gradient_clip=1e-9")
    free = learned(tmp_path / "free", "gradient_clip=0")
    assert float((free - held).abs().max()) > 1e-5
    again = learned(tmp_path / "again", "gradient_clip=1e-9", "learning_rate=0.2")
    assert float((again - held).abs().max()) == pytest.approx(0, abs=1e-8)
