"""Views: each picture its own, the zoom told truly, tones and noise of the strengths asked for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from morphoscope.data.views import Views

STILL = {"rotation_deg": 0.0, "flip": False, "tone": 0.0, "blur": 0.0, "noise": 0.0}


def disc(radius: float, height: int = 80, width: int = 120) -> Tensor:
    """(1, 1, Y, X) a bright disc in the middle of a non-square picture."""
    y, x = torch.meshgrid(torch.arange(height) - height / 2 + 0.5, torch.arange(width) - width / 2 + 0.5, indexing="ij")
    return (torch.hypot(y, x) < radius).float()[None, None]


def test_without_any_change_a_full_crop_of_a_square_picture_is_the_picture() -> None:
    picture = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    views, log_zoom = Views(64, crop=(1.0, 1.0), **STILL)(picture, torch.Generator().manual_seed(0))
    assert torch.allclose(views, picture, atol=1e-4)  # positions are rounded, and the picture is noise
    assert torch.allclose(log_zoom, torch.zeros(2), atol=1e-6)


def test_the_zoom_that_is_told_is_that_of_the_specimen() -> None:
    pictures = disc(8.0).expand(40, -1, -1, -1)
    settings = STILL | {"rotation_deg": 180.0, "flip": True}
    views, log_zoom = Views(96, crop=(0.7, 1.0), **settings)(pictures, torch.Generator().manual_seed(1))
    whole = [(v, z) for v, z in zip(views, log_zoom, strict=True) if _is_clear_of_the_edge(v)]
    assert len(whole) > 10
    for view, zoom in whole:
        radius = math.sqrt(float(view.sum()) / math.pi)
        assert radius == pytest.approx(8.0 * math.exp(float(zoom)), rel=0.04)


def _is_clear_of_the_edge(view: Tensor) -> bool:
    edge = torch.cat([view[0, 0], view[0, -1], view[0, :, 0], view[0, :, -1]])
    return float(edge.max()) < 1e-3 and float(view.sum()) > 50


def test_every_picture_has_a_view_of_its_own_and_a_seed_repeats_it() -> None:
    pictures = torch.rand(1, 1, 70, 90).expand(6, -1, -1, -1)
    first, _ = Views(48)(pictures, torch.Generator().manual_seed(3))
    again, _ = Views(48)(pictures, torch.Generator().manual_seed(3))
    assert torch.equal(first, again)
    assert len({round(float(view.mean()), 6) for view in first}) == 6
    assert first.shape == (6, 1, 48, 48)
    assert torch.isfinite(first).all()


def test_noise_has_the_strength_of_the_dose() -> None:
    grey = torch.full((200, 1, 32, 32), 0.49)
    settings = STILL | {"noise": 1.0}
    views, _ = Views(32, crop=(1.0, 1.0), dose_noise=0.1, **settings)(grey, torch.Generator().manual_seed(0))
    spread = views.std((1, 2, 3))
    assert float(spread.max()) == pytest.approx(0.1 * 0.7, rel=0.1)
    assert float(spread.mean()) == pytest.approx(0.05 * 0.7, rel=0.15)


def test_blur_and_tone_touch_the_share_asked_for() -> None:
    pictures = torch.rand(400, 1, 24, 24)
    for change in ("blur", "tone"):
        views, _ = Views(24, crop=(1.0, 1.0), **(STILL | {change: 0.25}))(pictures, torch.Generator().manual_seed(0))
        changed = (views - pictures).abs().amax((1, 2, 3)) > 1e-3
        assert float(changed.float().mean()) == pytest.approx(0.25, abs=0.07)
