"""Shape statistics of pictures, from the objects that the shipped segmenter finds in them.

Pictures that the segmenter was trained on are an exception: it knows their masks by heart, so what a classifier learned from
these would not hold for new pictures. Their statistics come from networks that did not see their papers, and lie ready
beside the weights (Chernozhukov et al. 2018 call this cross-fitting).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import torch

from morphoscope.data.cache import PictureCache, cache_folder
from morphoscope.data.preparation import OutOfTimeError
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.measure.particles import Spacing
from morphoscope.measure.shape_statistics import STATISTIC_NAMES, shape_statistics
from morphoscope.micrograph import Micrograph
from morphoscope.models.segmenter_file import load_segmenter, shipped_card

CACHE_BYTES = 2**30
WORKERS = 2
PACE_PICTURES = 8
"""After so many the pace is known."""
FINGERPRINT_BITS, FINGERPRINT_SEED = 512, 7
MOST_DIFFERING_BITS = 75
"""As a correlation of signatures of 0.9. Different pictures of EMPS stay below 0.5, which is 170 bits."""
_CROSS_FITTED = "cross_fitted.npz"


@dataclass(frozen=True, eq=False)
class Shown:
    """What a picture shows to be measured: its working copy (Y, X) uint8, that copy's nm a pixel (y, x) where known, and its
    duplicate signature."""

    working: np.ndarray
    spacing: Spacing | None
    signature: np.ndarray


class ShapeReader:
    """Measures pictures with the shipped segmenter; results are kept in the cache."""

    def __init__(self, cache: PictureCache | None = None) -> None:
        self._finder = ObjectFinder(load_segmenter())
        self._cache = cache or PictureCache(cache_folder() / "shapes", CACHE_BYTES)
        self._made = hashlib.sha256("".join([str(shipped_card()), *STATISTIC_NAMES]).encode()).hexdigest()

    def read(self, shown: Shown) -> np.ndarray:
        """(S,) float32, as `shape_statistics` names them."""
        known = cross_fitted().statistics_of(shown.signature)
        found = self._measured(shown.working) if known is None else known
        return with_scale(found, shown.working.shape, shown.spacing)

    def read_all(
        self, pictures: Sequence[Callable[[], Shown]], progress: Callable[[int], None], until: float = math.inf
    ) -> np.ndarray:
        """(N, S) of pictures that are fetched when their turn comes. Raises OutOfTimeError as soon as the pace so far says that
        it won't be done at `until` on time.monotonic(); what was measured by then is in the cache."""
        threads = torch.get_num_threads()
        workers = max(1, min(WORKERS, threads))
        rows, began = [], time.monotonic()
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(max(1, threads // workers),))
        try:
            for done, row in enumerate(pool.map(lambda fetch: self.read(fetch()), pictures), start=1):
                rows.append(row)
                progress(done)
                now = time.monotonic()
                if done >= PACE_PICTURES and now + (now - began) / done * (len(pictures) - done) > until:
                    raise OutOfTimeError
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)
            self._cache.shrink()
        return np.stack(rows)

    def _measured(self, working: np.ndarray) -> np.ndarray:
        key = hashlib.sha256(self._made.encode() + str(working.shape).encode() + working.tobytes()).hexdigest()
        stored = self._cache.get(key)
        if stored is not None:
            return stored[0]["statistics"]
        statistics = shape_statistics(self._finder.find(working))
        self._cache.put(key, {"statistics": statistics}, {})
        return statistics


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """fingerprints (M, 64) uint8 of the pictures that trained the segmenter, and their statistics (M, S) without a scale."""

    fingerprints: np.ndarray
    statistics: np.ndarray

    def statistics_of(self, signature: np.ndarray) -> np.ndarray | None:
        """Those of the picture that this is a copy of, if any: converted, re-encoded or resized, but neither turned nor cropped."""
        differing = np.bitwise_count(self.fingerprints ^ fingerprint(signature)).sum(1)
        best = int(differing.argmin())
        return self.statistics[best] if differing[best] <= MOST_DIFFERING_BITS else None


@cache
def cross_fitted() -> CrossFitted:
    """Of the pictures that trained the shipped segmenter."""
    with as_file(files("morphoscope.models.weights") / _CROSS_FITTED) as path, np.load(path, allow_pickle=False) as stored:
        return CrossFitted(stored["fingerprints"], stored["statistics"])


def is_picture_of_shipped_segmenter(signature: np.ndarray) -> bool:
    """Whether a picture of this duplicate signature (64, 64) trained the shipped segmenter."""
    return cross_fitted().statistics_of(signature) is not None


def fingerprint(signature: np.ndarray) -> np.ndarray:
    """(64,) uint8: 512 bits that tell whether two duplicate signatures (64, 64) are alike, but not what either shows.

    Signs of random projections (Charikar 2002): bits of two signatures differ by the angle between them over pi.
    """
    vector = signature.ravel().astype(np.float32)
    return np.packbits(_projections(vector.size) @ (vector - vector.mean()) > 0)


@cache
def _projections(length: int) -> np.ndarray:
    return np.random.default_rng(FINGERPRINT_SEED).standard_normal((FINGERPRINT_BITS, length), dtype=np.float32)


def spacing_of(micrograph: Micrograph, working: np.ndarray) -> Spacing | None:
    """nm a pixel (y, x) of a working copy (Y, X), where the scale is known."""
    field = micrograph.field_of_view_nm
    return (field[0] / working.shape[0], field[1] / working.shape[1]) if field else None


def has_objects(statistics: np.ndarray) -> np.ndarray:
    """(N,) bool of (N, S) statistics."""
    return statistics[:, STATISTIC_NAMES.index("has_objects")] > 0


def with_scale(statistics: np.ndarray, working: tuple[int, int], spacing: Spacing | None) -> np.ndarray:
    """Statistics of a picture of `working` px without a scale, with what its scale adds."""
    if spacing is None:
        return statistics
    found = dict(zip(STATISTIC_NAMES, statistics.tolist(), strict=True))
    field = math.log(math.prod(working) * math.prod(spacing)) / 2
    found |= {"has_scale": 1.0, "log_field_nm": field, "log_median_diameter_nm": found["log_median_diameter"] + field}
    return np.array(list(found.values()), np.float32)
