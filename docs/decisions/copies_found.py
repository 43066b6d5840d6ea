"""Altered copies found among the pictures of a folder, and different pictures taken for one: `python copies_found.py FOLDER`."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from morphoscope.calibration import resolve
from morphoscope.data.duplicates import near_duplicate_pairs, perceptual_hash
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.io import find_micrographs, read

NOISE = np.random.default_rng(0)


def jpeg(grey: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=50)
    return np.asarray(Image.open(buffer))


def half_size(grey: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(grey).resize((grey.shape[1] // 2, grey.shape[0] // 2), Image.Resampling.BICUBIC))


def cropped(grey: np.ndarray, top: float, bottom: float, side: float) -> np.ndarray:
    height, width = grey.shape
    return grey[round(top * height) : height - round(bottom * height), round(side * width) : width - round(side * width)].copy()


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "JPEG, quality 50": jpeg,
    "half size": half_size,
    "gamma 1.8": lambda grey: (255 * (grey / 255) ** 1.8).astype(np.uint8),
    "noise of 15 grey levels": lambda grey: np.clip(grey + NOISE.normal(0, 15, grey.shape), 0, 255).astype(np.uint8),
    "quarter turn": lambda grey: np.rot90(grey).copy(),
    "mirrored": lambda grey: grey[:, ::-1].copy(),
    "5 % cut off on all sides": lambda grey: cropped(grey, 0.05, 0.05, 0.05),
    "10 % cut off at the bottom": lambda grey: cropped(grey, 0, 0.1, 0),
}


def main(folder: Path) -> None:
    preprocessing = Preprocessing(0, 0)
    pictures = [preprocessing.working_copy(resolve(read(path))) for path in find_micrographs(folder)]
    hashes, n = np.stack([perceptual_hash(picture) for picture in pictures]), len(pictures)
    start = time.perf_counter()
    alone = near_duplicate_pairs(hashes)
    print(f"{n} pictures: {len(alone)} pairs among them, in {time.perf_counter() - start:.1f} s")
    for name, alter in COPIES.items():
        copies = np.stack([perceptual_hash(alter(picture)) for picture in pictures])
        pairs = near_duplicate_pairs(np.concatenate([hashes, copies]))
        is_right = pairs[:, 0] % n == pairs[:, 1] % n
        print(f"| {name} | {is_right.sum()} of {n} | {(~is_right).sum()} wrong pairs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
