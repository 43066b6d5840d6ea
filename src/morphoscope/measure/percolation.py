"""Whether what is covered connects the field from edge to edge along both axes: the rule of Lu et al. (2022) for networks."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_SLACK_PX = 2
"""A cluster spans an axis where its first and last pixel lie at least the field's size less this apart."""
_FAR = ((0, 2), (2, 0))
"""Steps (y, x) of 2 px that lead from a pixel past its eight neighbours: all that a radius of 2 px adds to them."""


def covered_clusters(covered: np.ndarray) -> np.ndarray:
    """(Y, X) int32 cluster numbers from 1 of the covered pixels of a mask (Y, X) of bool; 0: background, or a pixel by itself.

    The clusters are those that DBSCAN (Ester et al. 1996) with eps = 2 px and min_samples = 2 finds among the pixels: with two
    samples every pixel that has a neighbour is a core, so clusters are the connected parts where a step may be 2 px long.
    """
    n, parts = cv2.connectedComponents(np.ascontiguousarray(covered).view(np.uint8), connectivity=8)
    links = []
    for down, right in _FAR:
        here, there = parts[: parts.shape[0] - down, : parts.shape[1] - right], parts[down:, right:]
        joins = (here > 0) & (there > 0) & (here != there)
        links.append(np.column_stack([here[joins], there[joins]]))
    first, second = np.concatenate(links).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(n, n))
    cluster = connected_components(graph, directed=False)[1]
    size = np.bincount(cluster, np.bincount(parts.ravel(), minlength=n), minlength=n)
    background = cluster[0]
    is_kept = size > 1
    is_kept[background] = False
    number = np.zeros(n, np.int32)
    kept = np.flatnonzero(is_kept)
    number[kept] = np.arange(1, len(kept) + 1)
    return number[cluster][parts]


def percolates(covered: np.ndarray) -> bool:
    """Whether one cluster of a mask (Y, X) of bool spans the field along both axes, each to within 2 px of its size."""
    if not covered.any():
        return False
    clusters = covered_clusters(covered)
    return bool((_spanning(clusters) & _spanning(clusters.T)).any())


def _spanning(clusters: np.ndarray) -> np.ndarray:
    """(K,) bool for each cluster from 1: its first and last row lie at least the number of rows less 2 apart."""
    n, rows = int(clusters.max()), len(clusters)
    if rows <= _SLACK_PX:
        return np.ones(n, bool)
    present = np.zeros((4, n + 1), bool)
    for seen, row in zip(present, (0, 1, rows - 2, rows - 1), strict=True):
        seen[clusters[row]] = True
    first, second, before_last, last = present[:, 1:]
    return (first & (last | before_last)) | (second & last)
