"""The same clusters as DBSCAN, a hundred times faster, and the spanning rule at its limits."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.cluster import DBSCAN

from morphoscope.measure.percolation import covered_clusters, percolates
from morphoscope.synthesis import render


def by_dbscan(covered: np.ndarray) -> tuple[np.ndarray, bool]:
    """The seed's rule word for word: clusters of the pixels' coordinates, and whether one spans the field in both axes."""
    pixels = np.argwhere(covered)
    found = DBSCAN(eps=2, min_samples=2).fit(pixels).labels_
    clusters = np.zeros(covered.shape, int)
    clusters[tuple(pixels.T)] = found + 1
    spans = False
    for number in range(found.max() + 1):
        members = pixels[found == number]
        spans |= bool((np.ptp(members, axis=0) >= np.array(covered.shape) - 2).all())
    return clusters, spans


def assert_same_partition(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ((ours == 0) == (theirs == 0)).all()
    pairs = np.unique(np.column_stack([ours.ravel(), theirs.ravel()]), axis=0)
    assert len(pairs) == len(np.unique(ours)) == len(np.unique(theirs))


def test_rendered_nanowires_percolate_where_dbscan_says_so() -> None:
    found = {"network": [], "dispersed": []}
    for picture in render("tem-nanowires", 40, size=(112, 144), seed=2, bar=0.0):
        covered = picture.instance_map > 0
        clusters, spans = by_dbscan(covered)
        assert_same_partition(covered_clusters(covered), clusters)
        assert percolates(covered) == spans
        found.setdefault(picture.labels["class"], []).append(spans)
    assert all(found["network"])
    assert not any(found["dispersed"])


@pytest.mark.parametrize("share", [0.05, 0.15, 0.22, 0.3, 0.5])
def test_random_pixels_fall_into_the_same_clusters(share) -> None:
    rng = np.random.default_rng(0)
    for _ in range(4):
        covered = rng.random((60, 75)) < share
        clusters, spans = by_dbscan(covered)
        assert_same_partition(covered_clusters(covered), clusters)
        assert percolates(covered) == spans


def cross(margin: int, gap: int = 0) -> np.ndarray:
    field = np.zeros((40, 60), bool)
    field[margin : 40 - margin, 30] = True
    field[20, margin : 60 - margin] = True
    field[20, 10 : 10 + gap] = False
    return field


def test_limits_of_the_rule() -> None:
    assert percolates(cross(0))
    assert not percolates(cross(1)), "58 of 60 pixels lie 57 apart"
    assert percolates(cross(0, gap=1)), "a step of 2 px"
    assert not percolates(cross(0, gap=2))
    assert not percolates(np.zeros((40, 60), bool))
    assert percolates(np.ones((40, 60), bool))
    rows = np.zeros((40, 60), bool)
    rows[20] = True
    assert not percolates(rows), "one axis only"
    two = rows.copy()
    two[:, 0] = True
    two[20, 1:4] = False
    assert not percolates(two), "each axis by a cluster of its own"


def test_a_hundred_times_faster_than_dbscan() -> None:
    noise = gaussian_filter(np.random.default_rng(1).normal(size=(300, 400)), 4)
    covered = noise > 0
    began = time.process_time()
    clusters, _ = by_dbscan(covered)
    slow = time.process_time() - began
    times = []
    for _ in range(5):
        began = time.process_time()
        found = covered_clusters(covered)
        times.append(time.process_time() - began)
    assert_same_partition(found, clusters)
    assert slow / min(times) > 100
