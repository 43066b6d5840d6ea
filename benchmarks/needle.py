"""A large rendered picture of spheres with one rod: the needle in the haystack, and where it lies."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from morphoscope.synthesis import Rendered, render

SIDE, CELL = 2048, 144
GREY, NOISE, GAIN = 30_000, 600, 200
SETS, MOST_OF_ONE = 8, 3
RIM, LEAST = 7, 30
"""px around a particle that must be empty, and its least length."""


def haystack(seed: int) -> tuple[np.ndarray, tuple[int, int]]:
    """(SIDE, SIDE) uint16, and the rod's centre (y, x). Particles are cut from rendered bright-field pictures by their true
    outline and laid on one even ground, so that nothing but the particle tells where a cell begins."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(GREY, NOISE, (SIDE, SIDE))
    spheres, rods = particles("Sphere"), particles("Rod")
    count = SIDE // CELL
    cell_of_rod = (int(rng.integers(count)), int(rng.integers(count)))
    place = (0, 0)
    for row in range(count):
        for column in range(count):
            is_rod = (row, column) == cell_of_rod
            some = rods if is_rod else spheres
            shown = some[int(rng.integers(len(some)))]
            top, left = (
                int(CELL * at + rng.integers(CELL - length)) for at, length in zip((row, column), shown.shape, strict=True)
            )
            picture[top : top + shown.shape[0], left : left + shown.shape[1]] += shown
            if is_rod:
                place = (top + shown.shape[0] // 2, left + shown.shape[1] // 2)
    return picture.clip(0, 65535).astype(np.uint16), place


@cache
def particles(name: str) -> list[np.ndarray]:
    """(y, x) of particles that lie apart: what each takes of an even ground."""
    found: list[np.ndarray] = []
    for seed in range(SETS):
        for one in render("tem-particles", 24, size=(160, 160), seed=9000 + seed, difficulty=0.3, bar=0.0):
            if (one.labels["Morphology"], one.labels["Modality"], one.labels["Arrangement"]) == (name, "TEM", "Isolated"):
                found += _cut(one)
    return found


def _cut(picture: Rendered) -> list[np.ndarray]:
    """Each whole particle alone, with a soft edge, as a difference from its ground; at most MOST_OF_ONE of a picture."""
    assert picture.instance_map is not None
    found = []
    grey, ground = picture.pixels.astype(np.float32), np.median(picture.pixels[picture.instance_map == 0])
    for number in range(1, picture.instance_map.max() + 1):
        is_own = picture.instance_map == number
        near = cv2.dilate(is_own.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1))).astype(bool)
        rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
        is_whole = len(rows) and rows[0] > 0 and columns[0] > 0 and rows[-1] < 159 and columns[-1] < 159
        is_alone = not (near & ~is_own & (picture.instance_map > 0)).any()
        if is_whole and is_alone and LEAST < max(len(rows), len(columns)) < CELL - 4 and len(found) < MOST_OF_ONE:
            soft = cv2.GaussianBlur(cv2.dilate(is_own.astype(np.float32), np.ones((5, 5))), (0, 0), 2)
            found.append(((grey - ground) * soft * GAIN)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return found
