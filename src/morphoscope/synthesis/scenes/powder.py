"""Powder: a bed of grains of all sizes, several deep, with loose agglomerates on top."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import fields, solids, structures
from morphoscope.synthesis.canvas import Body, Canvas, Patch
from morphoscope.synthesis.picture import Draft


def powder(draft: Draft) -> Canvas:
    """A bed of grains that fills the picture."""
    specimen, view = draft.specimen, draft.view
    grain_nm = float(specimen.lognormal(math.log(400), 1.3))
    spread = specimen.uniform(0.15, 0.55)
    makers = _grains(specimen)
    roughness = specimen.uniform(0, 0.06)
    canvas = draft.canvas(grain_nm * view.uniform(9, 42))
    shortest = 5 * canvas.scale_nm
    terrain = fields.fractal(canvas.shape, view, 1.5) * grain_nm * view.uniform(0.2, 1.4)
    canvas.height += terrain + 0.7 * grain_nm * fields.bumps(canvas.shape, view, max(grain_nm / canvas.scale_nm, 4))
    textures = structures.Textures(canvas.shape, view)
    build: structures.Build = structures.smooth
    if roughness > 0.015:
        build = structures.rough(textures, "fractal", 0.5 * grain_nm / canvas.scale_nm, roughness)
    bank = _bank(canvas, makers, build, max(grain_nm, shortest), spread, view)
    field = canvas.field_nm
    count = int(2.4 * field[0] * field[1] / np.mean([max(b.inside.sum(), 1) for _, b in bank]) / canvas.scale_nm**2)
    count = min(count, 1500)
    for i in range(count):
        patch, body = bank[int(view.integers(len(bank)))]
        at = view.integers(-patch.shape[0], canvas.shape[0]), view.integers(-patch.shape[1], canvas.shape[1])
        canvas.place(Patch(int(at[0]), int(at[1]), patch.y, patch.x), body, None, sink=0.65 if i < 0.6 * count else 0.35)
    canvas.emission *= 1.5
    return canvas


def _grains(rng: np.random.Generator) -> list[solids.Maker]:
    choice = rng.random()
    if choice < 0.35:
        return [solids.crushed(int(rng.integers(8, 16)), rng.uniform(0.005, 0.03))]
    if choice < 0.65:
        return [solids.lump(0.1, 0.9), solids.spheroid(1.15, 0.15)]
    if choice < 0.8:
        return [solids.polyhedron(str(rng.choice(solids.POLYHEDRA)), 0.015, 0.2)]
    if choice < 0.92:
        return [solids.plate(6, 0.18, 0.1, 0.03, stands=0.4), solids.lump(0.15, 0.35)]
    return [solids.rod(rng.uniform(2, 4), 0.3, "round")]


def _bank(
    canvas: Canvas, makers: list[solids.Maker], build: structures.Build, grain_nm: float, spread: float, rng: np.random.Generator
) -> list[tuple[Patch, Body]]:
    """Some dozens of individual grains to scatter many times, each with its own brightness."""
    bank = []
    for i in range(36):
        solid = makers[i % len(makers)](rng)
        diameter = float(np.clip(grain_nm * math.exp(spread * rng.standard_normal()), 4 * canvas.scale_nm, 0.4 * canvas.side_nm))
        patch = canvas.patch((0, 0), solid.reach * diameter)
        body = build(patch, solid, diameter, rng)
        body.emission = body.emission * rng.uniform(0.85, 1.15) * np.ones(patch.shape, np.float32)
        bank.append((patch, body))
    return bank
