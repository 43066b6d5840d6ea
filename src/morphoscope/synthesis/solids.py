"""Solids: the upper and lower surface of one particle. A maker draws individuals, each with its own pose and proportions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

Surfaces = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Solid:
    """One particle. `surfaces(y, x, diameter)` gives its top and bottom (h, w) in nm; outside it, top <= bottom.

    `reach` bounds its extent from the centre in diameters; `aspect` is its length over its width.
    """

    surfaces: Callable[[np.ndarray, np.ndarray, float], Surfaces]
    reach: float
    aspect: float = 1.0
    is_round: bool = False
    """A sphere: its projected area is known without counting."""


Maker = Callable[[np.random.Generator], Solid]


def _symmetric(half: np.ndarray) -> Surfaces:
    return half, -half


def _root(squared: np.ndarray) -> np.ndarray:
    """Square root that is negative, so outside, where the argument is."""
    return np.where(squared > 0, np.sqrt(np.abs(squared)), -1).astype(np.float32)


def _turned(y: np.ndarray, x: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along (u) and across (v) an axis that lies at `angle` to x."""
    c, s = math.cos(angle), math.sin(angle)
    return x * c + y * s, y * c - x * s


def _lies(angle: float | None, rng: np.random.Generator) -> float:
    """A direction in the plane: nearly the common one, or any."""
    return rng.uniform(0, math.pi) if angle is None else angle + rng.normal(0, 0.03)


def sphere(rng: np.random.Generator) -> Solid:
    """A ball."""
    return Solid(lambda y, x, d: _symmetric(_root((d / 2) ** 2 - y**2 - x**2)), 0.5, is_round=True)


def spheroid(elongation: float, spread: float) -> Maker:
    """Slightly uneven balls."""

    def make(rng: np.random.Generator) -> Solid:
        ratio = max(1.0, elongation + spread * rng.standard_normal())
        angle, a = rng.uniform(0, math.pi), 0.5 * math.sqrt(ratio)

        def surfaces(y: np.ndarray, x: np.ndarray, d: float) -> Surfaces:
            u, v = _turned(y, x, angle)
            return _symmetric(_root((0.25 / a * d) ** 2 * (1 - (u / (a * d)) ** 2 - (v * 4 * a / d) ** 2)))

        return Solid(surfaces, a, aspect=ratio)

    return make


def rounded_box(sharpness: float, spread: float, ratio: float = 1.0, angle: float | None = None) -> Maker:
    """Cubes and bricks lying on a face: |x/a|^p + |y/b|^p + |z/c|^p = 1. angle: the way all of them lie."""

    def make(rng: np.random.Generator) -> Solid:
        p, lies = sharpness, _lies(angle, rng)
        a = 0.46 * math.sqrt(ratio * math.exp(spread * rng.standard_normal()))
        b = 0.46**2 / a

        def surfaces(y: np.ndarray, x: np.ndarray, d: float) -> Surfaces:
            u, v = _turned(y, x, lies)
            left = 1 - np.abs(u / (a * d)) ** p - np.abs(v / (b * d)) ** p
            return _symmetric(np.where(left > 0, b * d * np.abs(left) ** (1 / p), -1).astype(np.float32))

        return Solid(surfaces, 1.1 * math.hypot(a, b), aspect=max(a / b, b / a))

    return make


def _faces(name: str) -> np.ndarray:
    """Face normals of a centred polyhedron, scaled by each face's distance from the centre."""
    phi = (1 + math.sqrt(5)) / 2
    signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    cube = np.vstack([np.eye(3), -np.eye(3)])
    octahedron = np.array([(a, b, c) for a, b in signs for c in (-1, 1)]) / math.sqrt(3)
    around = np.array([(0, a, b * phi) for a, b in signs]) / math.hypot(1, phi)
    pentagons = np.vstack([np.roll(around, k, axis=1) for k in range(3)])
    edges = np.vstack([np.roll([(a, b, 0) for a, b in signs], k, axis=1) for k in range(3)]) / math.sqrt(2)
    lens = np.array([(0, a / phi, b * phi) for a, b in signs])
    icosahedron = np.vstack(
        [np.array([(a, b, c) for a, b in signs for c in (-1, 1)])] + [np.roll(lens, k, axis=1) for k in range(3)]
    )
    icosahedron /= np.linalg.norm(icosahedron, axis=1, keepdims=True)
    turns = np.arange(5) * 2 * math.pi / 5
    belt = np.stack([np.cos(turns), np.sin(turns), np.zeros(5)], 1)
    bipyramid = np.vstack([belt * 0.94 + (0, 0, 0.35), belt * 0.94 - (0, 0, 0.35)]) * 0.62
    hexagon = np.stack([np.cos(np.arange(6) * math.pi / 3), np.sin(np.arange(6) * math.pi / 3), np.zeros(6)], 1)
    return {
        "cube": 0.42 * cube,
        "octahedron": 0.38 * octahedron,
        "truncated octahedron": np.vstack([0.5 * cube, 0.45 * octahedron]),
        "cuboctahedron": np.vstack([0.45 * cube, 0.5 * octahedron]),
        "rhombic dodecahedron": 0.47 * edges,
        "dodecahedron": 0.48 * pentagons,
        "icosahedron": 0.48 * icosahedron,
        "bipyramid": bipyramid,
        "hexagonal prism": np.vstack([0.46 * hexagon, 0.36 * cube[[2, 5]]]),
    }[name]


POLYHEDRA = (
    "cube",
    "octahedron",
    "truncated octahedron",
    "cuboctahedron",
    "rhombic dodecahedron",
    "dodecahedron",
    "icosahedron",
    "bipyramid",
    "hexagonal prism",
)


def _between_planes(planes: np.ndarray, y: np.ndarray, x: np.ndarray, d: float, rounding: float) -> Surfaces:
    """Top and bottom of the body {r : n·r <= |n|} for planes (n, 3) in (x, y, z), its edges rounded by a soft minimum."""
    length = np.linalg.norm(planes, axis=1)
    unit = planes / length[:, None]
    up, down = unit[:, 2] > 0, unit[:, 2] < 0
    heights = (length[:, None, None] * d - unit[:, 0, None, None] * x - unit[:, 1, None, None] * y) / unit[:, 2, None, None]
    if rounding < 1e-3:
        return heights[up].min(0).astype(np.float32), heights[down].max(0).astype(np.float32)
    k = rounding * d
    return _soft_minimum(heights[up], k), -_soft_minimum(-heights[down], k)


def _soft_minimum(values: np.ndarray, k: float) -> np.ndarray:
    """-k log sum exp(-v/k) over the first axis."""
    least = values.min(0)
    return (least - k * np.log(np.exp(-(values - least) / k).sum(0))).astype(np.float32)


def polyhedron(name: str, rounding: float, lies_flat: float, stretch: float = 1.0) -> Maker:
    """Crystals of one habit; a fraction `lies_flat` rests on a face, the others lie anyhow."""
    normals = _faces(name)

    def make(rng: np.random.Generator) -> Solid:
        planes = normals * np.exp(rng.normal(0, 0.03, (len(normals), 1)))
        unit = planes / np.linalg.norm(planes, axis=1, keepdims=True)
        if rng.random() < lies_flat:
            down = unit[rng.integers(len(unit))]
            lay, _ = Rotation.align_vectors([[0, 0, -1]], [down])
            turn = Rotation.from_euler("zx", [rng.uniform(0, 360), rng.normal(0, 2)], degrees=True) * lay
        else:
            turn = Rotation.from_quat(rng.standard_normal(4))
        posed = planes @ turn.as_matrix().T
        posed[np.abs(posed[:, 2]) < 1e-4, 2] = 1e-4
        along = np.array([stretch**0.5, stretch**-0.5])
        return Solid(lambda y, x, d: _between_planes(posed, y / along[1], x / along[0], d, rounding), 0.85 * stretch**0.5)

    return make


def crushed(faces: int, rounding: float) -> Maker:
    """Angular grains: as many random planes as given."""

    def make(rng: np.random.Generator) -> Solid:
        planes = rng.standard_normal((faces, 3))
        planes *= rng.uniform(0.32, 0.56, (faces, 1)) / np.linalg.norm(planes, axis=1, keepdims=True)
        box = np.vstack([np.eye(3), -np.eye(3)]) * rng.uniform(0.45, 0.62, (6, 1))
        turn = Rotation.from_euler("zyx", rng.uniform(-20, 20, 3), degrees=True).as_matrix()
        posed = np.vstack([planes, box @ turn.T])
        posed[np.abs(posed[:, 2]) < 1e-4, 2] = 1e-4
        return Solid(lambda y, x, d: _between_planes(posed, y, x, d, rounding), 0.9)

    return make


def lump(unevenness: float, flatness: float) -> Maker:
    """Rounded irregular grains: an outline of random harmonics, domed over."""

    def make(rng: np.random.Generator) -> Solid:
        order = np.arange(2, 8)
        size, phase = rng.normal(0, unevenness, 6) / (order / 2) ** 1.1, rng.uniform(0, 2 * math.pi, 6)
        angle = np.linspace(-math.pi, math.pi, 181)
        outline = np.maximum(1 + (size[:, None] * np.cos(order[:, None] * angle + phase[:, None])).sum(0), 0.25)
        outline *= 0.5 / math.sqrt(float((outline**2).mean()))

        def surfaces(y: np.ndarray, x: np.ndarray, d: float) -> Surfaces:
            radius = np.interp(np.arctan2(y, x), angle, outline) * d
            left = 1 - (y**2 + x**2) / radius**2
            half = np.where(left > 0, flatness * 0.5 * d * np.sqrt(np.abs(left)), -1).astype(np.float32)
            return half, -half

        return Solid(surfaces, float(outline.max()), aspect=1.0)

    return make


def rod(aspect: float, spread: float, caps: Literal["round", "flat", "pointed"], angle: float | None = None) -> Maker:
    """Rods lying down. angle: the way all of them lie."""

    def make(rng: np.random.Generator) -> Solid:
        ratio = max(1.3, aspect * math.exp(spread * rng.standard_normal()))
        lies = _lies(angle, rng)
        width = math.sqrt(math.pi / 4 / (ratio - 1 + math.pi / 4)) if caps == "round" else math.sqrt(math.pi / 4 / ratio)

        def surfaces(y: np.ndarray, x: np.ndarray, d: float) -> Surfaces:
            u, v = _turned(y, x, lies)
            w, length = width * d, ratio * width * d
            beyond = np.maximum(np.abs(u) - (length - w) / 2, 0)
            if caps == "round":
                return _symmetric(_root(w**2 / 4 - v**2 - beyond**2))
            if caps == "pointed":
                return _symmetric(_root((w / 2 - 0.55 * beyond) * np.abs(w / 2 - 0.55 * beyond) - v**2))
            return _symmetric(np.where(np.abs(u) < length / 2, _root(w**2 / 4 - v**2), -1))

        return Solid(surfaces, (0.5 * ratio + (0.45 if caps == "pointed" else 0.5)) * width, aspect=ratio)

    return make


def plate(
    sides: int, thickness: float, truncation: float, rounding: float, stands: float = 0.06, angle: float | None = None
) -> Maker:
    """Flat prisms: triangular, square or hexagonal, corners cut by `truncation`; a fraction `stands` on edge."""

    def make(rng: np.random.Generator) -> Solid:
        turns = (rng.uniform(0, 2 * math.pi) if angle is None else angle) + np.arange(sides) * 2 * math.pi / sides
        inner = 0.5 * math.sqrt(math.pi / (sides * math.tan(math.pi / sides)))
        edges, distance = list(turns), [inner] * sides
        if truncation > 0:
            edges += list(turns + math.pi / sides)
            distance += [inner / math.cos(math.pi / sides) * (1 - truncation)] * sides
        distances = np.array(distance) * np.exp(rng.normal(0, 0.02, len(distance)))
        squeeze = 0.18 + thickness if rng.random() < stands else 1.0

        def surfaces(y: np.ndarray, x: np.ndarray, d: float) -> Surfaces:
            y = y / squeeze
            depth = [o * d - np.cos(a) * x - np.sin(a) * y for a, o in zip(edges, distances, strict=True)]
            left = _soft_minimum(np.stack(depth), max(rounding, 1e-3) * d)
            half = np.where(left > 0, np.minimum(thickness * d / 2, 0.1 * thickness * d + 1.5 * left), -1).astype(np.float32)
            return half, -half

        return Solid(surfaces, 1.05 * inner / math.cos(math.pi / sides))

    return make
