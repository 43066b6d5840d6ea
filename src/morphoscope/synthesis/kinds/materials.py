"""materials: particles whose pixels tell the family and no more; the spectrum and the diffraction pattern beside them tell the rest."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from morphoscope.synthesis import diffraction, exposures, tem, xray
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.finish import finish
from morphoscope.synthesis.instruments import Settings, tem_settings
from morphoscope.synthesis.materials import MATERIALS, METAL, SILICA, TITANIA, Material
from morphoscope.synthesis.picture import Draft, Kind, Rendered, RenderedPattern, RenderedSpectrum
from morphoscope.synthesis.scenes.particles import Ask, arrangement, populated

TASKS = {"Material": tuple(each.name for each in MATERIALS), "Family": (METAL, TITANIA, SILICA)}
SHAPES = {METAL: ("Sphere", "Cube-polyhedron"), TITANIA: ("Irregular", "Rod"), SILICA: ("Sphere",)}
DIAMETER_NM = {METAL: 25.0, TITANIA: 35.0, SILICA: 140.0}
OPACITY = {METAL: 2.0, TITANIA: 0.9, SILICA: 0.55}
"""Typical optical density of a particle. All materials of a family share shapes, sizes and densities: an operator sets the contrast."""
PATTERN_PX = 256


def draw(draft: Draft) -> Rendered:
    """A bright-field picture of a material's particles, with a spectrum and a pattern of the same place."""
    material = MATERIALS[draft.turn]
    specimen, view = draft.specimen, draft.view
    diameter_nm = float(specimen.lognormal(math.log(DIAMETER_NM[material.family]), 0.35))
    morphology = str(specimen.choice(SHAPES[material.family]))
    count = "Few (2-10)" if view.random() < 0.3 else "Many (>10)"
    ask = Ask(morphology, "Smooth", arrangement(view, count, morphology), count, is_tem=True, diameter_nm=diameter_nm)
    canvas = populated(draft, ask)
    settings = tem_settings(canvas.field_nm[1], specimen, view, dark_field=False)
    grey = _grey(draft, canvas, material, settings)
    picture = finish(draft, grey, canvas, settings, {"Material": material.name, "Family": material.family})
    return dataclasses.replace(
        picture, spectrum=_spectrum(draft, material, settings), pattern=_pattern(draft, material, settings)
    )


def _grey(draft: Draft, canvas: Canvas, material: Material, settings: Settings) -> np.ndarray:
    on_object = canvas.mass[canvas.mass > 0]
    thickness = float(np.percentile(on_object, 70)) if on_object.size else 1.0
    opacity = float(np.clip(draft.specimen.lognormal(math.log(OPACITY[material.family]), 0.35), 0.25, 4))
    beam = exposures.beam(draft, canvas, thickness, opacity, settings.hv_kv)
    return exposures.tem_grey(draft, tem.bright_field(canvas, beam, draft.view))


def _spectrum(draft: Draft, material: Material, settings: Settings) -> RenderedSpectrum:
    """Of the particles on a carbon film: the grid's metal scatters in, and every film has a little silicon and oxygen."""
    specimen, view, hard = draft.specimen, draft.view, draft.options.difficulty
    detector = xray.a_detector(specimen, settings.hv_kv)
    detector = dataclasses.replace(
        detector, offset_ev=detector.offset_ev + view.normal(0, 2), step_ev=detector.step_ev * (1 + view.normal(0, 3e-4))
    )
    grid = str(specimen.choice(["Cu", "Ni", "Mo"], p=[0.6, 0.25, 0.15]))
    film = {"C": view.uniform(0.3, 2.0), "O": view.uniform(0, 0.08), "Si": view.uniform(0, 0.03), grid: view.uniform(0.05, 0.5)}
    elements = dict(material.elements)
    for element, part in film.items():
        elements[element] = elements.get(element, 0.0) + part
    live_s = float(view.uniform(10, 120))
    total = float(view.lognormal(math.log(40_000 * 10 ** (1 - 2 * hard)), 0.7))
    counts = xray.counted(elements, detector, settings.hv_kv, total, view.uniform(0.12, 0.4), view)
    nominal = xray.Detector(
        detector.channels, round(detector.step_ev), round(detector.offset_ev, -1), detector.resolution_ev, 0.3, 0.0
    )
    return RenderedSpectrum(counts, nominal.step_ev, nominal.offset_ev, settings.hv_kv, live_s)


def _pattern(draft: Draft, material: Material, settings: Settings) -> RenderedPattern:
    specimen, view, hard = draft.specimen, draft.view, draft.options.difficulty
    per_nm = float(specimen.choice([0.075, 0.085, 0.1]))
    crystals = int(view.choice([view.integers(1, 3), view.integers(10, 60), view.integers(120, 400)], p=[0.25, 0.4, 0.35]))
    camera = diffraction.Camera(
        PATTERN_PX,
        per_nm * (1 + view.normal(0, 0.004)),
        centre=(PATTERN_PX / 2 + view.normal(0, 8), PATTERN_PX / 2 + view.normal(0, 8)),
        spot_px=view.uniform(1.2, 3.0),
        halo=view.uniform(0.02, 0.2),
        dose=float(view.lognormal(math.log(120 * 10 ** (1 - 2 * hard)), 0.6)),
        stop=view.uniform(0, 2 * math.pi) if view.random() < 0.5 else None,
        stretch=abs(view.normal(0, 0.004)),
        stretch_angle=view.uniform(0, math.pi),
        wavelength_nm=tem.wavelength_pm(settings.hv_kv) * 1e-3,
    )
    thickness_nm = float(np.clip(DIAMETER_NM[material.family] / 2, 6, 20))
    electrons = diffraction.pattern(material, camera, crystals, thickness_nm, view)
    gain, dark = view.uniform(2, 12), view.uniform(20, 200)
    stored = np.clip(gain * electrons + dark + view.normal(0, 3, electrons.shape), 0, 65535)
    return RenderedPattern(stored.astype(np.uint16), per_nm, camera.centre)


MATERIALS_KIND = Kind(TASKS, turns=len(MATERIALS), draw=draw, channels=("spectrum_file", "diffraction_file"))
