"""The specimen on the pixel grid: a height map for the scanning microscope, a mass map for the transmission microscope."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

MARGIN_PX = 16
"""Drawn beyond the picture on every side, so that nothing at its edge lacks a neighbour or wraps around."""

SMALLEST_VISIBLE_PX = 4
"""A sliver of fewer visible pixels is nobody's object."""


@dataclass(frozen=True)
class TrueObject:
    """What was drawn: lengths in nm of the whole object, even where another covers it or the picture cuts it."""

    object: int
    kind: str
    ecd_nm: float | None
    length_nm: float | None
    width_nm: float | None
    visible_px: int
    touches_border: bool


@dataclass(frozen=True)
class Patch:
    """A window of the canvas, or beyond it. `y` (h, 1) and `x` (1, w) are nm from the object's centre."""

    top: int
    left: int
    y: np.ndarray
    x: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.y), self.x.shape[1]


@dataclass
class Body:
    """One object on its patch, (h, w) in nm: upper and lower surface about its centre, mass thickness; and its relative SE yield.

    Outside, top <= bottom.
    """

    top: np.ndarray
    bottom: np.ndarray
    mass: np.ndarray
    emission: np.ndarray | float = 1.0
    area_nm2: float | None = None
    """Projected area where a formula knows it better than counted pixels do."""

    @property
    def inside(self) -> np.ndarray:
        return self.top > self.bottom


@dataclass
class Canvas:
    """Maps (Y, X) with the margin: `height` of the surface and `mass` thickness in nm, SE `emission`, number of the `owner`."""

    size: tuple[int, int]
    pixel_nm: tuple[float, float]
    height: np.ndarray = field(init=False)
    mass: np.ndarray = field(init=False)
    emission: np.ndarray = field(init=False)
    owner: np.ndarray = field(init=False)
    _sizes: list[tuple[str, float | None, float | None, float | None]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.height = np.zeros(self.shape, np.float32)
        self.mass = np.zeros(self.shape, np.float32)
        self.emission = np.ones(self.shape, np.float32)
        self.owner = np.zeros(self.shape, np.int32)

    @property
    def shape(self) -> tuple[int, int]:
        return self.size[0] + 2 * MARGIN_PX, self.size[1] + 2 * MARGIN_PX

    @property
    def side_nm(self) -> float:
        """Side of the square of the same area as the picture."""
        return math.sqrt(self.field_nm[0] * self.field_nm[1])

    @property
    def field_nm(self) -> tuple[float, float]:
        """Height and width of the picture."""
        return self.size[0] * self.pixel_nm[0], self.size[1] * self.pixel_nm[1]

    @property
    def scale_nm(self) -> float:
        """Side of the square pixel of the same area."""
        return math.sqrt(self.pixel_nm[0] * self.pixel_nm[1])

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """y (H, 1) and x (1, W) in nm from the picture's top left corner, over the whole canvas."""
        y = (np.arange(self.shape[0], dtype=np.float32) - MARGIN_PX + 0.5) * np.float32(self.pixel_nm[0])
        x = (np.arange(self.shape[1], dtype=np.float32) - MARGIN_PX + 0.5) * np.float32(self.pixel_nm[1])
        return y[:, None], x[None]

    def patch(self, centre_nm: tuple[float, float], reach_nm: float) -> Patch:
        """The window that holds everything within `reach_nm` of a centre (y, x) given from the picture's top left corner."""
        starts, axes = [], []
        for centre, pixel in zip(centre_nm, self.pixel_nm, strict=True):
            middle = centre / pixel + MARGIN_PX - 0.5
            first, last = math.floor(middle - reach_nm / pixel) - 1, math.ceil(middle + reach_nm / pixel) + 2
            starts.append(first)
            axes.append(((np.arange(first, last) - middle) * pixel).astype(np.float32))
        return Patch(starts[0], starts[1], axes[0][:, None], axes[1][None])

    def clip(self, patch: Patch) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
        """Where the patch lies on the canvas and which part of it does; None where it misses the canvas."""
        on_canvas, on_patch = [], []
        for start, length, limit in zip((patch.top, patch.left), patch.shape, self.shape, strict=True):
            first, last = max(start, 0), min(start + length, limit)
            if first >= last:
                return None
            on_canvas.append(slice(first, last))
            on_patch.append(slice(first - start, last - start))
        return (on_canvas[0], on_canvas[1]), (on_patch[0], on_patch[1])

    def place(
        self,
        patch: Patch,
        body: Body,
        kind: str | None = "particle",
        *,
        sink: float = 0.0,
        length_nm: float | None = None,
        width_nm: float | None = None,
    ) -> None:
        """Let a body fall until it rests on what lies below it, `sink` of its height deep. kind None: scenery, not an object."""
        clipped = self.clip(patch)
        if clipped is None:
            return
        at, part = clipped
        inside = body.inside[part]
        if not inside.any():
            return
        top, bottom, ground = body.top[part], body.bottom[part], self.height[at]
        rest = float((ground - bottom)[inside].max()) - sink * float((top - bottom)[inside].max())
        number = 0
        if kind is not None:
            area = body.area_nm2 or float(body.inside.sum()) * self.pixel_nm[0] * self.pixel_nm[1]
            self._sizes.append((kind, math.sqrt(4 * area / math.pi), length_nm, width_nm))
            number = len(self._sizes)
        emission = np.broadcast_to(np.asarray(body.emission, np.float32), patch.shape)[part]
        self.cover(at, inside & (top + rest > ground), top + rest, emission, number)
        self.mass[at] += np.where(inside, body.mass[part], 0)

    def cover(
        self, at: tuple[slice, slice], seen: np.ndarray, top: np.ndarray, emission: np.ndarray | float, number: int
    ) -> None:
        """Put the surface `top` of an object over the part of the canvas where it is `seen`."""
        np.copyto(self.height[at], top, where=seen)
        np.copyto(self.emission[at], emission, where=seen)
        np.copyto(self.owner[at], number, where=seen)

    def new_object(self, kind: str, ecd_nm: float | None, length_nm: float | None, width_nm: float | None) -> int:
        """Number of an object whose surface the caller covers the canvas with."""
        self._sizes.append((kind, ecd_nm, length_nm, width_nm))
        return len(self._sizes)

    def crop(self, field: np.ndarray) -> np.ndarray:
        """The picture's part of a canvas-sized map."""
        return field[MARGIN_PX : MARGIN_PX + self.size[0], MARGIN_PX : MARGIN_PX + self.size[1]]

    def instances(self, hidden: np.ndarray | None = None) -> tuple[np.ndarray, tuple[TrueObject, ...]]:
        """Instance map (Y, X) uint16 of the picture and its objects in order of number; `hidden` pixels show no specimen."""
        seen = self.crop(self.owner).copy()
        if hidden is not None:
            seen[hidden] = 0
        counts = np.bincount(seen.ravel(), minlength=len(self._sizes) + 1)
        edges = np.zeros(len(counts), bool)
        for edge in (seen[0], seen[-1], seen[:, 0], seen[:, -1]):
            edges[edge] = True
        kept = [n for n in range(1, len(counts)) if counts[n] >= SMALLEST_VISIBLE_PX]
        renumbered = np.zeros(len(counts), np.uint16)
        renumbered[kept] = np.arange(1, len(kept) + 1)
        objects = tuple(
            TrueObject(int(renumbered[n]), *self._sizes[n - 1], visible_px=int(counts[n]), touches_border=bool(edges[n]))
            for n in kept
        )
        return renumbered[seen], objects
