"""Wires and fibres: smooth curves of a finite stiffness, laid on the canvas with a round, flat or hollow cross-section."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from morphoscope.synthesis.canvas import Canvas

Section = Literal["round", "flat", "tube"]


@dataclass(frozen=True)
class Curve:
    """Points (n, 2) in nm of a wire's axis, and its local width (n,) in nm."""

    points: np.ndarray
    width_nm: np.ndarray

    @property
    def length_nm(self) -> float:
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


def wander(
    start: np.ndarray,
    angle: float,
    length_nm: float,
    width_nm: float,
    stiffness: float,
    rng: np.random.Generator,
    steps: int = 24,
) -> Curve:
    """A worm-like chain: persistence length = `stiffness` times its length (0.2 curly, 1 wavy, 20 straight)."""
    turn = rng.normal(0, math.sqrt(2 / (max(stiffness, 1e-3) * steps)), steps)
    turn[1:-1] = np.convolve(turn, [0.25, 0.5, 0.25], "valid")
    heading = angle + np.cumsum(turn) - turn.sum() / 2
    step = length_nm / steps
    moves = np.stack([np.sin(heading), np.cos(heading)], 1) * step
    points = np.vstack([start, start + np.cumsum(moves, 0)])
    return Curve(points - (points.mean(0) - start), np.full(steps + 1, width_nm))


def straight(start: np.ndarray, end: np.ndarray, width_nm: float, end_width_nm: float | None = None) -> Curve:
    """A line from one point to another, tapering where the widths differ."""
    return Curve(np.stack([start, end]), np.array([width_nm, width_nm if end_width_nm is None else end_width_nm]))


def lay(
    canvas: Canvas,
    curve: Curve,
    *,
    base_nm: float | np.ndarray = 0.0,
    section: Section = "round",
    density: float = 1.0,
    emission: float = 1.0,
    kind: str | None = "wire",
    relief: np.ndarray | None = None,
    number: int | None = None,
) -> None:
    """Lay a wire with its lowest line at `base_nm` (one value, or one a point); what is higher hides it. relief: roughness in nm.

    number: paint as part of an object there already is.
    """
    base = np.broadcast_to(np.asarray(base_nm, np.float32), curve.width_nm.shape)
    window = _window(canvas, curve)
    if window is None:
        return
    across, width, level = _nearest_segment(canvas, window, curve, base)
    half = width / 2
    inside = across < half
    cover = np.clip((half - across) / canvas.scale_nm + 0.5, 0, 1)
    if not inside.any():
        return
    dome = np.sqrt(np.maximum(half**2 - across**2, 0))
    chord = 2 * dome
    if section == "flat":
        dome, chord = np.minimum(dome, 0.25 * half), np.minimum(chord, 0.5 * half)
    elif section == "tube":
        chord = chord - 2 * np.sqrt(np.maximum((0.55 * half) ** 2 - across**2, 0))
    top = level + half + dome
    if relief is not None:
        top = top + relief[window] * (dome / np.maximum(half, 1e-6)) ** 0.5
    seen = inside & (top > canvas.height[window])
    if number is None:
        number = 0 if kind is None else canvas.new_object(kind, None, curve.length_nm, float(curve.width_nm.mean()))
    yields = canvas.emission[window] + cover * (emission - canvas.emission[window])
    np.copyto(canvas.emission[window], yields, where=(cover > 0) & (level + half > canvas.height[window]))
    canvas.cover(window, seen, top, yields, number)
    canvas.mass[window] += np.where(inside, density * chord, 0)


def _window(canvas: Canvas, curve: Curve, slack: float = 0.6) -> tuple[slice, slice] | None:
    low = canvas.patch(tuple(curve.points.min(0)), slack * float(curve.width_nm.max()))
    high = canvas.patch(tuple(curve.points.max(0)), slack * float(curve.width_nm.max()))
    top, left = max(low.top, 0), max(low.left, 0)
    bottom, right = min(high.top + high.shape[0], canvas.shape[0]), min(high.left + high.shape[1], canvas.shape[1])
    return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


def _nearest_segment(
    canvas: Canvas, window: tuple[slice, slice], curve: Curve, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance to the axis, width there and base level there, on the window; far from the wire the distance is infinite."""
    y_axis, x_axis = canvas.axes()
    y_axis, x_axis = y_axis[window[0]], x_axis[:, window[1]]
    shape = len(y_axis), x_axis.shape[1]
    across = np.full(shape, np.inf, np.float32)
    width, level = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for i in range(len(curve.points) - 1):
        a, b = curve.points[i], curve.points[i + 1]
        reach = 0.55 * max(curve.width_nm[i : i + 2]) + max(canvas.pixel_nm)
        first, last = np.minimum(a, b) - reach, np.maximum(a, b) + reach
        rows = slice(*np.searchsorted(y_axis[:, 0], [first[0], last[0]]))
        columns = slice(*np.searchsorted(x_axis[0], [first[1], last[1]]))
        y, x = y_axis[rows] - a[0], x_axis[:, columns] - a[1]
        if not y.size or not x.size:
            continue
        along = b - a
        t = np.clip((y * along[0] + x * along[1]) / max(float(along @ along), 1e-12), 0, 1)
        distance = np.hypot(y - t * along[0], x - t * along[1])
        nearer = distance < across[rows, columns]
        np.copyto(across[rows, columns], distance, where=nearer)
        np.copyto(width[rows, columns], curve.width_nm[i] + t * (curve.width_nm[i + 1] - curve.width_nm[i]), where=nearer)
        np.copyto(level[rows, columns], base[i] + t * (base[i + 1] - base[i]), where=nearer)
    return across, width, level
