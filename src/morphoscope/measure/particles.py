"""Size and shape of every particle of an instance map."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from morphoscope.measure.hulls import Hulls, find_hulls
from morphoscope.measure.perimeter import count_crossings, crofton_perimeter
from morphoscope.measure.runs import Runs, find_runs
from morphoscope.micrograph import InformationBar

Spacing = tuple[float, float]
PIXELS: Spacing = (1.0, 1.0)
"""The spacing (y, x) that gives sizes in pixels."""

_LENGTHS = (
    *("centroid_y", "centroid_x", "equivalent_circular_diameter", "min_feret", "max_feret", "perimeter"),
    "nearest_neighbour_distance",
)
_PIXEL_VARIANCE = 1 / 12  # of a position within a pixel of unit width


@dataclass(frozen=True, eq=False)
class Particles:
    """What N particles measure; (N,) each, lengths in the unit of the spacing they were measured with."""

    centroid_y: np.ndarray
    centroid_x: np.ndarray
    """From the centre of the first pixel."""
    area: np.ndarray
    equivalent_circular_diameter: np.ndarray
    min_feret: np.ndarray
    max_feret: np.ndarray
    perimeter: np.ndarray
    circularity: np.ndarray
    """4π area / perimeter², at most 1."""
    solidity: np.ndarray
    """Area / area of the convex hull, at most 1."""
    aspect_ratio: np.ndarray
    """Long over short axis of the ellipse with the same second moments, at least 1."""
    orientation_deg: np.ndarray
    """Of that long axis, from the picture's horizontal against the clock, from 0 to below 180."""
    nearest_neighbour_distance: np.ndarray
    """From centroid to centroid; nan for a particle that is alone."""

    def scaled(self, factor: float) -> Particles:
        """The same particles with square pixels of another size."""
        sizes = {name: getattr(self, name) * factor for name in _LENGTHS}
        return dataclasses.replace(self, area=self.area * factor**2, **sizes)


@dataclass(frozen=True, eq=False)
class Traced:
    """N objects of a map as counts of pixels, from which sizes in any unit follow.

    numbers: (N,) as in the map, ascending. box: (N, 4) top and bottom row, left and right column, inclusive.
    n_pixels: (N,). centroid: (N, 2) as (y, x). moments: (N, 3) variances yy, xx and yx. crossings: (N, 4).
    """

    shape: tuple[int, int]
    numbers: np.ndarray
    box: np.ndarray
    n_pixels: np.ndarray
    centroid: np.ndarray
    moments: np.ndarray
    crossings: np.ndarray
    hulls: Hulls

    def __len__(self) -> int:
        return len(self.numbers)

    def touches_border(self, bar: InformationBar | None = None) -> np.ndarray:
        """(N,) bool: reaches an edge of the picture, or of the information bar that lies over the specimen."""
        top, bottom, left, right = self.box.T
        touches = (top == 0) | (bottom == self.shape[0] - 1) | (left == 0) | (right == self.shape[1] - 1)
        if bar is not None:
            touches |= (bottom >= bar.top - 1) & (top <= bar.top + bar.height)
        return touches

    def particles(self, spacing: Spacing = PIXELS) -> Particles:
        """Sizes with pixels of spacing (y, x), which may differ.

        Equivalent circular diameter: of the disc of equal area. Feret diameters: see Hulls. Perimeter: see crofton_perimeter;
        its bias makes the circularity of an upright square .87 in place of .79.
        """
        y, x = spacing
        area = self.n_pixels * y * x
        perimeter = crofton_perimeter(self.crossings, spacing)
        min_feret, max_feret = self.hulls.feret(spacing)
        aspect_ratio, orientation_deg = _ellipse(self.moments * (y * y, x * x, y * x))
        return Particles(
            centroid_y=self.centroid[:, 0] * y,
            centroid_x=self.centroid[:, 1] * x,
            area=area,
            equivalent_circular_diameter=np.sqrt(4 * area / math.pi),
            min_feret=min_feret,
            max_feret=max_feret,
            perimeter=perimeter,
            circularity=np.minimum(4 * math.pi * area / perimeter**2, 1),
            solidity=np.minimum(area / self.hulls.area(spacing), 1),
            aspect_ratio=aspect_ratio,
            orientation_deg=orientation_deg,
            nearest_neighbour_distance=_nearest(self.centroid * spacing),
        )


def trace(instance_map: np.ndarray) -> Traced:
    """The objects of an instance map (Y, X) of integers, 0 = background, one number an object whether in one part or several."""
    runs = find_runs(instance_map)
    n_pixels = runs.total(runs.length).astype(np.int64)
    middle = (runs.first + runs.last) / 2
    centroid = np.column_stack([runs.total(runs.length * runs.row), runs.total(runs.length * middle)]) / n_pixels[:, None]
    return Traced(
        shape=(instance_map.shape[0], instance_map.shape[1]),
        numbers=runs.numbers,
        box=np.column_stack(runs.box()),
        n_pixels=n_pixels,
        centroid=centroid,
        moments=_moments(runs, n_pixels, centroid),
        crossings=count_crossings(instance_map, runs.numbers),
        hulls=find_hulls(runs),
    )


def measure_particles(instance_map: np.ndarray, spacing: Spacing = PIXELS) -> Particles:
    """Size and shape of every object of an instance map (Y, X), ascending by number, with pixels of spacing (y, x)."""
    return trace(instance_map).particles(spacing)


def _moments(runs: Runs, n_pixels: np.ndarray, centroid: np.ndarray) -> np.ndarray:
    """(N, 3) variances yy, xx and covariance yx of each object's area, its pixels taken as squares."""
    y = runs.row - centroid[runs.index, 0]
    x = (runs.first + runs.last) / 2 - centroid[runs.index, 1]
    length = runs.length
    sums = (length * y**2, length * (x**2 + (length**2 - 1) / 12), length * y * x)
    variances = np.column_stack([runs.total(each) for each in sums]) / n_pixels[:, None]
    return variances + np.array([_PIXEL_VARIANCE, _PIXEL_VARIANCE, 0])


def _ellipse(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) aspect ratio and orientation of the ellipses with (N, 3) variances yy, xx, yx."""
    yy, xx, yx = moments.T
    middle, spread = (yy + xx) / 2, np.hypot((xx - yy) / 2, yx)
    ratio = np.sqrt((middle + spread) / (middle - spread))
    angle = np.degrees(np.arctan2(-2 * yx, xx - yy)) / 2  # rows count downwards, angles upwards
    return ratio, np.mod(angle, 180)


def _nearest(centroid: np.ndarray) -> np.ndarray:
    """(N,) distance of each of (N, 2) points to the nearest other."""
    if len(centroid) < 2:
        return np.full(len(centroid), np.nan)
    distance, _ = cKDTree(centroid).query(centroid, k=2)
    return distance[:, 1]
