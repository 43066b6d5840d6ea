"""Fibres: textile, glass and electrospun filaments, crossing or in yarns, with grooves, wrinkles and dirt."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import curves, fields, solids, structures
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def fibres(draft: Draft) -> Canvas:
    """Round filaments several deep over a dark ground."""
    specimen, view = draft.specimen, draft.view
    width_nm = float(specimen.lognormal(math.log(6000), 1.0))
    spread, stiffness = specimen.uniform(0.03, 0.35), specimen.lognormal(math.log(6), 1.0)
    aligned = specimen.random() < 0.4
    groove, wrinkle = specimen.uniform(0, 0.06), specimen.uniform(0, 0.03)
    flat = specimen.random() < 0.15
    canvas = draft.canvas(width_nm * float(view.lognormal(math.log(7), 0.65)))
    canvas.emission *= view.uniform(0.15, 0.5)
    canvas.height += fields.fractal(canvas.shape, view, 1.4) * width_nm * 0.1
    side = canvas.side_nm
    count = int(np.clip(side / width_nm * view.uniform(0.8, 2.6), 2, 46))
    main = view.uniform(0, math.pi)
    relief = width_nm * (wrinkle * fields.fractal(canvas.shape, view, 1.2, 40) + groove * _grooves(canvas, main, width_nm, view))
    for i in range(count):
        angle = main + (view.normal(0, 0.12) if aligned else view.uniform(-1.5, 1.5))
        middle = np.array([view.uniform(0, extent) for extent in canvas.field_nm])
        width = width_nm * math.exp(spread * view.standard_normal())
        length = 2.6 * side if view.random() < 0.9 else view.uniform(0.4, 1.2) * side
        curve = curves.wander(middle, angle, length, width, stiffness, view, steps=14)
        base = width_nm * 0.9 * (i / count) * min(count, 4) + view.normal(0, 0.2 * width_nm)
        curves.lay(
            canvas,
            curve,
            base_nm=base,
            section="flat" if flat else "round",
            emission=view.uniform(1.1, 1.5),
            kind="fibre",
            relief=relief,
        )
    _dirt(canvas, width_nm, view)
    return canvas


def _grooves(canvas: Canvas, angle: float, width_nm: float, rng: np.random.Generator) -> np.ndarray:
    """Lines along the main direction, as drawn or natural fibres have."""
    y, x = canvas.axes()
    across = (y * math.cos(angle) - x * math.sin(angle)) / (0.12 * width_nm) + 1.5 * fields.smooth(canvas.shape, rng, 60)
    return np.sin(across).astype(np.float32)


def _dirt(canvas: Canvas, width_nm: float, rng: np.random.Generator) -> None:
    make = solids.crushed(10, 0.02)
    for _ in range(int(rng.integers(0, 7))):
        size = width_nm * rng.uniform(0.05, 0.3)
        centre = (rng.uniform(0, canvas.field_nm[0]), rng.uniform(0, canvas.field_nm[1]))
        solid = make(rng)
        patch = canvas.patch(centre, solid.reach * size)
        canvas.place(patch, structures.smooth(patch, solid, size, rng), None, sink=0.2)
