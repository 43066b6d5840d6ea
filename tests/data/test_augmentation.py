"""Views of drawn pictures: geometry, zoom, determinism, no change of mean brightness by geometry."""

from __future__ import annotations

import math

import pytest
import torch

from morphoscope.data.augmentation import Augmentation

STILL = {"rotation_deg": 0.0, "flip": False, "zoom": 0.0, "shift": 0.0, "contrast": 0.0, "brightness": 0.0, "gamma": 0.0}
QUIET = STILL | {"blur": 0.0, "noise": 0.0}


def disc(height: int = 96, width: int = 128, radius: float = 20) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(height) - height / 2 + 0.5, torch.arange(width) - width / 2 + 0.5, indexing="ij")
    return ((y**2 + x**2) < radius**2).float()[None, None] * 0.6 + 0.2


def test_everything_off_is_the_identity() -> None:
    views, log_zoom = Augmentation(**QUIET)(disc(), torch.Generator().manual_seed(0))
    assert torch.allclose(views, disc(), atol=1e-5)
    assert log_zoom.tolist() == [0]


def test_a_rotated_disc_stays_a_disc_on_a_picture_that_is_not_square() -> None:
    views, _ = Augmentation(**QUIET | {"rotation_deg": 180.0})(disc().repeat(8, 1, 1, 1), torch.Generator().manual_seed(1))
    middle = (..., slice(20, 76), slice(36, 92))  # corners that turn in show the ground
    assert float((views - disc())[middle].abs().mean()) < 0.02


def test_the_zoom_that_is_told_is_the_zoom_that_is_made() -> None:
    views, log_zoom = Augmentation(**QUIET | {"zoom": 0.5})(disc().repeat(16, 1, 1, 1), torch.Generator().manual_seed(2))
    area = (views > 0.5).float().sum((1, 2, 3))
    expected = math.pi * 20**2 * torch.exp(2 * log_zoom)
    assert area.numpy() == pytest.approx(expected.numpy(), rel=0.06)
    assert log_zoom.abs().max() <= math.log(1.5) + 1e-6
    assert log_zoom.std() > 0.1


def test_a_seed_gives_the_same_views() -> None:
    pictures = disc().repeat(4, 1, 1, 1)
    one, other = (Augmentation()(pictures, torch.Generator().manual_seed(5))[0] for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, Augmentation()(pictures, torch.Generator().manual_seed(6))[0])


def test_shot_noise_grows_with_the_root_of_brightness() -> None:
    dark, bright = torch.full((64, 1, 32, 32), 0.1), torch.full((64, 1, 32, 32), 0.9)
    noise = Augmentation(**STILL | {"blur": 0.0, "noise": 1.0})
    ratio = noise(bright, torch.Generator().manual_seed(0))[0].std() / noise(dark, torch.Generator().manual_seed(0))[0].std()
    assert float(ratio) == pytest.approx(3.0, rel=0.05)
