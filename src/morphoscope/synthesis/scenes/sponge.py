"""Porous sponges: walls and struts around pores of several sizes, dark where the view goes deep."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def sponge(draft: Draft) -> Canvas:
    """Pores between walls; deeper levels show through the upper pores."""
    specimen, view = draft.specimen, draft.view
    pore_nm = float(specimen.lognormal(math.log(5000), 1.3))
    solid = specimen.uniform(0.3, 0.62)
    rounded = specimen.random() < 0.5
    grit = specimen.uniform(0, 0.09) * (specimen.random() < 0.6)
    canvas = draft.canvas(pore_nm * float(view.lognormal(math.log(7), 0.45)))
    pitch = pore_nm / canvas.scale_nm
    height = np.full(canvas.shape, -2.2, np.float32) + 0.2 * fields.fractal(canvas.shape, view, 1.2)
    for level in (-1.5, -0.75, 0.0):
        wall = _cell_walls(canvas, pitch, solid, view) if rounded else _struts(canvas, pitch, solid, view)
        edge = np.clip(wall / 0.25, 0, 1)
        surface = level + 0.32 * np.sqrt(edge) + 0.05 * fields.fractal(canvas.shape, view, 1.3, pitch)
        height = np.where(wall > 0, np.maximum(surface, height), height)
    height += grit * 0.4 * fields.bumps(canvas.shape, view, max(0.08 * pitch, 3)) + 0.3 * grit * fields.fractal(
        canvas.shape, view, 0.8, 0.3 * pitch
    )
    canvas.height += pore_nm * 0.55 * height
    canvas.emission *= np.exp(0.85 * np.clip(height, -2.4, 0.3)).astype(np.float32)
    return canvas


def _cell_walls(canvas: Canvas, pitch: float, solid: float, rng: np.random.Generator) -> np.ndarray:
    """Foam: round pores of varied size in a wall; positive inside the wall."""
    step = 2 if pitch > 14 else 1
    coarse = (canvas.shape[0] // step + 2, canvas.shape[1] // step + 2)
    points = fields.jittered_grid(coarse, rng, pitch / step, 0.6)
    distance, index = fields.cells(coarse, points, nearest=3)
    radius = (0.74 - 0.55 * solid) * np.exp(0.28 * rng.standard_normal(len(points)))
    wall = fields.enlarged((distance * step / pitch - radius[index]).min(-1), step)[: canvas.shape[0], : canvas.shape[1]]
    return wall + rng.uniform(0.01, 0.07) * fields.fractal(canvas.shape, rng, 1.7, 0.8 * pitch)


def _struts(canvas: Canvas, pitch: float, solid: float, rng: np.random.Generator) -> np.ndarray:
    """Bicontinuous: a ridge of smooth noise; positive inside the strut."""
    field = fields.smooth(canvas.shape, rng, 1.1 * pitch) + rng.uniform(0.02, 0.12) * fields.fractal(
        canvas.shape, rng, 1.6, 0.5 * pitch
    )
    return (0.25 + 0.75 * solid) * 0.8 - np.abs(field)
