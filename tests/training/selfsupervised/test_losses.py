"""Every loss against its published formula, written out in NumPy with loops; every method learns and does not collapse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from morphoscope.training.selfsupervised import METHODS
from morphoscope.training.selfsupervised.barlow_twins import barlow_twins_loss
from morphoscope.training.selfsupervised.byol import BYOL, byol_loss
from morphoscope.training.selfsupervised.collapse import collapse_measures, has_collapsed
from morphoscope.training.selfsupervised.method import projector
from morphoscope.training.selfsupervised.simclr import simclr_loss
from morphoscope.training.selfsupervised.vicreg import vicreg_loss


def two_views(rows: int = 12, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(rows, width))
    return first, first + 0.4 * rng.normal(size=(rows, width))


def of_tensors(loss, first: np.ndarray, second: np.ndarray, **settings: float) -> float:
    return float(loss(torch.from_numpy(first).float(), torch.from_numpy(second).float(), **settings))


def test_simclr_is_equation_one_of_chen_2020() -> None:
    first, second = two_views()
    z = np.concatenate([first, second])
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    n, terms = len(first), []
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        others = [k for k in range(2 * n) if k != i]
        terms.append(-np.log(np.exp(z[i] @ z[partner] / 0.2) / sum(np.exp(z[i] @ z[k] / 0.2) for k in others)))
    assert of_tensors(simclr_loss, first, second, temperature=0.2) == pytest.approx(np.mean(terms), rel=1e-5)


def test_barlow_twins_is_equation_one_of_zbontar_2021() -> None:
    first, second = two_views()
    a, b = ((z - z.mean(0)) / z.std(0) for z in (first, second))
    total = 0.0
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            c = (a[:, i] * b[:, j]).mean()
            total += (1 - c) ** 2 if i == j else 0.01 * c**2
    assert of_tensors(barlow_twins_loss, first, second, off_diagonal_weight=0.01) == pytest.approx(total, rel=1e-3)


def test_vicreg_is_equation_six_of_bardes_2022() -> None:
    first, second = two_views()
    first[:, 0] *= 0.1  # a feature whose spread is below one
    n, d = first.shape
    spread = between = 0.0
    for z in (first, second):
        spread += np.maximum(0, 1 - np.sqrt(z.var(0, ddof=1) + 1e-4)).mean() / 2
        covariance = (z - z.mean(0)).T @ (z - z.mean(0)) / (n - 1)
        between += sum(covariance[i, j] ** 2 for i in range(d) for j in range(d) if i != j) / d
    expected = 25 * ((first - second) ** 2).mean() + 25 * spread + between
    assert of_tensors(vicreg_loss, first, second) == pytest.approx(expected, rel=1e-5)


def test_byol_is_equation_two_of_grill_2020() -> None:
    first, second = two_views()
    cosine = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    assert of_tensors(byol_loss, first, second) == pytest.approx((2 - 2 * cosine).mean(), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in METHODS.names() if name != "mae"])  # which looks at patches: test_mae.py
def test_a_method_learns_to_see_past_a_change_and_does_not_collapse(name: str) -> None:
    """Toy pictures: eight numbers that stay and eight that change from view to view."""
    torch.manual_seed(0)
    encoder: nn.Module = nn.Sequential(nn.Flatten(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16))
    method = METHODS.load(name)(16, widths=[32, 16])
    method.follow(encoder)
    learned = [p for module in (encoder, method) for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learned, 3e-3)
    kept = torch.randn(256, 8)
    losses = []
    for step in range(150):
        rows = torch.randperm(256)[:64]
        first, second = (torch.cat([kept[rows], torch.randn(64, 8)], 1)[:, None, None] for _ in range(2))
        loss = method.loss(encoder, first, second)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(encoder, step / 150)
        losses.append(float(loss.detach()))
    assert np.mean(losses[-20:]) < 0.85 * np.mean(losses[:5])
    with torch.no_grad():
        features = encoder(torch.cat([kept, torch.randn(256, 8)], 1)).numpy()
    assert not has_collapsed(collapse_measures(features))


def test_the_slow_network_of_byol_follows_and_takes_no_gradient() -> None:
    encoder = nn.Linear(4, 4)
    method = BYOL(4, widths=[8, 4], momentum=0.9)
    method.follow(encoder)
    slow = method.slow_encoder
    assert slow is not None
    before = slow.weight.clone()
    with torch.no_grad():
        encoder.weight.add_(1.0)
    method.after_step(encoder, 0.0)
    assert torch.allclose(slow.weight, before + 0.1)
    assert not slow.weight.requires_grad


def test_collapse_is_seen() -> None:
    rng = np.random.default_rng(0)
    healthy = collapse_measures(rng.normal(size=(200, 32)))
    assert healthy["spread"] == pytest.approx(1, abs=0.05)
    assert healthy["effective_rank"] > 28
    assert not has_collapsed(healthy)
    to_a_point = collapse_measures(5 + 0.01 * rng.normal(size=(200, 32)))
    assert has_collapsed(to_a_point)
    to_a_line = collapse_measures(np.outer(rng.normal(size=200), rng.normal(size=128)))
    assert to_a_line["effective_rank"] == pytest.approx(1, abs=1e-3)
    assert has_collapsed(to_a_line)
    assert has_collapsed(collapse_measures(np.ones((10, 4))))
    nearly_alike = collapse_measures(5 + 0.3 * rng.normal(size=(200, 32)))
    assert has_collapsed(nearly_alike), "for a network that began otherwise"
    assert not has_collapsed(nearly_alike, start=nearly_alike), "a fresh class token says nearly the same of all pictures"
    assert has_collapsed(to_a_point, start=nearly_alike)


def test_the_published_projector_has_its_order() -> None:
    kinds = [type(layer).__name__ for layer in projector([2048, 128, 64, 1024], order="relu-norm", last_norm=True)]
    assert kinds == ["Linear", "ReLU", "BatchNorm1d", "Linear", "ReLU", "BatchNorm1d", "Linear", "BatchNorm1d"]
