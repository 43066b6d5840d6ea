"""Where particles lie: isolated, in clusters, packed, agglomerated. Positions (n, 2) in nm from the picture's top left corner."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

ARRANGEMENTS = ("Isolated", "Clusters", "Packed", "Agglomerated")


@dataclass(frozen=True)
class Field:
    """Height and width of the picture in nm."""

    height: float
    width: float

    def contains(self, centres: np.ndarray, inset: float) -> np.ndarray:
        """Which centres (n, 2) lie at least `inset` within."""
        return (
            (centres[:, 0] >= inset)
            & (centres[:, 0] <= self.height - inset)
            & (centres[:, 1] >= inset)
            & (centres[:, 1] <= self.width - inset)
        )

    def anywhere(self, rng: np.random.Generator, inset: float) -> np.ndarray:
        """A random point at least `inset` within, or on the middle line of a narrow field."""
        low = np.minimum(inset, np.array([self.height, self.width]) / 2)
        return rng.uniform(low, np.array([self.height, self.width]) - low)


def isolated(field: Field, diameters: np.ndarray, rng: np.random.Generator, gap: float = 0.15) -> np.ndarray:
    """As many as fit without touching: `gap` mean diameters between them at least."""
    kept: list[np.ndarray] = []
    placed = np.empty((0, 2))
    apart = gap * float(diameters.mean())
    for diameter in diameters:
        for _ in range(30):
            point = field.anywhere(rng, 0.1 * diameter if len(diameters) > 10 else 0.5 * diameter)
            if not len(placed) or (np.hypot(*(placed - point).T) > (diameters[: len(placed)] + diameter) / 2 + apart).all():
                kept.append(point)
                placed = np.array(kept)
                break
        else:
            break
    return placed


def clusters(
    field: Field, diameters: np.ndarray, rng: np.random.Generator, per_cluster: float, overlap: float = 0.0
) -> np.ndarray:
    """Particles that touch, in groups of about `per_cluster`; neighbours interpenetrate by a part `overlap` of a diameter."""
    placed = np.empty((0, 2))
    group_start = 0
    for i, diameter in enumerate(diameters):
        starts_new = i == 0 or (i - group_start >= 2 and rng.random() < 1 / per_cluster)
        if starts_new:
            point = _far_point(field, placed, diameters[:i], diameter, rng)
            group_start = i
        else:
            point = _touching(field, placed, diameters, group_start, i, rng, overlap)
        placed = np.vstack([placed, point])
    return placed


def _far_point(field: Field, placed: np.ndarray, sizes: np.ndarray, diameter: float, rng: np.random.Generator) -> np.ndarray:
    """Of a few random points, the one farthest from what there is."""
    tries = np.array([field.anywhere(rng, min(1.2 * diameter, 0.3 * min(field.height, field.width))) for _ in range(8)])
    if not len(placed):
        return tries[0]
    clearance = (np.hypot(*(tries[:, None] - placed[None]).transpose(2, 0, 1)) - sizes / 2).min(1)
    return tries[int(clearance.argmax())]


def _touching(
    field: Field, placed: np.ndarray, diameters: np.ndarray, start: int, i: int, rng: np.random.Generator, overlap: float
) -> np.ndarray:
    """A point in contact with a member of the group that starts at `start`, overlapping as few others as a dozen tries allow."""
    members = rng.integers(start, i, size=14)
    angles = rng.uniform(0, 2 * math.pi, 14)
    reach = (diameters[members] + diameters[i]) / 2 * (1.0 - overlap)
    tries = placed[members] + reach[:, None] * np.stack([np.sin(angles), np.cos(angles)], 1)
    apart = np.hypot(*(tries[:, None] - placed[None]).transpose(2, 0, 1)) - (diameters[:i] + diameters[i]) / 2 * (1.0 - overlap)
    penalty = np.maximum(-apart, 0).sum(1) + np.where(field.contains(tries, 0), 0, 2 * diameters[i])
    return tries[int((penalty + 0.02 * diameters[i] * rng.random(14)).argmin())]


def packed(
    field: Field,
    pitch: tuple[float, float],
    angle: float,
    rng: np.random.Generator,
    *,
    square: bool,
    disorder: float,
    coverage: float,
) -> np.ndarray:
    """A lattice at `angle` to x with a pitch (across, along) over the field or, with coverage below 1, over islands of it."""
    n = int(math.hypot(field.height, field.width) / 2 / min(pitch)) + 3
    i, j = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1), indexing="ij")
    across = i * (1.0 if square else math.sqrt(3) / 2) * pitch[0]
    along = (j + (0 if square else 0.5) * (i % 2)) * pitch[1]
    turned = np.stack(
        [across * math.cos(angle) + along * math.sin(angle), along * math.cos(angle) - across * math.sin(angle)], -1
    )
    points = turned.reshape(-1, 2) + np.array([field.height, field.width]) / 2 + rng.uniform(-0.5, 0.5, 2) * pitch
    points += rng.normal(0, disorder * min(pitch), points.shape)
    points = points[field.contains(points, -0.6 * max(pitch))]
    points = points[rng.random(len(points)) > 0.25 * disorder + 0.01]
    if coverage < 1 and len(points):
        seeds = np.array([field.anywhere(rng, 0) for _ in range(3)])
        distance = np.hypot(*(points[:, None] - seeds[None]).transpose(2, 0, 1)).min(1) + rng.normal(
            0, 0.3 * min(pitch), len(points)
        )
        points = points[distance <= np.quantile(distance, coverage)]
    return rng.permutation(points)


def agglomerated(field: Field, count: int, diameter: float, rng: np.random.Generator, heaps: int) -> np.ndarray:
    """Heaps in which particles lie over one another."""
    centres = np.array([field.anywhere(rng, min(2 * diameter, 0.3 * min(field.height, field.width))) for _ in range(heaps)])
    of = rng.integers(heaps, size=count)
    spread = 0.36 * diameter * math.sqrt(count / heaps)
    lean = rng.uniform(0, math.pi)
    stretch = np.array([[math.cos(lean), -math.sin(lean)], [math.sin(lean), math.cos(lean)]]) * rng.uniform(0.7, 1.5, 2)
    return centres[of] + rng.normal(0, spread, (count, 2)) @ stretch
