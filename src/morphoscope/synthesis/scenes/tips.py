"""Tips: etched needles, cantilever pyramids and arrays of emitters, sharp against a plain ground."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import curves, fields
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def tips(draft: Draft) -> Canvas:
    """One tip, or an array of them."""
    choice = draft.specimen.random()
    return _needle(draft) if choice < 0.6 else _pyramid(draft) if choice < 0.85 else _array(draft)


def _ground(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.emission *= rng.uniform(0.12, 0.65) * (1 + 0.03 * fields.fractal(canvas.shape, rng, 1.4))


def _needle(draft: Draft) -> Canvas:
    """A cone that comes in from the side, its flanks grooved by the etch."""
    specimen, view = draft.specimen, draft.view
    apex_nm = float(specimen.lognormal(math.log(120), 0.9))
    opening, curvature = specimen.uniform(0.08, 0.45), specimen.uniform(0.7, 1.6)
    groove = specimen.uniform(0, 0.05)
    canvas = draft.canvas(apex_nm * float(view.lognormal(math.log(60), 0.9)))
    _ground(canvas, view)
    side, angle = canvas.side_nm, view.uniform(0, 2 * math.pi)
    way = np.array([math.sin(angle), math.cos(angle)])
    apex = np.array(canvas.field_nm) * view.uniform(0.3, 0.7, 2)
    t = np.linspace(0, 1, 26) ** 1.5
    points = apex + t[:, None] * way * 1.7 * side + (t**2)[:, None] * way[::-1] * (-1, 1) * view.normal(0, 0.08) * side
    width = 2 * (apex_nm / 2 + opening * 1.7 * side * 0.5 * t**curvature)
    relief = groove * 0.2 * side * fields.fractal(canvas.shape, view, 1.2, 50) * 0.3
    curves.lay(
        canvas,
        curves.Curve(points, width),
        base_nm=0.2 * side - width / 2,
        emission=view.uniform(0.9, 1.3),
        kind=None,
        relief=relief,
    )
    return canvas


def _pyramid(draft: Draft) -> Canvas:
    """A pyramid at the end of a cantilever, seen from above."""
    specimen, view = draft.specimen, draft.view
    base_nm = float(specimen.lognormal(math.log(9000), 0.5))
    sides, steep = int(specimen.choice([3, 4, 8])), specimen.uniform(0.9, 1.8)
    canvas = draft.canvas(base_nm * float(view.lognormal(math.log(2.6), 0.4)))
    _ground(canvas, view)
    y, x = canvas.axes()
    centre = np.array(canvas.field_nm) * view.uniform(0.38, 0.62, 2)
    y, x = y - centre[0], x - centre[1]
    turn = view.uniform(0, 2 * math.pi)
    v, u = y * math.cos(turn) - x * math.sin(turn), y * math.sin(turn) + x * math.cos(turn)
    beam = np.minimum(base_nm * 1.1 - np.abs(v), 1.3 * base_nm - u - 0.4 * np.abs(v))
    on_beam = np.clip(beam / canvas.scale_nm + 0.5, 0, 1)
    canvas.emission *= 1 + (view.uniform(1.2, 2.2) - 1) * on_beam
    walls = np.stack([base_nm / 2 - (np.cos(a) * u + np.sin(a) * v) for a in turn + np.arange(sides) * 2 * math.pi / sides])
    canvas.height += 0.25 * base_nm * on_beam + steep * np.clip(walls.min(0), 0, 0.48 * base_nm)
    canvas.height += 0.004 * base_nm * fields.fractal(canvas.shape, view, 1.0, 40)
    return canvas


def _array(draft: Draft) -> Canvas:
    """Rows of cones seen obliquely."""
    specimen, view = draft.specimen, draft.view
    pitch_nm = float(specimen.lognormal(math.log(3000), 0.6))
    slender, lean = specimen.uniform(0.12, 0.3), specimen.uniform(0.6, 1.4)
    canvas = draft.canvas(pitch_nm * view.uniform(3, 9))
    _ground(canvas, view)
    rows = np.arange(-1, canvas.field_nm[0] / pitch_nm / 0.6 + lean + 2)
    for row in rows:
        for column in np.arange(-1, canvas.field_nm[1] / pitch_nm + 2):
            foot = np.array([row * 0.6, column + 0.5 * (row % 2)]) * pitch_nm + view.normal(0, 0.015 * pitch_nm, 2)
            top = foot - np.array([lean * pitch_nm, 0])
            curve = curves.straight(foot, top, 2 * slender * pitch_nm, 0.03 * pitch_nm)
            curves.lay(canvas, curve, base_nm=np.array([0, 0.4 * pitch_nm]) + 0.05 * row * pitch_nm, emission=1.2, kind=None)
    return canvas
