"""Nanowires: grown grass, aligned arrays seen at a tilt, and dispersed wires on a wafer, some with a catalyst bead."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import curves, fields, solids, structures
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def nanowires(draft: Draft) -> Canvas:
    """Many thin wires, straight or wavy."""
    specimen, view = draft.specimen, draft.view
    width_nm = float(specimen.lognormal(math.log(70), 0.6))
    straightness = specimen.lognormal(math.log(25), 1.2)
    order = specimen.choice([0.05, 0.25, 3.0], p=[0.25, 0.3, 0.45])
    taper, has_bead = specimen.choice([1.0, 0.7, 0.35], p=[0.5, 0.3, 0.2]), specimen.random() < 0.35
    length = width_nm * float(specimen.lognormal(math.log(45), 0.4))
    flat = specimen.random() < 0.2
    side = width_nm * float(view.lognormal(math.log(70), 0.45))
    canvas = draft.canvas(max(side, 25 * width_nm))
    side = canvas.side_nm
    ground = view.uniform(0.2, 0.8)
    canvas.emission *= ground * (1 + 0.05 * fields.fractal(canvas.shape, view, 1.2))
    canvas.height += fields.fractal(canvas.shape, view, 0.8) * 0.05 * width_nm
    shown = min(length, 2.5 * side)
    cover = float(view.lognormal(math.log(0.55), 0.6))
    count = int(np.clip(cover * side**2 / (width_nm * shown), 6, 240))
    main = view.uniform(0, math.pi)
    for i in range(count):
        angle = main + view.normal(0, order) + (math.pi if view.random() < 0.5 else 0)
        middle = np.array([view.uniform(-0.1, 1.1) * extent for extent in canvas.field_nm])
        width = width_nm * math.exp(0.22 * view.standard_normal())
        curve = curves.wander(
            middle, angle, shown * view.uniform(0.5, 1.2), width, straightness, view, steps=4 if straightness > 30 else 10
        )
        curve = curves.Curve(curve.points, curve.width_nm * np.linspace(1, taper, len(curve.points)))
        base = width_nm * (4 * i / count + np.linspace(0, view.uniform(0, 6), len(curve.points)))
        curves.lay(
            canvas, curve, base_nm=base, section="flat" if flat else "round", emission=view.uniform(0.95, 1.6), kind="wire"
        )
        if has_bead:
            _bead(canvas, curve.points[-1], 1.25 * float(curve.width_nm[-1]), view)
    return canvas


def _bead(canvas: Canvas, at: np.ndarray, size_nm: float, rng: np.random.Generator) -> None:
    patch = canvas.patch((float(at[0]), float(at[1])), size_nm)
    body = structures.smooth(patch, solids.sphere(rng), size_nm, rng)
    body.emission = 2.0
    canvas.place(patch, body, None, sink=0.4)
