"""Near-duplicate micrographs: one view saved twice, re-encoded, resized, in other contrast, turned, flipped or slightly cropped.

The hash is a thumbnail divided by its local contrast, so that the texture inside a particle counts as much as its outline:
two centred spheres of one size differ, two encodings of one sphere do not. Pairs are proposed on a coarse version that
forgives misalignment, then aligned (Lucas and Kanade 1981) and judged on the full thumbnail.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from morphoscope.data.alignment import align, self_agreement

SIDE = 64
COARSE_SIDE = 16
CONTRAST_SIGMA = 2.0
# Measured on 366 published micrographs and 24 kinds of copies of each: of 67,000 pairs of different pictures 44 pass the
# coarse correlation and none the agreement (highest 0.50, two crystals of one habit); of the copies 95 to 100 % pass both.
CANDIDATE_CORRELATION = 0.45
PLAUSIBLE_AGREEMENT = 0.4
SAME_AGREEMENT = 0.6
MAX_CANDIDATES = 8
"""Most alike pictures looked at in detail for each: bounds the work where all pictures show one lattice."""
CHUNK = 2048
ALIGNED_AT_ONCE = 256
# (top, bottom, left, right) of the part kept: a copy may have lost an edge of up to 15 % or a frame of up to 7 % a side.
WINDOWS = (
    (0.0, 1.0, 0.0, 1.0),
    (0.0, 0.94, 0.0, 1.0),
    (0.0, 0.88, 0.0, 1.0),
    (0.06, 1.0, 0.0, 1.0),
    (0.12, 1.0, 0.0, 1.0),
    (0.03, 0.97, 0.03, 0.97),
    (0.06, 0.94, 0.06, 0.94),
)


def perceptual_hash(display: np.ndarray) -> np.ndarray:
    """The (64, 64) int8 locally normalised thumbnail of a (Y, X) uint8 specimen, its information bar already cropped."""
    thumbnail = np.asarray(Image.fromarray(display).convert("F").resize((SIDE, SIDE), Image.Resampling.BOX))
    detail = thumbnail - gaussian_filter(thumbnail, CONTRAST_SIGMA)
    local_contrast = np.sqrt(gaussian_filter(detail**2, CONTRAST_SIGMA))
    quantisation = 0.02  # grey levels: what rounding to 8 bits leaves of a mean over hundreds of pixels
    normalised = detail / (local_contrast + 0.05 * detail.std() + quantisation)
    return np.round(np.clip(normalised, -2, 2) * 63).astype(np.int8)


def near_duplicate_groups(hashes: np.ndarray) -> np.ndarray:
    """(N,) group number of each picture: pictures share one where a chain of near-duplicate pairs joins them."""
    return connected_groups(len(hashes), near_duplicate_pairs(hashes))


def connected_groups(n: int, pairs: np.ndarray) -> np.ndarray:
    """(n,) component number of each of n things joined by (P, 2) pairs of indices."""
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def near_duplicate_pairs(hashes: np.ndarray) -> np.ndarray:
    """(P, 2) indices i < j of the pictures among (N, 64, 64) hashes that show one view."""
    candidates = _candidates(hashes) if len(hashes) else np.empty((0, 4), dtype=np.intp)
    chunks = [candidates[start : start + ALIGNED_AT_ONCE] for start in range(0, len(candidates), ALIGNED_AT_ONCE)]
    confirmed = [_same_view(hashes, chunk) for chunk in chunks]
    return np.sort(np.concatenate([candidates[:0], *confirmed])[:, :2], axis=1)


def _candidates(hashes: np.ndarray) -> np.ndarray:
    """(P, 4) picture i, picture j, window of i, symmetry of j: the best hypothesis of each plausible pair."""
    whole = _coarse(hashes, WINDOWS[0])
    found = [pd.DataFrame(columns=["i", "j", "window", "symmetry", "score"], dtype=np.float32)]
    for window, bounds in enumerate(WINDOWS):
        cropped = _unit(_coarse(hashes, bounds))
        for symmetry in range(8):
            i, j, score = _most_alike(cropped, _unit(turn(whole, symmetry)))
            found.append(pd.DataFrame({"i": i, "j": j, "window": window, "symmetry": symmetry, "score": score}))
    filled = [part for part in found if len(part)] or found[:1]
    hypotheses = pd.concat(filled).sort_values("score", ascending=False, kind="stable")
    hypotheses["pair"] = hypotheses[["i", "j"]].min(axis=1) * len(hashes) + hypotheses[["i", "j"]].max(axis=1)
    best = hypotheses.drop_duplicates("pair").groupby("i").head(MAX_CANDIDATES)
    return best[["i", "j", "window", "symmetry"]].to_numpy(dtype=np.intp)


def _most_alike(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows i of the unit vectors (N, D), for each the most alike rows j of another picture, and their correlations."""
    found = []
    rank = max(len(b) - MAX_CANDIDATES, 0)
    for start in range(0, len(a), CHUNK):
        correlation = a[start : start + CHUNK] @ b.T
        correlation[np.arange(len(correlation)), start + np.arange(len(correlation))] = -1
        limit = np.full(len(correlation), CANDIDATE_CORRELATION, dtype=np.float32)
        is_crowded = (correlation > CANDIDATE_CORRELATION).sum(axis=1) > MAX_CANDIDATES
        limit[is_crowded] = np.partition(correlation[is_crowded], rank, axis=1)[:, rank]
        i, j = np.nonzero(correlation >= limit[:, None])
        found.append((i + start, j, correlation[i, j]))
    i, j, score = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return i, j, score


def turn(images: np.ndarray, symmetry: int) -> np.ndarray:
    """(N, S, S) images under one of the eight symmetries of the square."""
    mirrored = images[:, :, ::-1] if symmetry >= 4 else images
    return np.rot90(mirrored, symmetry % 4, axes=(1, 2))


def _coarse(hashes: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    """(N, 16, 16) means over a window of the hashes."""
    top, bottom, left, right = bounds
    rows, columns = _cell_means(top, bottom), _cell_means(left, right)
    chunks = [rows @ hashes[i : i + CHUNK].astype(np.float32) @ columns.T for i in range(0, len(hashes), CHUNK)]
    return np.concatenate(chunks)


def _cell_means(start: float, stop: float) -> np.ndarray:
    """(16, 64) weights that average the part from start to stop of 64 pixels into 16 cells."""
    edges = np.linspace(start, stop, COARSE_SIDE + 1)[:, None] * SIDE
    pixel = np.arange(SIDE)
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (np.clip(overlap, 0, None) / (edges[1:] - edges[:-1])).astype(np.float32)


def _unit(images: np.ndarray) -> np.ndarray:
    """(N, D) the images as vectors of zero mean and unit length; a blank one stays zero."""
    vectors = images.reshape(len(images), -1)
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def _same_view(hashes: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """The (P, 4) candidates whose pictures agree in detail once aligned, and better than a periodic one with itself."""
    moving = hashes[candidates[:, 0]].astype(np.float32)
    fixed = np.empty_like(moving)
    for symmetry in range(8):
        chosen = candidates[:, 3] == symmetry
        fixed[chosen] = turn(hashes[candidates[chosen, 1]], symmetry)
    bounds = np.array(WINDOWS, dtype=np.float32)[candidates[:, 2]]
    bounds, agreement = align(_halved(moving), _halved(fixed), bounds)
    passed = np.flatnonzero(agreement > PLAUSIBLE_AGREEMENT)
    _, agreement = align(moving[passed], fixed[passed], bounds[passed])
    passed, agreement = passed[agreement > SAME_AGREEMENT], agreement[agreement > SAME_AGREEMENT]
    is_same = agreement > (1 + self_agreement(moving[passed])) / 2
    is_same |= (moving[passed] == fixed[passed]).all(axis=(1, 2))
    return candidates[passed[is_same]]


def _halved(images: np.ndarray) -> np.ndarray:
    n, side, _ = images.shape
    return images.reshape(n, side // 2, 2, side // 2, 2).mean(axis=(2, 4))
