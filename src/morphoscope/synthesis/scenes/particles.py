"""Particles: from one to hundreds, of any habit, structure and arrangement; the same bodies for both microscopes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from morphoscope.synthesis import arrangements, curves, fields, solids, structures
from morphoscope.synthesis.arrangements import Field
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft

MORPHOLOGIES = ("Sphere", "Cube-polyhedron", "Rod", "Plate-triangle", "Irregular", "Wire-fibre")
STRUCTURES = ("Smooth", "Rough", "Core-shell-hollow", "Porous")
COUNTS = ("One", "Few (2-10)", "Many (>10)")
SMALLEST_PX = 5.0


@dataclass(frozen=True)
class Ask:
    """What one picture shows. diameter_nm: of the specimen's particles, drawn where None."""

    morphology: str
    structure: str
    arrangement: str
    count: str
    is_tem: bool
    diameter_nm: float | None = None


def particles(draft: Draft) -> Canvas:
    """The SEM class: mostly spheres and polyhedra on a plain ground."""
    specimen, view = draft.specimen, draft.view
    morphology = str(specimen.choice(MORPHOLOGIES[:5], p=[0.5, 0.2, 0.1, 0.05, 0.15]))
    structure = str(specimen.choice(["Smooth", "Rough", "Porous"], p=[0.65, 0.28, 0.07]))
    count = str(view.choice(COUNTS, p=[0.12, 0.4, 0.48]))
    return populated(draft, Ask(morphology, structure, arrangement(view, count, morphology), count, is_tem=False))


def arrangement(rng: np.random.Generator, count: str, morphology: str) -> str:
    """One of the arrangements that make sense: a single particle is isolated, wires neither pack nor agglomerate."""
    if count == "One":
        return "Isolated"
    if morphology == "Wire-fibre":
        return str(rng.choice(["Isolated", "Clusters"], p=[0.6, 0.4]))
    if count == "Many (>10)" and morphology != "Irregular":
        return str(rng.choice(arrangements.ARRANGEMENTS))
    return str(rng.choice(["Isolated", "Clusters", "Agglomerated"], p=[0.4, 0.4, 0.2]))


def populated(draft: Draft, ask: Ask) -> Canvas:
    """A canvas with the particles asked for, on their support."""
    drawn_nm = draft.specimen.lognormal(*((math.log(45), 0.9) if ask.is_tem else (math.log(650), 1.5)))
    diameter_nm = float(drawn_nm) if ask.diameter_nm is None else ask.diameter_nm
    spread = float(np.clip(draft.specimen.lognormal(math.log(0.08), 0.8), 0.015, 0.45))
    make_seed = int(draft.specimen.integers(2**31))
    side_px = math.sqrt(draft.options.size[0] * draft.options.size[1])
    if ask.morphology == "Wire-fibre":
        return _wires(draft, ask, diameter_nm, side_px)
    number, diameter_px = _magnified(ask, draft, side_px)
    canvas = draft.canvas(diameter_nm * side_px / diameter_px)
    if not ask.is_tem:
        substrate(canvas, diameter_nm, draft)
    angle = draft.view.uniform(0, math.pi)
    make = habit(ask.morphology, np.random.default_rng(make_seed), angle if ask.arrangement == "Packed" else None)
    build = composition(ask, canvas, diameter_nm, draft)
    field = Field(*canvas.field_nm)
    individuals = [make(draft.view) for _ in range(number)]
    diameters = diameter_nm * np.exp(spread * (0.3 if ask.arrangement == "Packed" else 1) * draft.view.standard_normal(number))
    emission = draft.view.uniform(0.95, 2.6)
    centres = _centres(ask, field, individuals, diameters, angle, draft)
    for centre, solid, diameter in zip(centres, individuals, diameters, strict=False):
        patch = canvas.patch((float(centre[0]), float(centre[1])), 1.12 * solid.reach * float(diameter))
        body = build(patch, solid, float(diameter), draft.view)
        body.emission = np.multiply(body.emission, emission * draft.view.uniform(0.94, 1.06))
        canvas.place(patch, body, sink=0.02)
    return canvas


def _magnified(ask: Ask, draft: Draft, side_px: float) -> tuple[int, float]:
    """How many particles and of what diameter in pixels; never so small that nobody could tell their shape."""
    view = draft.view
    if ask.count == "One":
        return 1, side_px * (view.uniform(0.2, 0.8) if view.random() < 0.85 else view.uniform(0.05, 0.2))
    if ask.count == "Few (2-10)":
        number = int(view.integers(2, 11))
        cover = view.uniform(0.04, 0.75)
    else:
        number = int(np.clip(view.lognormal(math.log(45), 0.75), 12, 300))
        cover = view.uniform(0.03, 0.4)
    if ask.arrangement == "Packed":
        cover = view.uniform(0.65, 0.85)
    elif ask.arrangement == "Agglomerated":
        cover = view.uniform(0.15, 0.9)
    largest = max(int(cover * side_px**2 / (math.pi / 4 * SMALLEST_PX**2)), 2)
    number = min(number, largest)
    return number, max(SMALLEST_PX, side_px * math.sqrt(cover / (math.pi / 4 * number)))


def _centres(
    ask: Ask, field: Field, individuals: list[solids.Solid], diameters: np.ndarray, angle: float, draft: Draft
) -> np.ndarray:
    view, mean = draft.view, float(diameters.mean())
    if ask.arrangement == "Isolated":
        return arrangements.isolated(
            field, np.array([2 * s.reach for s in individuals]) * diameters, view, gap=view.uniform(0.03, 0.3)
        )
    if ask.arrangement == "Clusters":
        return arrangements.clusters(
            field, diameters, view, float(view.lognormal(math.log(6), 0.5)), overlap=view.uniform(-0.03, 0.06)
        )
    if ask.arrangement == "Packed":
        square = ask.morphology == "Cube-polyhedron" or ask.morphology == "Rod"
        ratio = float(np.median([s.aspect for s in individuals])) if ask.morphology == "Rod" else 1.0
        pitch = mean * view.uniform(0.96, 1.1) * (0.9 if square else 1.0)
        spacing = (pitch / math.sqrt(ratio), pitch * math.sqrt(ratio))
        points = arrangements.packed(
            field,
            spacing,
            -angle,
            view,
            square=square,
            disorder=view.uniform(0.005, 0.09),
            coverage=1.0 if view.random() < 0.65 else view.uniform(0.4, 0.9),
        )
        return points[: len(individuals)] if len(points) > 1.6 * len(individuals) else points
    return arrangements.agglomerated(
        field, len(individuals), mean, view, heaps=int(view.integers(1, 4)) if len(individuals) > 12 else 1
    )


def habit(morphology: str, rng: np.random.Generator, angle: float | None) -> solids.Maker:
    """The specimen's way of growing. angle: the way all lie, in a packing."""
    if morphology == "Sphere":
        return solids.sphere if rng.random() < 0.6 else solids.spheroid(1.03, rng.uniform(0.02, 0.09))
    if morphology == "Cube-polyhedron":
        if angle is not None or rng.random() < 0.4:
            return solids.rounded_box(float(rng.choice([3.5, 5, 8, 16])), rng.uniform(0, 0.12), angle=angle)
        return solids.polyhedron(
            str(rng.choice(solids.POLYHEDRA)), float(rng.choice([0.0, 0.01, 0.025])), rng.uniform(0.3, 1), rng.choice([1, 1, 1.4])
        )
    if morphology == "Rod":
        caps = rng.choice(["round", "flat", "pointed"], p=[0.6, 0.32, 0.08])
        return solids.rod(float(rng.lognormal(math.log(3.2), 0.35)), rng.uniform(0.02, 0.2), caps, angle=angle)
    if morphology == "Plate-triangle":
        sides = int(rng.choice([3, 6], p=[0.75, 0.25]))
        return solids.plate(
            sides,
            rng.uniform(0.08, 0.25),
            float(rng.choice([0, 0.12, 0.25])),
            rng.uniform(0.003, 0.02),
            rng.uniform(0, 0.1),
            angle=angle,
        )
    return (
        solids.lump(rng.uniform(0.1, 0.28), rng.uniform(0.5, 1))
        if rng.random() < 0.55
        else solids.crushed(int(rng.integers(6, 12)), 0.01)
    )


def composition(ask: Ask, canvas: Canvas, diameter_nm: float, draft: Draft) -> structures.Build:
    """How the specimen's particles are built."""
    rng, diameter_px = draft.specimen, diameter_nm / canvas.scale_nm
    textures = structures.Textures(canvas.shape, draft.view)
    if ask.structure == "Rough":
        if rng.random() < 0.25:
            return structures.decorated(int(rng.integers(8, 50)), rng.uniform(0.06, 0.16), rng.uniform(1, 8), rng.uniform(1, 1.8))
        texture = str(rng.choice(["bumps", "fractal", "wrinkles"], p=[0.4, 0.4, 0.2]))
        return structures.rough(textures, texture, rng.uniform(0.06, 0.22) * diameter_px, rng.uniform(0.03, 0.07))
    if ask.structure == "Core-shell-hollow":
        if not ask.is_tem:
            return structures.opened(rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.5))
        core, variety = rng.uniform(0.35, 0.8), rng.random()
        if variety < 0.4:
            return structures.core_shell(core, rng.uniform(2, 6), rng.uniform(0.4, 1), rng.uniform(0, 0.3))
        if variety < 0.75:
            return structures.core_shell(rng.uniform(0.6, 0.9), rng.uniform(0, 0.25), 1.5)
        return structures.core_shell(rng.uniform(0.3, 0.55), 2.5, 1.3, rng.uniform(0, 0.8), gap=rng.uniform(0.3, 0.8))
    if ask.structure == "Porous":
        texture = str(rng.choice(["pores", "holes", "radial"], p=[0.4, 0.3, 0.3]))
        return structures.porous(
            textures, texture, rng.uniform(0.04, 0.12) * diameter_px, rng.uniform(0.4, 0.85), canvas.scale_nm
        )
    if ask.is_tem and rng.random() < 0.7:
        if rng.random() < 0.3:
            return structures.mottled(textures, rng.uniform(0.03, 0.25) * diameter_px, rng.uniform(0.02, 0.12))
        return structures.crystalline(structures.smooth, rng.uniform(0.05, 0.35))
    return structures.smooth


def substrate(canvas: Canvas, feature_nm: float, draft: Draft) -> None:
    """Wafer, tape, membrane or a bed of debris under the particles of a scanning microscope."""
    rng, choice = draft.view, draft.specimen.random()
    canvas.emission *= rng.uniform(0.1, 1.0) * (1 + 0.03 * fields.fractal(canvas.shape, rng, 1.4))
    if choice < 0.45:
        return
    if choice < 0.75:
        canvas.height += feature_nm * rng.uniform(0.01, 0.08) * fields.fractal(canvas.shape, rng, 1.0, 60)
    elif choice < 0.9:
        canvas.height += feature_nm * rng.uniform(0.03, 0.25) * fields.fractal(canvas.shape, rng, 1.4)
    else:
        canvas.height += feature_nm * 0.06 * np.clip(fields.bumps(canvas.shape, rng, rng.uniform(4, 12)), 0, 1)


def _wires(draft: Draft, ask: Ask, width_nm: float, side_px: float) -> Canvas:
    """Wires or fibres that cross the picture or lie in it."""
    view = draft.view
    number = 1 if ask.count == "One" else int(view.integers(2, 11)) if ask.count == "Few (2-10)" else int(view.integers(11, 40))
    width_px = max(3.0, side_px * float(np.clip(view.lognormal(math.log(0.22 / number**0.75), 0.4), 0.008, 0.45)))
    canvas = draft.canvas(width_nm * side_px / width_px)
    if not ask.is_tem:
        substrate(canvas, width_nm, draft)
    relief = None
    if ask.structure == "Rough":
        relief = (0.14 * width_nm * fields.fractal(canvas.shape, view, 1.0, 0.5 * width_px)).astype(np.float32)
    elif ask.structure == "Porous":
        relief = (-0.3 * width_nm * np.clip(fields.smooth(canvas.shape, view, max(0.15 * width_px, 2)), 0, 1)).astype(np.float32)
    section: curves.Section = "tube" if ask.structure == "Core-shell-hollow" else "round"
    stiffness, spread, side = draft.specimen.lognormal(math.log(8), 0.8), draft.specimen.uniform(0.02, 0.25), canvas.side_nm
    main, emission, span = (
        view.uniform(0, math.pi),
        view.uniform(1.0, 2.4),
        side * float(np.clip(view.lognormal(math.log(1.0), 0.6), 0.35, 2.5)),
    )
    for i in range(number):
        middle = np.array([view.uniform(0.12, 0.88) * f for f in canvas.field_nm])
        angle = main + (view.normal(0, 0.15) if ask.arrangement == "Clusters" else view.uniform(-1.6, 1.6))
        width = width_nm * math.exp(spread * view.standard_normal())
        curve = curves.wander(middle, angle, max(span * view.uniform(0.7, 1.3), 4 * width), width, stiffness, view, steps=14)
        curves.lay(canvas, curve, base_nm=0.9 * width_nm * min(i, 3) / 2, section=section, emission=emission, relief=relief)
    if relief is not None:
        canvas.mass *= np.exp(2.2 * relief / width_nm)
    return canvas
