"""tem-particles, sem-particles and particles: pictures of particles as papers show them, with five tasks to learn."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import exposures, tem
from morphoscope.synthesis.arrangements import ARRANGEMENTS
from morphoscope.synthesis.canvas import Canvas, TrueObject
from morphoscope.synthesis.finish import finish
from morphoscope.synthesis.instruments import Settings, sem_settings, tem_settings
from morphoscope.synthesis.picture import Draft, Kind, Rendered
from morphoscope.synthesis.scenes.particles import COUNTS, MORPHOLOGIES, STRUCTURES, Ask, arrangement, populated
from morphoscope.synthesis.sem import secondary_electrons

TASKS = {
    "Modality": ("TEM", "SEM", "STEM-DF"),
    "Particle count": COUNTS,
    "Morphology": MORPHOLOGIES,
    "Structure": STRUCTURES,
    "Arrangement": ARRANGEMENTS,
}

TELLS_SHAPE_PX, TELLS_STRUCTURE_PX = 6.0, 12.0
"""Median diameters below which nobody could tell the shape or the structure of the particles."""


def tem_particles(draft: Draft) -> Rendered:
    """Bright field, every sixth specimen in an annular dark field."""
    return _draw(draft, "STEM-DF" if draft.specimen.random() < 1 / 6 else "TEM")


def sem_particles(draft: Draft) -> Rendered:
    """Secondary electrons."""
    return _draw(draft, "SEM")


def mixed_particles(draft: Draft) -> Rendered:
    """A specimen is seen by one microscope; which is a task of its own."""
    return _draw(draft, str(draft.specimen.choice(TASKS["Modality"], p=[0.42, 0.42, 0.16])))


def _draw(draft: Draft, modality: str) -> Rendered:
    morphology = MORPHOLOGIES[draft.turn]
    structure = str(draft.specimen.choice(STRUCTURES, p=[0.4, 0.25, 0.2, 0.15]))
    if modality == "SEM" and morphology == "Wire-fibre" and structure == "Core-shell-hollow":
        structure = "Smooth"  # a tube shows its hollow in transmission only
    count = str(draft.view.choice(COUNTS))
    ask = Ask(morphology, structure, arrangement(draft.view, count, morphology), count, is_tem=modality != "SEM")
    canvas = populated(draft, ask)
    grey, settings = _exposed(draft, canvas, ask, modality)
    labels = dict.fromkeys(TASKS, "") | {"Modality": modality}
    picture = finish(draft, grey, canvas, settings, labels, is_figure=bool(draft.view.random() < 0.75))
    labels |= _seen(ask, picture.objects)
    return picture


def _seen(ask: Ask, objects: tuple[TrueObject, ...]) -> dict[str, str]:
    """What an expert could tell of the visible particles; blank where they are too small to show it."""
    if not objects:
        return {}
    across_px = float(np.median([2 * math.sqrt(o.visible_px / math.pi) for o in objects]))
    return {
        "Particle count": count_class(len(objects)),
        "Morphology": ask.morphology if across_px >= TELLS_SHAPE_PX else "",
        "Structure": ask.structure if across_px >= TELLS_STRUCTURE_PX else "",
        "Arrangement": "Isolated" if len(objects) == 1 else ask.arrangement,
    }


def count_class(visible: int) -> str:
    """The class of a number of visible particles; blank where there is none."""
    return "" if visible == 0 else COUNTS[0] if visible == 1 else COUNTS[1] if visible <= 10 else COUNTS[2]


def _exposed(draft: Draft, canvas: Canvas, ask: Ask, modality: str) -> tuple[np.ndarray, Settings]:
    if modality == "SEM":
        settings = sem_settings(canvas.field_nm[1], draft.specimen, draft.view)
        return exposures.sem_tone(draft).apply(secondary_electrons(canvas, exposures.scan(draft), draft.view)), settings
    settings = tem_settings(canvas.field_nm[1], draft.specimen, draft.view, dark_field=modality == "STEM-DF")
    on_object = canvas.mass[canvas.mass > 0]
    thickness = float(np.percentile(on_object, 70)) if on_object.size else 1.0
    opacity = float(
        np.clip(draft.specimen.lognormal(math.log(1.7), 0.8), 0.2, 8 if ask.structure in ("Smooth", "Rough") else 2.2)
    )
    beam = exposures.beam(draft, canvas, thickness, opacity, settings.hv_kv)
    if modality == "STEM-DF":
        return exposures.sem_tone(draft).apply(tem.dark_field(canvas, beam, draft.view)), settings
    return exposures.tem_grey(draft, tem.bright_field(canvas, beam, draft.view)), settings


TEM_PARTICLES = Kind(TASKS, turns=len(MORPHOLOGIES), draw=tem_particles)
SEM_PARTICLES = Kind(TASKS, turns=len(MORPHOLOGIES), draw=sem_particles)
PARTICLES = Kind(TASKS, turns=len(MORPHOLOGIES), draw=mixed_particles)
