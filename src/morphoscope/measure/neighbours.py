"""Who lies beside whom in an instance map: gaps between neighbouring objects, contacts, and the clusters these form."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

CONTACT_GAP_PX = 1.5
"""Objects with less background between them touch: segmenters and annotators leave a line of one pixel between neighbours."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of objects whose influence zones (the background nearer to an object than to any other) share a border.

    n_objects: N. first, second: (P,) indices into the map's numbers, first < second. gap_px: (P,) background between the two
    where it is narrowest, 0 where pixels meet. border_px: (P,) how many pixel sides (or corners) of the two meet, 0 without contact.
    """

    n_objects: int
    first: np.ndarray
    second: np.ndarray
    gap_px: np.ndarray
    border_px: np.ndarray

    def touching(self, gap_px: float = CONTACT_GAP_PX) -> np.ndarray:
        """(P,) bool: which pairs are in contact."""
        return self.gap_px < gap_px

    def counts(self, chosen: np.ndarray) -> np.ndarray:
        """(N,) how many of the (P,) chosen pairs each object is part of."""
        both = np.concatenate([self.first[chosen], self.second[chosen]])
        return np.bincount(both, minlength=self.n_objects)

    def nearest_gap_px(self) -> np.ndarray:
        """(N,) narrowest gap to any neighbour; inf for an object that is alone."""
        nearest = np.full(self.n_objects, np.inf)
        for side in (self.first, self.second):
            np.minimum.at(nearest, side, self.gap_px)
        return nearest

    def cluster_sizes(self, chosen: np.ndarray) -> np.ndarray:
        """(K,) objects a cluster, largest first, where the (P,) chosen pairs hold together; a single object is a cluster of one."""
        if not self.n_objects:
            return np.empty(0, np.int64)
        return np.sort(np.bincount(self.clusters(chosen)))[::-1]

    def clusters(self, chosen: np.ndarray) -> np.ndarray:
        """(N,) number of the cluster that each object belongs to, from 0."""
        links = (np.ones(int(chosen.sum()), bool), (self.first[chosen], self.second[chosen]))
        graph = coo_array(links, shape=(self.n_objects, self.n_objects))
        return connected_components(graph, directed=False)[1]


def find_neighbours(instance_map: np.ndarray, numbers: np.ndarray) -> Neighbours:
    """The neighbours of every object of an instance map (Y, X). numbers: (N,) those of the map, ascending.

    Bias: distances come from a 5 × 5 chamfer mask (Borgefors 1986), at most 2 % off; gaps are those of pixels' middles less one.
    """
    n = len(numbers)
    if n < 2:
        nothing = np.empty(0, np.int64)
        return Neighbours(n, nothing, nothing, np.empty(0), nothing)
    index = np.searchsorted(numbers, instance_map).astype(np.int32)
    is_object = instance_map != 0
    distance, zone = cv2.distanceTransformWithLabels(
        (~is_object).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.empty(int(zone.max()) + 1, np.int32)
    owner[zone[is_object]] = index[is_object]
    return _pairs(owner[zone], distance, n)


def _pairs(zone: np.ndarray, distance: np.ndarray, n: int) -> Neighbours:
    """Neighbouring zones (Y, X) with the least sum of distances across their border."""
    keys, gaps, meets = [], [], []
    width = zone.shape[1]
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        at = (slice(0, zone.shape[0] - down), slice(max(0, -right), width - max(0, right)))
        beyond = (slice(down, None), slice(max(0, right), width - max(0, -right)))
        row, column = np.nonzero(zone[at] != zone[beyond])
        here, there = zone[at][row, column].astype(np.int64), zone[beyond][row, column].astype(np.int64)
        between = distance[at][row, column] + distance[beyond][row, column]
        keys.append(np.minimum(here, there) * n + np.maximum(here, there))
        gaps.append(between + (0.0 if between.size == 0 else np.hypot(down, right) - 1) * (between > 0))
        meets.append(between == 0)
    key, pair = np.unique(np.concatenate(keys), return_inverse=True)
    gap = np.full(len(key), np.inf)
    np.minimum.at(gap, pair, np.concatenate(gaps))
    border = np.bincount(pair, np.concatenate(meets), minlength=len(key)).astype(np.int64)
    return Neighbours(n, key // n, key % n, gap, border)
