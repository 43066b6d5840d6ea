"""Small stacks of thumbnails laid over one another: which part of one shows the other, and how well they then agree."""

from __future__ import annotations

import numpy as np

MAX_STEP = 0.03
N_STEPS = 6
TILES_A_SIDE = 4
MIN_TILES = 4
MIN_TILE_SEEN = 0.3
BLANK_STD = 5.0
LAGS = (4, 32)


def align(moving: np.ndarray, fixed: np.ndarray, bounds: np.ndarray, max_shift: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """The part of each moving image that shows the fixed one, and how well they agree there.

    moving, fixed: (P, S, S) float. bounds: (P, 4) first guess of the top, bottom, left and right edge of that part, as
    fractions of the moving image, each to be moved by at most max_shift. Returns the refined bounds (P, 4) and the agreement
    (P,): the median over tiles of the Pearson correlation, so that no bar burnt into one or both of them decides.
    Gauss-Newton on the squared difference (Lucas and Kanade 1981); converges from about two pixels away.
    """
    guess = bounds
    gradient_y, gradient_x = np.gradient(moving * moving.shape[1], axis=(1, 2))
    for _ in range(N_STEPS):
        bounds = bounds + _step(moving, gradient_y, gradient_x, fixed, bounds)
        bounds = np.clip(bounds, guess - max_shift, guess + max_shift)
    rows, columns, is_seen = _sampling(bounds, fixed.shape[1])
    return bounds, _agreement(rows @ moving @ columns, fixed, is_seen)


def self_agreement(images: np.ndarray) -> np.ndarray:
    """(P,) how well each (P, S, S) image agrees with itself shifted: near 1 for a periodic pattern, near 0 without one."""
    side = images.shape[1]
    spectrum = np.fft.rfft2(images, s=(2 * side, 2 * side))
    overlap = np.abs(np.fft.rfft2(np.ones((side, side)), s=(2 * side, 2 * side))) ** 2
    similarity = np.fft.irfft2(np.abs(spectrum) ** 2) / np.maximum(np.fft.irfft2(overlap), 1)
    lag = np.fft.fftfreq(2 * side, 1 / (2 * side))
    furthest = np.maximum(np.abs(lag)[:, None], np.abs(lag)[None, :])
    similarity[:, (furthest < LAGS[0]) | (furthest > LAGS[1])] = -np.inf
    y, x = np.unravel_index(similarity.reshape(len(images), 4 * side**2).argmax(axis=1), furthest.shape)
    shift_y, shift_x = lag[y] / side, lag[x] / side
    bounds = np.column_stack([shift_y, 1 + shift_y, shift_x, 1 + shift_x]).astype(np.float32)
    return align(images, images, bounds, max_shift=1 / side)[1]


def _step(
    moving: np.ndarray, gradient_y: np.ndarray, gradient_x: np.ndarray, fixed: np.ndarray, bounds: np.ndarray
) -> np.ndarray:
    """(P, 4) the shift of the bounds that one Gauss-Newton step asks for."""
    n, side, _ = fixed.shape
    rows, columns, is_seen = _sampling(bounds, side)
    per_y = is_seen * (rows @ gradient_y @ columns)
    per_x = is_seen * (rows @ gradient_x @ columns)
    along = (np.arange(side, dtype=np.float32) + 0.5) / side
    y, x = along[:, None], along[None, :]
    jacobian = np.stack([per_y * (1 - y), per_y * y, per_x * (1 - x), per_x * x], axis=-1).reshape(n, side**2, 4)
    residual = (is_seen * (fixed - rows @ moving @ columns)).reshape(n, side**2, 1)
    transposed = jacobian.transpose(0, 2, 1)
    normal = transposed @ jacobian
    damping = (1e-3 * np.trace(normal, axis1=1, axis2=2) + 1e-6)[:, None, None] * np.eye(4, dtype=np.float32)
    return np.clip(np.linalg.solve(normal + damping, transposed @ residual)[:, :, 0], -MAX_STEP, MAX_STEP)


def _sampling(bounds: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row weights (P, S, S), column weights (P, S, S) with `rows @ image @ columns` the part, and (P, S, S) where it exists."""
    rows, has_row = _interpolation(bounds[:, 0], bounds[:, 1], side)
    columns, has_column = _interpolation(bounds[:, 2], bounds[:, 3], side)
    return rows, columns.transpose(0, 2, 1), has_row[:, :, None] & has_column[:, None, :]


def _interpolation(start: np.ndarray, stop: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(P, S, S) linear weights that sample S pixels evenly from start to stop (fractions), and (P, S) which lie on the image."""
    along = (np.arange(side, dtype=np.float32) + 0.5) / side
    position = (start[:, None] + (stop - start)[:, None] * along) * side - 0.5
    nearest = np.clip(position, 0, side - 1)[:, :, None]
    weights = np.clip(1 - np.abs(nearest - np.arange(side, dtype=np.float32)), 0, None)
    return weights, (position > -1) & (position < side)


def _agreement(a: np.ndarray, b: np.ndarray, is_seen: np.ndarray) -> np.ndarray:
    """(P,) median over tiles of the correlation of two (P, S, S) stacks; tiles blank in either or hardly seen don't count."""
    a, b, is_seen = _tiles(a), _tiles(b), _tiles(is_seen)
    n_seen = np.maximum(is_seen.sum(axis=2), 1)
    a = is_seen * (a - ((is_seen * a).sum(axis=2) / n_seen)[:, :, None])
    b = is_seen * (b - ((is_seen * b).sum(axis=2) / n_seen)[:, :, None])
    std_a, std_b = np.sqrt((a**2).sum(axis=2) / n_seen), np.sqrt((b**2).sum(axis=2) / n_seen)
    covariance = (a * b).sum(axis=2) / n_seen
    counts = (std_a > BLANK_STD) & (std_b > BLANK_STD) & (is_seen.mean(axis=2) > MIN_TILE_SEEN)
    correlation = np.where(counts, covariance / np.maximum(std_a * std_b, 1e-6), np.inf)
    n_tiles = counts.sum(axis=1)
    median = np.sort(correlation, axis=1)[np.arange(len(a)), np.maximum(n_tiles - 1, 0) // 2]
    return np.where(n_tiles >= MIN_TILES, median, 0.0)


def _tiles(images: np.ndarray) -> np.ndarray:
    """(P, T, K) the K pixels of each of T square tiles."""
    n, side, _ = images.shape
    edge = side // TILES_A_SIDE
    tiled = images.reshape(n, TILES_A_SIDE, edge, TILES_A_SIDE, edge).transpose(0, 1, 3, 2, 4)
    return tiled.reshape(n, TILES_A_SIDE**2, edge**2)
