"""The skeleton of a mask as a graph of pixels: its longest way, its side branches and its junctions."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from skimage.morphology import skeletonize

_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
_AROUND = np.ones((3, 3), int)


def find_skeleton(mask: np.ndarray) -> np.ndarray:
    """(Y, X) bool: the mask thinned to lines of one pixel (Lee, Kashyap & Chu 1994), which keeps every part.

    Zhang & Suen's faster thinning wipes out squares of 2 px and whole lines of an even width that run along a diagonal.
    """
    return skeletonize(np.pad(mask, 1), method="lee")[1:-1, 1:-1] > 0


def longest_path(skeleton: np.ndarray) -> np.ndarray:
    """(K, 2) pixels (y, x) of the longest of all shortest ways through one connected skeleton, in order.

    Two sweeps: farthest from any pixel, then farthest from there; exact for trees, at most a little short for loops.
    """
    pixels, graph = pixel_graph(skeleton)
    start = int(np.argmax(_finite(dijkstra(graph, directed=False, indices=0))))
    distance, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    path = [int(np.argmax(_finite(distance)))]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    return pixels[path[::-1]]


def total_length(skeleton: np.ndarray) -> float:
    """Length in px of all branches, pixel to pixel: too long by a few percent for lines that run askew."""
    _, graph = pixel_graph(skeleton)
    return float(minimum_spanning_tree(graph).sum())


def pixel_graph(skeleton: np.ndarray) -> tuple[np.ndarray, csr_array]:
    """(K, 2) pixels of a skeleton and the (K, K) distances of those that meet at a side or corner."""
    pixels = np.argwhere(skeleton)
    index = np.full((skeleton.shape[0] + 2, skeleton.shape[1] + 2), -1)
    index[1:-1, 1:-1][skeleton] = np.arange(len(pixels))
    ends = []
    for down, right in _STEPS:
        there = index[pixels[:, 0] + 1 + down, pixels[:, 1] + 1 + right]
        here = np.flatnonzero(there >= 0)
        ends.append(np.column_stack([here, there[here], np.full(len(here), np.hypot(down, right))]))
    first, second, length = np.concatenate(ends).T
    shape = (len(pixels), len(pixels))
    return pixels, coo_array((length, (first.astype(np.int64), second.astype(np.int64))), shape=shape).tocsr()


def without_spurs(skeleton: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """The skeleton (Y, X) without side branches no longer than the mask is wide where they start; radius: (Y, X) in px.

    Such a branch shows a rough outline, not a structure.
    """
    for _ in range(2):
        degree = _degree(skeleton)
        junction = skeleton & (degree > 2)
        if not junction.any():
            break
        near = ndimage.binary_dilation(junction, _AROUND)
        branches, n = ndimage.label(skeleton & ~junction, _AROUND)
        length = np.bincount(branches.ravel(), minlength=n + 1)
        has_end = np.bincount(branches[skeleton & (degree <= 1)], minlength=n + 1) > 0
        reach = np.zeros(n + 1)
        meets = near & (branches > 0)
        around = ndimage.maximum_filter(np.where(junction, radius, 0), size=3)
        np.maximum.at(reach, branches[meets], around[meets])
        is_spur = has_end & (reach > 0) & (length <= 2 * reach)
        is_spur[0] = False
        if not is_spur.any():
            break
        skeleton = find_skeleton(skeleton & ~is_spur[branches])
    return skeleton


def find_junctions(skeleton: np.ndarray, merge_px: float = 1.0) -> np.ndarray:
    """(J, 2) places (y, x) where three or more branches meet; those within `merge_px` count as one, as the two of a crossing."""
    junction = skeleton & (_degree(skeleton) > 2)
    if not junction.any():
        return np.empty((0, 2))
    reach = max(1, round(merge_px / 2))
    grown = ndimage.binary_dilation(junction, _AROUND, iterations=reach)
    parts, n = ndimage.label(grown, _AROUND)
    return np.array(ndimage.center_of_mass(junction, parts, range(1, n + 1)))


def _degree(skeleton: np.ndarray) -> np.ndarray:
    """(Y, X) branches that leave each pixel: how often the ring around it changes from background to skeleton."""
    padded = np.pad(skeleton, 1).astype(np.int8)
    height, width = skeleton.shape
    ring = [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0)]
    around = [padded[y : y + height, x : x + width] for y, x in ring]
    changes = sum((after > before).astype(np.int8) for before, after in zip(around, [*around[1:], around[0]], strict=True))
    return np.where(skeleton, changes, 0)


def _finite(distance: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(distance), distance, -1)
