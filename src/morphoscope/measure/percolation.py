"""Whether what is covered connects the field from edge to edge along both axes: the rule of Lu et al. (2022) for networks."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_SLACK_PX = 2
"""A cluster spans an axis where its first and last pixel lie at least the field's size less this apart."""


def covered_clusters(covered: np.ndarray) -> np.ndarray:
    """(Y, X) int32 cluster numbers from 1 of the covered pixels of a mask (Y, X) of bool; 0: background, or a pixel by itself.

    The clusters are those that DBSCAN (Ester et al. 1996) with eps = 2 px and min_samples = 2 finds among the pixels: with two
    samples every pixel that has a neighbour is a core, so clusters are the connected parts where a step may be 2 px long.
    """
    parts, cluster = _linked_parts(covered)
    size = np.bincount(cluster, np.bincount(parts.ravel(), minlength=len(cluster)))
    kept = np.flatnonzero(size > 1)
    number = np.zeros(len(size), np.int32)
    number[kept] = np.arange(len(kept)) + 1
    number[cluster[0]] = 0
    return (np.unique(number, return_inverse=True)[1].astype(np.int32)[cluster])[parts]


def percolates(covered: np.ndarray) -> bool:
    """Whether one cluster of a mask (Y, X) of bool spans the field along both axes, each to within 2 px of its size."""
    if not covered.any():
        return False
    if max(covered.shape) <= _SLACK_PX + 1:  # a pixel by itself, which is no cluster, would span so small a field
        clusters = covered_clusters(covered)
        return bool((_spanning(clusters, int(clusters.max())) & _spanning(clusters.T, int(clusters.max())))[1:].any())
    parts, cluster = _linked_parts(covered)
    spans = []
    for lines in (parts, parts.T):
        edges = cluster[lines[[0, 1, -2, -1]]] if len(lines) > _SLACK_PX else cluster[lines]
        spans.append(_spanning(edges, int(cluster.max())))
    spans[0][cluster[0]] = False  # the background
    return bool((spans[0] & spans[1]).any())


def _linked_parts(covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Y, X) numbers of the parts whose pixels meet at a side or corner, 0 for background, and (n,) the cluster of each part.

    A radius of 2 px adds to the eight neighbours of a pixel the four that lie two steps along an axis. Where the pixel between
    is covered they are joined already.
    """
    n, parts = cv2.connectedComponents(np.ascontiguousarray(covered).view(np.uint8), connectivity=8)
    links = []
    for here, between, there in (
        ((slice(None, -2), slice(None)), (slice(1, -1), slice(None)), (slice(2, None), slice(None))),
        ((slice(None), slice(None, -2)), (slice(None), slice(1, -1)), (slice(None), slice(2, None))),
    ):
        joins = covered[here] & ~covered[between] & covered[there]
        links.append(np.column_stack([parts[here][joins], parts[there][joins]]))
    first, second = np.concatenate(links).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(n, n))
    return parts, connected_components(graph, directed=False)[1]


def _spanning(clusters: np.ndarray, largest: int) -> np.ndarray:
    """(largest + 1,) bool for each cluster: its first and last row lie at least the number of rows less 2 apart.

    clusters: all rows, or the first two and the last two of more.
    """
    present = np.zeros((4, largest + 1), bool)
    if len(clusters) <= _SLACK_PX:
        present[:, clusters] = True
    else:
        for seen, row in zip(present, (0, 1, -2, -1), strict=True):
            seen[clusters[row]] = True
    first, second, before_last, last = present
    return (first & (last | before_last)) | (second & last)
