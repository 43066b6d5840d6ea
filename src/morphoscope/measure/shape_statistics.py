"""The objects of one picture in a fixed list of numbers: how many, how large, of what shape, how arranged.

With good instance maps they tell count, morphology and arrangement where pixels alone do not.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from morphoscope.measure.hulls import Hulls
from morphoscope.measure.inscribed import inscribed_radius
from morphoscope.measure.neighbours import Neighbours, find_neighbours
from morphoscope.measure.particles import PIXELS, Particles, Spacing, Traced, trace
from morphoscope.micrograph import InformationBar

_HULL_FOLDS = (3, 4, 5, 6)
_QUANTILES = (10, 50, 90)
_GAPS = (0.1, 0.3, 1.0)
"""Of the mean diameter: neighbours that are this close lie in one cluster."""
_FEW = 10
"""Where "few" objects end and "many" begin in the sheets that people write."""
_SMALLEST_PX = 12
"""Pixels below which an object's outline says nothing of its shape."""
_NEIGHBOURS_OF_PACKED = 6

_SHAPES = (
    "log_aspect_ratio",
    "solidity",
    "circularity",
    "ellipse_fill",
    "box_fill",
    "feret_roundness",
    "inscribed_ratio",
    "slenderness",
    "hull_ratio",
    *(f"hull_fold_{fold}" for fold in _HULL_FOLDS),
)
_SPREADS = ("mean", "std", "area_mean", *(f"p{q}" for q in _QUANTILES))
_COUNTS = ("has_objects", "is_one", "is_few", "log_count", "log_count_whole", "share_at_border", "log_effective_count")
_SIZES = ("area_fraction", "log_median_diameter", "log_largest_diameter", "diameter_cv", "diameter_skew", "log_d90_d10")
_ARRANGEMENT = (
    "has_neighbours",
    "contact_fraction",
    "contacts_an_object",
    "border_shared",
    "neighbours_an_object",
    "gap_p10",
    "gap_p50",
    "gap_p90",
    "gap_cv",
    *(f"{what}_{gap}" for gap in _GAPS for what in ("in_clusters", "largest_cluster", "log_cluster_size")),
    "clark_evans",
    "distance_cv",
    "hexatic_order",
    "square_order",
    "orientation_order",
    "local_orientation_order",
    "occupied_fraction",
    "packed_share",
)
_ABSOLUTE = ("has_scale", "log_median_diameter_nm", "log_field_nm")

_ZERO_WITHOUT_OBJECTS = ("is_one", "is_few", "log_count", "log_count_whole", "log_effective_count", "area_fraction")

STATISTIC_NAMES: tuple[str, ...] = (
    *_COUNTS,
    *_SIZES,
    *(f"{shape}_{spread}" for shape in _SHAPES for spread in _SPREADS),
    *_ARRANGEMENT,
    *_ABSOLUTE,
)
"""What each of the S numbers of `shape_statistics` is, in their order."""


def shape_statistics(instance_map: np.ndarray, spacing: Spacing | None = None, bar: InformationBar | None = None) -> np.ndarray:
    """(S,) float32 statistics of an instance map (Y, X), 0 = background, named by STATISTIC_NAMES.

    All but the last three have no scale, so that a magnification changes them no more than it changes the picture. spacing: nm a
    pixel (y, x), None where unknown. nan: what can't be said, as sizes without objects, distances of a single one, or nm
    without a scale; `has_objects`, `has_neighbours` and `has_scale` say so with 0. Shapes are those of objects that do not touch
    the border, unless all do.
    """
    traced = trace(instance_map)
    found = dict.fromkeys(STATISTIC_NAMES, math.nan)
    shown = spacing or PIXELS
    field = math.prod(traced.shape) * math.prod(shown) * _share_beside(traced.shape, bar)
    flags = {"has_objects": len(traced) > 0, "has_neighbours": len(traced) > 1, "has_scale": spacing is not None}
    found |= {name: float(flag) for name, flag in flags.items()}
    if spacing:
        found["log_field_nm"] = math.log(field) / 2
    if len(traced):
        particles, touches = traced.particles(shown), traced.touches_border(bar)
        is_shown = ~touches if (~touches).any() else np.ones(len(traced), bool)
        found |= _counts(traced, touches) | _sizes(particles, field)
        found |= _shapes(
            _each(instance_map, traced, particles, shown), particles.area, is_shown & (traced.n_pixels >= _SMALLEST_PX)
        )
        if spacing:
            found["log_median_diameter_nm"] = math.log(float(np.median(particles.equivalent_circular_diameter)))
    else:
        found |= dict.fromkeys(_ZERO_WITHOUT_OBJECTS, 0.0)
    if len(traced) > 1:
        found |= _arrangement(instance_map, traced)
    return np.array([found[name] for name in STATISTIC_NAMES], np.float32)


def _share_beside(shape: tuple[int, int], bar: InformationBar | None) -> float:
    return 1.0 if bar is None else max(1, shape[0] - bar.height) / shape[0]


def _counts(traced: Traced, touches: np.ndarray) -> dict[str, float]:
    n, share = len(traced), traced.n_pixels / traced.n_pixels.sum()
    return {
        "is_one": float(n == 1),
        "is_few": float(1 < n <= _FEW),
        "log_count": math.log1p(n),
        "log_count_whole": math.log1p(int((~touches).sum())),
        "share_at_border": float(touches.mean()),
        "log_effective_count": -math.log(float(share @ share)),  # the inverse Simpson index of areas
    }


def _sizes(particles: Particles, field: float) -> dict[str, float]:
    diameter = particles.equivalent_circular_diameter
    mean, std = float(diameter.mean()), float(diameter.std())
    low, middle, high = np.percentile(diameter, _QUANTILES)
    return {
        "area_fraction": float(particles.area.sum() / field),
        "log_median_diameter": math.log(float(middle) / math.sqrt(field)),
        "log_largest_diameter": math.log(float(diameter.max()) / math.sqrt(field)),
        "diameter_cv": std / mean,
        "diameter_skew": float(((diameter - mean) ** 3).mean()) / std**3 if std > 1e-9 * mean else 0.0,
        "log_d90_d10": math.log(float(high / low)),
    }


def _each(instance_map: np.ndarray, traced: Traced, particles: Particles, spacing: Spacing) -> dict[str, np.ndarray]:
    """(N,) of every shape descriptor; each keeps its value when the object is turned or magnified."""
    yy, xx, yx = (traced.moments * np.array([spacing[0] ** 2, spacing[1] ** 2, spacing[0] * spacing[1]])).T
    ellipse = 4 * math.pi * np.sqrt(np.maximum(yy * xx - yx**2, 1e-12))
    inscribed = 2 * inscribed_radius(instance_map, traced) * math.sqrt(math.prod(spacing))
    perimeter, folds = hull_folds(traced.hulls, spacing)
    return {
        "log_aspect_ratio": np.log(particles.aspect_ratio),
        "solidity": particles.solidity,
        "circularity": particles.circularity,
        # 1 for an ellipse, .955 for a parallelogram, .827 for a triangle, whatever their proportions (Rosin 2003).
        "ellipse_fill": particles.area / ellipse,
        "box_fill": particles.area / (particles.min_feret * particles.max_feret),
        "feret_roundness": np.log(particles.max_feret / particles.min_feret),
        "inscribed_ratio": inscribed / particles.equivalent_circular_diameter,
        "slenderness": np.log(particles.max_feret / np.maximum(inscribed, 1e-9)),
        "hull_ratio": particles.perimeter / perimeter,
        **{f"hull_fold_{fold}": values for fold, values in zip(_HULL_FOLDS, folds, strict=True)},
    }


def hull_folds(hulls: Hulls, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """(N,) perimeters of convex hulls and (4, N) how threefold, fourfold, fivefold and sixfold they are, from 0 to 1.

    The length of the sum of all edges as vectors whose angle is multiplied by the fold, over the perimeter: 1 for a regular
    triangle, square, pentagon and hexagon, each at its own fold; 0 for a circle.
    """
    points = hulls.vertices * spacing
    following = np.arange(1, len(points) + 1)
    following[hulls.start[1:] - 1] = hulls.start[:-1]
    edge = points[following] - points
    length = np.hypot(edge[:, 0], edge[:, 1])
    owner = np.repeat(np.arange(len(hulls.start) - 1), np.diff(hulls.start))
    unit = (edge[:, 1] + 1j * edge[:, 0]) / np.maximum(length, 1e-12)
    perimeter = np.bincount(owner, length)
    sums = []
    for fold in _HULL_FOLDS:
        turned = length * unit**fold
        sums.append(np.hypot(np.bincount(owner, turned.real), np.bincount(owner, turned.imag)) / perimeter)
    return perimeter, np.array(sums)


def _shapes(each: dict[str, np.ndarray], area: np.ndarray, is_shown: np.ndarray) -> dict[str, float]:
    """Mean, spread and quantiles over the shown objects; the mean also weighted by area, so that debris counts little."""
    if not is_shown.any():
        return {}
    weight = area[is_shown] / area[is_shown].sum()
    found: dict[str, float] = {}
    for name, values in each.items():
        shown = values[is_shown]
        spreads = (shown.mean(), shown.std(), weight @ shown, *np.percentile(shown, _QUANTILES))
        found |= {f"{name}_{spread}": float(value) for spread, value in zip(_SPREADS, spreads, strict=True)}
    return found


def _arrangement(instance_map: np.ndarray, traced: Traced) -> dict[str, float]:
    """How objects lie to each other, lengths over the mean diameter."""
    n = len(traced)
    diameter = np.sqrt(4 * traced.n_pixels / math.pi)
    pairs = find_neighbours(instance_map, traced.numbers)
    touching = pairs.touching()
    relative = pairs.gap_px / (diameter[pairs.first] + diameter[pairs.second]) * 2
    nearest = np.minimum(pairs.nearest_gap_px() / diameter, 10.0)
    crossings = traced.crossings[:, :2].sum()
    found = {
        "contact_fraction": float((pairs.counts(touching) > 0).mean()),
        "contacts_an_object": float(pairs.counts(touching).mean()),
        "border_shared": float(2 * pairs.border_px.sum() / max(crossings, 1)),
        "neighbours_an_object": 2 * len(pairs.first) / n,
        "gap_cv": float(nearest.std() / max(nearest.mean(), 1e-6)),
    }
    found |= {
        f"gap_p{q}": math.log1p(float(value)) for q, value in zip(_QUANTILES, np.percentile(nearest, _QUANTILES), strict=True)
    }
    for gap in _GAPS:
        sizes = pairs.cluster_sizes(touching | (relative < gap))
        found |= {
            f"in_clusters_{gap}": float(sizes[sizes > 1].sum() / n),
            f"largest_cluster_{gap}": float(sizes[0] / n),
            f"log_cluster_size_{gap}": math.log(float(sizes @ sizes) / n),
        }
    close = touching | (relative < _GAPS[-1])
    return found | _order(traced, pairs, close) | _places(traced, pairs, close)


def _order(traced: Traced, pairs: Neighbours, close: np.ndarray) -> dict[str, float]:
    """Bond orders (Steinhardt, Nelson & Ronchetti 1983) of close neighbours, and how alike long axes lie, in all and in pairs."""
    step = traced.centroid[pairs.second[close]] - traced.centroid[pairs.first[close]]
    direction = step[:, 1] - 1j * step[:, 0]
    direction /= np.maximum(abs(direction), 1e-9)
    degree = pairs.counts(close)
    found = {}
    for name, fold in (("square_order", 4), ("hexatic_order", 6)):
        total = np.zeros(len(traced), complex)
        np.add.at(total, pairs.first[close], direction**fold)
        np.add.at(total, pairs.second[close], (-direction) ** fold)
        has_bonds = degree >= 3
        found[name] = float(np.mean(abs(total[has_bonds]) / degree[has_bonds])) if has_bonds.any() else 0.0
    yy, xx, yx = traced.moments.T
    axis = (xx - yy) - 2j * yx  # doubled angle, as long as the object is elongated
    elongation = abs(axis) / (xx + yy)
    axis = np.where(abs(axis) > 0, axis / np.maximum(abs(axis), 1e-12), 0) * elongation
    found["orientation_order"] = float(abs(axis.sum()) / max(elongation.sum(), 1e-9))
    first, second = axis[pairs.first[close]], axis[pairs.second[close]]
    weight = (elongation[pairs.first[close]] * elongation[pairs.second[close]]).sum()
    found["local_orientation_order"] = float((first * second.conj()).real.sum() / max(weight, 1e-9)) if close.any() else 0.0
    return found


def _places(traced: Traced, pairs: Neighbours, close: np.ndarray) -> dict[str, float]:
    """How evenly objects fill the field, and how much of where they are is taken."""
    n = len(traced)
    distance = traced.particles().nearest_neighbour_distance
    field = math.prod(traced.shape)
    hull = cv2.convexHull(traced.hulls.vertices.astype(np.float32))
    occupied = float(traced.n_pixels.sum() / max(cv2.contourArea(hull), traced.n_pixels.sum()))
    return {
        "clark_evans": float(distance.mean() * 2 * math.sqrt(n / field)),  # 1 for random points (Clark & Evans 1954)
        "distance_cv": float(distance.std() / max(float(distance.mean()), 1e-9)),
        "occupied_fraction": occupied,
        "packed_share": float((pairs.counts(close) >= _NEIGHBOURS_OF_PACKED - 1).mean()),
    }
