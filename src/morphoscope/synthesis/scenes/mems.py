"""MEMS devices and electrodes: metal pads, leads and comb drives on an insulator; edges bright, charging between."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import curves, fields
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def mems(draft: Draft) -> Canvas:
    """A lithographic layout: straight edges, two materials, a shallow step."""
    specimen, view = draft.specimen, draft.view
    line_nm = float(specimen.lognormal(math.log(4000), 1.0))
    metal, ground = specimen.uniform(0.9, 1.6), specimen.uniform(0.25, 0.75)
    swapped = specimen.random() < 0.15
    layout = [_fan, _comb, _leads, _membrane][int(specimen.integers(4))]
    grain, undercut = specimen.uniform(0, 0.05), specimen.uniform(0.05, 0.5)
    canvas = draft.canvas(line_nm * float(view.lognormal(math.log(26), 0.5)))
    mask = np.zeros(canvas.shape, np.float32)
    layout(canvas, mask, line_nm, view)
    if swapped:
        mask = 1 - mask
    canvas.height += undercut * line_nm * fields.blurred(mask, 0.5)
    canvas.emission *= ground + (metal - ground) * mask
    canvas.emission *= (
        1 + grain * fields.fractal(canvas.shape, view, 0.5, 12) * mask + 0.03 * fields.fractal(canvas.shape, view, 1.4)
    )
    for _ in range(int(view.integers(0, 9))):
        curve = curves.wander(
            np.array([view.uniform(0, f) for f in canvas.field_nm]),
            view.uniform(0, 6.3),
            line_nm * view.uniform(0.3, 3),
            line_nm * view.uniform(0.03, 0.12),
            1.0,
            view,
            steps=8,
        )
        curves.lay(canvas, curve, base_nm=0.5 * line_nm, kind=None, emission=metal)
    return canvas


def _turned_axes(canvas: Canvas, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in nm about the picture's middle; the chip usually stands nearly straight."""
    y, x = canvas.axes()
    y, x = y - canvas.field_nm[0] / 2, x - canvas.field_nm[1] / 2
    angle = rng.normal(0, 0.03) if rng.random() < 0.65 else rng.uniform(0, math.pi)
    return y * math.cos(angle) - x * math.sin(angle), y * math.sin(angle) + x * math.cos(angle)


def _rectangle(
    mask: np.ndarray, v: np.ndarray, u: np.ndarray, box: tuple[float, float, float, float], pixel: float, value: float = 1.0
) -> None:
    """Paint (v0, u0, v1, u1) with edges one pixel soft."""
    v0, u0, v1, u1 = box
    inside = np.minimum(np.minimum(v - v0, v1 - v), np.minimum(u - u0, u1 - u)) / pixel + 0.5
    np.copyto(mask, value * np.clip(inside, 0, 1) + mask * (1 - np.clip(inside, 0, 1)))


def _fan(canvas: Canvas, mask: np.ndarray, line: float, rng: np.random.Generator) -> None:
    """Leads that run from pads at the sides to a small middle: a microelectrode array."""
    middle = np.array(canvas.field_nm) * rng.uniform(0.4, 0.6, 2)
    count, side = int(rng.integers(4, 16)), canvas.side_nm
    for k in range(count):
        angle = 2 * math.pi * (k + rng.uniform(0.2, 0.8)) / count
        way = np.array([math.sin(angle), math.cos(angle)])
        inner = middle + way * side * rng.uniform(0.06, 0.16)
        bend = middle + way * side * rng.uniform(0.25, 0.4)
        axis = np.array([round(way[0]), round(way[1])]) if rng.random() < 0.6 else way
        outer = bend + axis * side * 0.9
        for a, b, width in ((inner, bend, 0.7 * line), (bend, outer, line * rng.uniform(1.5, 4))):
            _line(canvas, mask, a, b, width)
        if rng.random() < 0.5:
            _disc(canvas, mask, inner, 0.9 * line)


def _comb(canvas: Canvas, mask: np.ndarray, line: float, rng: np.random.Generator) -> None:
    """Interdigitated fingers between two bus bars."""
    v, u = _turned_axes(canvas, rng)
    pixel, side = canvas.scale_nm, canvas.side_nm
    gap = rng.uniform(0.6, 1.6)
    half = side * rng.uniform(0.25, 0.42)
    period = line * (1 + gap)
    for i in range(-int(0.8 * side / period), int(0.8 * side / period) + 1):
        low, high = (-half, half * 0.86) if i % 2 else (-half * 0.86, half)
        _rectangle(mask, v, u, (low, i * period, high, i * period + line), pixel)
    for near, far in ((-half - 3 * line, -half), (half, half + 3 * line)):
        _rectangle(mask, v, u, (near, -2 * side, far, 2 * side), pixel)


def _leads(canvas: Canvas, mask: np.ndarray, line: float, rng: np.random.Generator) -> None:
    """Pads with leads that turn corners, and a contact window in each pad."""
    v, u = _turned_axes(canvas, rng)
    pixel, side = canvas.scale_nm, canvas.side_nm
    for k in range(int(rng.integers(2, 7))):
        at = (-0.6 + 1.2 * (k + rng.uniform(0.2, 0.8)) / 6) * side * rng.choice([-1, 1])
        pad = line * rng.uniform(3, 8)
        v0 = rng.uniform(-0.5, 0.4) * side
        _rectangle(mask, v, u, (v0, at, v0 + pad, at + pad), pixel)
        if rng.random() < 0.5:
            _rectangle(mask, v, u, (v0 + 0.2 * pad, at + 0.2 * pad, v0 + 0.8 * pad, at + 0.8 * pad), pixel, rng.uniform(0.4, 0.8))
        _rectangle(mask, v, u, (v0 + 0.4 * pad, at - side, v0 + 0.4 * pad + line, at), pixel)
        _rectangle(mask, v, u, (v0 + pad, at + 0.4 * pad, v0 + pad + side, at + 0.4 * pad + line), pixel)


def _membrane(canvas: Canvas, mask: np.ndarray, line: float, rng: np.random.Generator) -> None:
    """A plate on springs with release holes: an actuator or a sensor's proof mass."""
    v, u = _turned_axes(canvas, rng)
    pixel, side = canvas.scale_nm, canvas.side_nm
    a, b = side * rng.uniform(0.18, 0.36, 2)
    _rectangle(mask, v, u, (-a, -b, a, b), pixel)
    for sv in (-1, 1):
        for su in (-1, 1):
            for turn in range(3):
                start = su * b * (0.4 + 0.22 * turn)
                _rectangle(
                    mask, v, u, (min(sv * a, sv * 2.2 * a), start - line / 2, max(sv * a, sv * 2.2 * a), start + line / 2), pixel
                )
        _rectangle(mask, v, u, (min(sv * 1.9 * a, sv * 2.6 * a), -b, max(sv * 1.9 * a, sv * 2.6 * a), b), pixel)
    period = line * rng.uniform(2, 4)
    holes = (np.mod(v, period) - period / 2) ** 2 + (np.mod(u, period) - period / 2) ** 2 < (0.35 * line) ** 2
    mask[(np.abs(v) < a - line) & (np.abs(u) < b - line) & holes] = 0


def _line(canvas: Canvas, mask: np.ndarray, a: np.ndarray, b: np.ndarray, width: float) -> None:
    y, x = canvas.axes()
    along = b - a
    t = np.clip(((y - a[0]) * along[0] + (x - a[1]) * along[1]) / float(along @ along), 0, 1)
    distance = np.hypot(y - a[0] - t * along[0], x - a[1] - t * along[1])
    np.maximum(mask, np.clip((width / 2 - distance) / canvas.scale_nm + 0.5, 0, 1), out=mask)


def _disc(canvas: Canvas, mask: np.ndarray, centre: np.ndarray, radius: float) -> None:
    y, x = canvas.axes()
    np.maximum(mask, np.clip((radius - np.hypot(y - centre[0], x - centre[1])) / canvas.scale_nm + 0.5, 0, 1), out=mask)
