"""Novelty against clouds of points drawn near and far."""

from __future__ import annotations

import numpy as np

from morphoscope.models.novelty import NoveltyReference


def test_unlike_pictures_are_more_novel_and_usual_ones_stay_below_one_half() -> None:
    rng = np.random.default_rng(0)
    reference = NoveltyReference.fit(rng.normal(size=(300, 16)), rng.normal(size=(300, 16)))
    usual, other = reference.novelty(rng.normal(size=(200, 16))), reference.novelty(rng.normal(6, 1, size=(50, 16)))
    assert 0.85 <= (usual < 0.5).mean() <= 1
    assert other.min() > usual.max()
    assert (usual >= 0).all()
    assert (other <= 1).all()


def test_one_training_picture_is_enough() -> None:
    reference = NoveltyReference.fit(np.ones((1, 3)), np.zeros((0, 3)))
    assert reference.novelty(np.ones((2, 3))).tolist() == [0, 0]
