"""Novelty against drawn features: of one kind of picture, of another, and of the same kind with more in it."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.models.novelty import NoveltyReference

N_FEATURES = 32


def drawn(kind: int, n: int, seed: int) -> np.ndarray:
    """(n, 32) features as a rectified network gives them: each kind lights up other ones, and a picture has more or less in it."""
    rng = np.random.default_rng(seed)
    profile = np.random.default_rng(1000 + kind).gamma(0.5, size=N_FEATURES)
    amount = rng.uniform(0.5, 2, (n, 1))
    return amount * profile * rng.gamma(4, 0.25, (n, N_FEATURES))


def test_unlike_pictures_are_more_novel_and_usual_ones_stay_below_one_half() -> None:
    reference = NoveltyReference.fit(drawn(0, 300, 1), drawn(0, 300, 2))
    usual, other = reference.novelty(drawn(0, 400, 3)), reference.novelty(drawn(1, 50, 4))
    assert (usual < 0.5).mean() == pytest.approx(0.95, abs=0.035)
    assert other.min() > usual.max()
    assert (usual >= 0).all()
    assert (other <= 1).all()


def test_more_of_the_same_is_not_novel() -> None:
    reference = NoveltyReference.fit(drawn(0, 300, 1), drawn(0, 300, 2))
    pictures = drawn(0, 50, 3)
    assert reference.novelty(10 * pictures) == pytest.approx(reference.novelty(pictures), rel=1e-3)


def test_one_training_picture_and_blank_features_are_no_error() -> None:
    reference = NoveltyReference.fit(np.ones((1, 3)), np.zeros((0, 3)))
    assert reference.novelty(np.ones((2, 3))) == pytest.approx([0, 0], abs=1e-9)
    assert np.isfinite(reference.novelty(np.zeros((1, 3)))).all()
