"""Films and coated surfaces: grains with grooves between, pinholes, cracks, wrinkles, fine nodules, a torn edge."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def films(draft: Draft) -> Canvas:
    """A nearly level film."""
    specimen, view = draft.specimen, draft.view
    choice = specimen.random()
    draw = _grains if choice < 0.4 else _cracked if choice < 0.65 else _nodules if choice < 0.85 else _wrinkled
    canvas = draw(draft)
    canvas.emission *= 1 + 0.04 * fields.fractal(canvas.shape, view, 1.3)
    if view.random() < 0.5:
        _pinholes(canvas, view)
    return canvas


def _grains(draft: Draft) -> Canvas:
    """Polycrystalline: flat or domed grains, each with its own channelling contrast."""
    grain_nm = float(draft.specimen.lognormal(math.log(350), 0.8))
    dome, groove, contrast = (
        draft.specimen.uniform(0, 0.25),
        draft.specimen.uniform(0.03, 0.2),
        draft.specimen.uniform(0.02, 0.22),
    )
    view = draft.view
    canvas = draft.canvas(grain_nm * view.uniform(7, 26))
    pitch = grain_nm / canvas.scale_nm
    bent = pitch * view.uniform(0, 0.12)
    warp = (bent * fields.smooth(canvas.shape, view, 0.6 * pitch), bent * fields.smooth(canvas.shape, view, 0.6 * pitch))
    points = fields.jittered_grid(canvas.shape, view, pitch, 0.75)
    distance, index = fields.cells(canvas.shape, points, warp=warp)
    gap = (distance[..., 1] - distance[..., 0]) / pitch
    open_part = view.uniform(0.0, 0.08)
    edge = 1 - np.exp(-np.maximum(gap - open_part, 0) / 0.12)
    canvas.height += grain_nm * (groove * edge + dome * np.sqrt(np.clip(1 - (distance[..., 0] / (0.75 * pitch)) ** 2, 0, 1)))
    canvas.height += grain_nm * 0.012 * fields.fractal(canvas.shape, view, 0.9, 30)
    shade = np.exp(contrast * view.standard_normal(len(points)))[index[..., 0]]
    canvas.emission *= np.where(gap < open_part, 0.35, shade)
    return canvas


def _cracked(draft: Draft) -> Canvas:
    """A dried or strained coating: cracks that branch, or run side by side."""
    block_nm = float(draft.specimen.lognormal(math.log(4000), 0.9))
    width, parallel = draft.specimen.uniform(0.015, 0.07), draft.specimen.choice([1.0, 3.5])
    view = draft.view
    canvas = draft.canvas(block_nm * view.uniform(2.5, 9))
    pitch = block_nm / canvas.scale_nm
    points = fields.jittered_grid((canvas.shape[0], int(canvas.shape[1] * parallel)), view, pitch, 0.8)
    warp = tuple(0.12 * pitch * fields.fractal(canvas.shape, view, 1.3, pitch) for _ in range(2))
    points[:, 1] /= parallel
    distance, _ = fields.cells(canvas.shape, points, warp=(warp[0], warp[1]))
    gap = (distance[..., 1] - distance[..., 0]) / pitch
    depth = np.clip((width * (1 + 0.5 * fields.smooth(canvas.shape, view, pitch)) - gap) / 0.02, 0, 1)
    canvas.height -= depth * 0.08 * block_nm - np.exp(-gap / 0.08) * 0.015 * block_nm
    canvas.height += 0.004 * block_nm * fields.fractal(canvas.shape, view, 1.0, 25)
    canvas.emission *= 1 - 0.75 * depth
    return canvas


def _nodules(draft: Draft) -> Canvas:
    """Sputtered or electrodeposited: fine nodules, here and there a large one."""
    nodule_nm = float(draft.specimen.lognormal(math.log(90), 0.7))
    view = draft.view
    canvas = draft.canvas(nodule_nm * view.uniform(18, 60))
    length = nodule_nm / canvas.scale_nm
    canvas.height += nodule_nm * 0.3 * fields.bumps(canvas.shape, view, max(length, 4))
    canvas.height += nodule_nm * 0.5 * fields.fractal(canvas.shape, view, 1.2)
    return canvas


def _wrinkled(draft: Draft) -> Canvas:
    """A buckled film: wavy ridges of one wavelength, on a smooth ground."""
    wave_nm = float(draft.specimen.lognormal(math.log(1500), 0.7))
    view = draft.view
    canvas = draft.canvas(wave_nm * view.uniform(6, 18))
    length = wave_nm / canvas.scale_nm
    band = fields.blurred(fields.white(canvas.shape, view), length / 5)
    band = fields.standardised(band - fields.blurred(band, length / 2.2))
    canvas.height += view.uniform(0.03, 0.09) * wave_nm * np.tanh(1.2 * band)
    canvas.height += 0.01 * wave_nm * fields.fractal(canvas.shape, view, 1.0, 20)
    return canvas


def _pinholes(canvas: Canvas, rng: np.random.Generator) -> None:
    y, x = canvas.axes()
    for _ in range(int(rng.integers(1, 16))):
        cy, cx = rng.uniform(0, canvas.field_nm[0]), rng.uniform(0, canvas.field_nm[1])
        radius = canvas.side_nm * float(rng.lognormal(math.log(0.012), 0.5))
        around, turn = np.arctan2(y - cy, x - cx), rng.uniform(0, 2 * math.pi)
        uneven = sum(rng.normal(0, 0.1) * np.cos(k * around + k * turn) for k in (2, 3, 5))
        open_part = np.clip(3 * (1 - np.hypot(y - cy, x - cx) / radius + uneven), 0, 1)
        canvas.emission *= 1 - 0.7 * open_part
        canvas.height -= radius * open_part
