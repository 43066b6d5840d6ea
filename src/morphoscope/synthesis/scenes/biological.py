"""Biological specimens: cells with microvilli and ruffles, blood cells, bacteria, pollen, neurites in a mesh."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import curves, fields, solids, structures
from morphoscope.synthesis.canvas import Body, Canvas, Patch
from morphoscope.synthesis.picture import Draft


def biological(draft: Draft) -> Canvas:
    """One kind of organism or tissue."""
    draw = [_cells, _blood, _bacteria, _pollen, _neurites][int(draft.specimen.choice(5, p=[0.35, 0.15, 0.2, 0.1, 0.2]))]
    return draw(draft)


def _substrate(canvas: Canvas, feature_nm: float, rng: np.random.Generator) -> None:
    canvas.emission *= rng.uniform(0.35, 0.9) * (1 + 0.06 * fields.fractal(canvas.shape, rng, 1.2))
    canvas.height += feature_nm * rng.uniform(0.003, 0.03) * fields.fractal(canvas.shape, rng, 1.6)


def _anywhere(canvas: Canvas, rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(0, canvas.field_nm[0])), float(rng.uniform(0, canvas.field_nm[1]))


def _cells(draft: Draft) -> Canvas:
    """Spread cells: a domed body, a thin ruffled skirt, filopodia, microvilli."""
    specimen, view = draft.specimen, draft.view
    cell_nm = float(specimen.lognormal(math.log(12000), 0.35))
    villi, ruffle, flatness = specimen.uniform(0.0, 0.05), specimen.uniform(0.01, 0.05), specimen.uniform(0.25, 0.9)
    canvas = draft.canvas(cell_nm * float(view.lognormal(math.log(2.6), 0.5)))
    _substrate(canvas, cell_nm, view)
    make = solids.lump(0.22, flatness)
    for _ in range(int(np.clip((canvas.side_nm / cell_nm) ** 2 * view.uniform(0.2, 0.6), 1, 40))):
        centre, size = _anywhere(canvas, view), cell_nm * math.exp(0.2 * view.standard_normal())
        _filopodia(canvas, centre, size, view)
        solid = make(view)
        patch = canvas.patch(centre, solid.reach * size)
        canvas.place(patch, _ruffled(canvas, patch, solid, size, villi, ruffle, view), None)
    return canvas


def _ruffled(
    canvas: Canvas, patch: Patch, solid: solids.Solid, size: float, villi: float, ruffle: float, rng: np.random.Generator
) -> Body:
    body = structures.smooth(patch, solid, size, rng)
    dome = np.maximum(body.top, 0) / size
    skirt = 0.03 * np.clip(dome / 0.06, 0, 1) ** 0.5 + np.maximum(dome - 0.1, 0) * 1.2
    texture = ruffle * fields.fractal(patch.shape, rng, 1.3, 0.3 * size / canvas.scale_nm)
    fine = villi * fields.bumps(patch.shape, rng, max(0.04 * size / canvas.scale_nm, 3.0))
    inside = body.inside
    body.top = np.where(inside, size * (skirt + (texture + fine) * np.clip(dome * 6, 0.15, 1)), -1)
    body.bottom = np.where(inside, np.minimum(body.top - 1e-3 * size, 0), 0)
    body.emission = 1 + 0.6 * np.clip(4 * dome, 0, 1)
    return body


def _filopodia(canvas: Canvas, centre: tuple[float, float], size: float, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(3, 14))):
        angle, length = rng.uniform(0, 2 * math.pi), size * rng.uniform(0.4, 1.0)
        middle = np.array(centre) + np.array([math.sin(angle), math.cos(angle)]) * size * 0.55
        curve = curves.wander(middle, angle, length, size * rng.uniform(0.012, 0.03), 4.0, rng, steps=8)
        curves.lay(canvas, curve, kind=None, emission=1.3)


def _blood(draft: Draft) -> Canvas:
    """Discocytes with a dimple, seen at any tilt."""
    view = draft.view
    cell_nm = float(draft.specimen.normal(7000, 400))
    canvas = draft.canvas(cell_nm * float(view.lognormal(math.log(4), 0.6)))
    _substrate(canvas, cell_nm, view)
    for _ in range(int(np.clip((canvas.side_nm / cell_nm) ** 2 * view.uniform(0.2, 1.1), 1, 90))):
        tilt, turn = view.uniform(0.45, 1.0), view.uniform(0, math.pi)
        patch = canvas.patch(_anywhere(canvas, view), 0.55 * cell_nm)
        u, v = patch.x * math.cos(turn) + patch.y * math.sin(turn), (patch.y * math.cos(turn) - patch.x * math.sin(turn)) / tilt
        r2 = (u**2 + v**2) / (0.5 * cell_nm) ** 2
        profile = np.sqrt(np.clip(1 - r2, 0, 1)) * (0.104 + 1.0 * r2 - 0.56 * r2**2)
        half = np.where(r2 < 1, 0.28 * cell_nm * profile, -1).astype(np.float32)
        lean = (1 - tilt) * 0.5 * v
        inside = half > 0
        top, bottom = np.where(inside, half + lean, -1), np.where(inside, lean - half, 0)
        canvas.place(patch, Body(top.astype(np.float32), bottom.astype(np.float32), np.maximum(half, 0), 1.4), "cell")
    return canvas


def _bacteria(draft: Draft) -> Canvas:
    """Rods or cocci, single and in chains, some dividing."""
    specimen, view = draft.specimen, draft.view
    size_nm = float(specimen.lognormal(math.log(1300), 0.25))
    make = solids.rod(specimen.uniform(2, 4), 0.25, "round") if specimen.random() < 0.65 else solids.spheroid(1.2, 0.1)
    wrinkle = specimen.uniform(0.005, 0.04)
    canvas = draft.canvas(size_nm * float(view.lognormal(math.log(8), 0.5)))
    _substrate(canvas, size_nm, view)
    build = structures.rough(structures.Textures(canvas.shape, view), "fractal", 0.25 * size_nm / canvas.scale_nm, wrinkle)
    count = int(np.clip((canvas.side_nm / size_nm) ** 2 * float(view.lognormal(math.log(0.25), 0.7)), 1, 160))
    for _ in range(count):
        solid, size = make(view), size_nm * math.exp(0.12 * view.standard_normal())
        patch = canvas.patch(_anywhere(canvas, view), solid.reach * size)
        body = build(patch, solid, size, view)
        body.emission = 1.5
        canvas.place(patch, body, "cell")
    return canvas


def _pollen(draft: Draft) -> Canvas:
    """Grains with spines, or with a net of ridges."""
    specimen, view = draft.specimen, draft.view
    grain_nm = float(specimen.lognormal(math.log(28000), 0.4))
    texture, depth = str(specimen.choice(["bumps", "pores", "wrinkles"])), specimen.uniform(0.03, 0.08)
    length = specimen.uniform(0.07, 0.16)
    canvas = draft.canvas(grain_nm * float(view.lognormal(math.log(2.2), 0.5)))
    _substrate(canvas, grain_nm, view)
    build = structures.rough(structures.Textures(canvas.shape, view), texture, length * grain_nm / canvas.scale_nm, depth)
    make = solids.spheroid(1.15, 0.1)
    for _ in range(int(np.clip((canvas.side_nm / grain_nm) ** 2 * view.uniform(0.2, 0.8), 1, 30))):
        solid, size = make(view), grain_nm * math.exp(0.08 * view.standard_normal())
        patch = canvas.patch(_anywhere(canvas, view), 1.1 * solid.reach * size)
        body = build(patch, solid, size, view)
        body.emission = 1.4
        canvas.place(patch, body, "cell")
    return canvas


def _neurites(draft: Draft) -> Canvas:
    """A soma or two in a mesh of branching processes."""
    specimen, view = draft.specimen, draft.view
    soma_nm = float(specimen.lognormal(math.log(8000), 0.25))
    canvas = draft.canvas(soma_nm * view.uniform(2.2, 7))
    _substrate(canvas, soma_nm, view)
    for _ in range(int(np.clip(24 * canvas.side_nm / soma_nm, 40, 170))):
        width = soma_nm * float(view.lognormal(math.log(0.035), 0.5))
        middle = np.array(_anywhere(canvas, view))
        curve = curves.wander(middle, view.uniform(0, 6.3), soma_nm * view.uniform(0.8, 4), width, 1.5, view, steps=12)
        curves.lay(canvas, curve, base_nm=view.uniform(0, 0.12) * soma_nm, kind=None, emission=view.uniform(1.0, 1.4))
    make = solids.lump(0.15, 0.8)
    for _ in range(int(view.integers(1, 3))):
        solid = make(view)
        patch = canvas.patch(_anywhere(canvas, view), solid.reach * soma_nm)
        canvas.place(patch, _ruffled(canvas, patch, solid, soma_nm, 0.02, 0.02, view), None)
    return canvas
