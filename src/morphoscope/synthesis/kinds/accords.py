"""accords: carbon flakes under six tasks, some cells NA, with the magnification in the file's name."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from morphoscope.synthesis import exposures, fields, solids, structures, tem
from morphoscope.synthesis.canvas import Canvas, TrueObject
from morphoscope.synthesis.finish import finish
from morphoscope.synthesis.instruments import Settings, tem_settings
from morphoscope.synthesis.picture import Draft, Kind, Rendered
from morphoscope.synthesis.scenes import flakes

TASKS = {
    "Image Type": ("BF", "DP", "Combination", "Other"),
    "Nanostructures": ("No", "One", "Few (<10)", "Many (>10)", "NA"),
    "Morphology": (flakes.RIGID, flakes.WAVY, flakes.CRUMPLED, "Combination", "Other", flakes.SCRAPS, "NA"),
    "Num_particles": ("None", "One", "Part of one or more", "Few (2...10)", "Many (>10)", "NA"),
    "Num_materials": ("One", "More than one", "Obvious impurities or contamination", "NA"),
    "Usability": ("Yes", "No"),
}
FORMS = (flakes.RIGID, flakes.WAVY, flakes.CRUMPLED, "Combination", flakes.SCRAPS)
MAGNIFICATIONS = (8000, 12000, 20000, 30000, 50000, 80000, 120000, 200000, 400000, 800000, 1200000)
MATERIALS = ("GO", "RGO", "GNP", "FLG")


def draw(draft: Draft) -> Rendered:
    """A bright-field picture of flakes, or now and then a diffraction pattern, one beside the other, or something else."""
    view = draft.view
    image_type = str(view.choice(TASKS["Image Type"], p=[0.82, 0.07, 0.06, 0.05]))
    form = FORMS[draft.turn]
    flake_nm = float(draft.specimen.lognormal(math.log(700), 0.7))
    seen = float(view.lognormal(math.log(1.8), 0.7)) if image_type != "Other" else 60.0
    canvas, settings = _magnified(draft, flake_nm * seen)
    contaminated, is_usable = bool(view.random() < 0.2), bool(view.random() > 0.15)
    if image_type in ("BF", "Combination"):
        _flakes(canvas, form, flake_nm, view)
        _nanoparticles(canvas, flake_nm, draft)
    grey = _grey(draft, canvas, settings, image_type, contaminated, is_usable)
    inset = _inset(grey, view) if image_type == "Combination" else None
    labels: dict[str, str] = {}
    is_pattern = image_type == "DP"
    picture = finish(draft, grey, canvas, settings, labels, stem=_stem(draft, settings), has_scale=not is_pattern, hidden=inset)
    labels |= _labels(image_type, picture.objects, contaminated, is_usable)
    return picture


def _magnified(draft: Draft, side_nm: float) -> tuple[Canvas, Settings]:
    """A canvas at the microscope's magnification step nearest to a wanted field."""
    settings = tem_settings(side_nm, draft.specimen, draft.view, dark_field=False)
    step = min(MAGNIFICATIONS, key=lambda m: abs(math.log(m / settings.magnification)))
    width_nm = settings.instrument.display_mm * 1e6 / step
    canvas = draft.canvas(width_nm * math.sqrt(draft.options.size[0] / draft.options.size[1] * draft.options.pixel_aspect))
    return canvas, dataclasses.replace(settings, magnification=float(step))


def _flakes(canvas: Canvas, form: str, flake_nm: float, rng: np.random.Generator) -> None:
    small = 0.25 if form == flakes.SCRAPS else 1.0
    count = int(np.clip(rng.lognormal(math.log(2.0), 0.9) / small, 1, 26)) if rng.random() < 0.93 else 0
    forms = [flakes.RIGID, flakes.WAVY, flakes.CRUMPLED] if form == "Combination" else [form]
    if form == "Combination":
        count = max(count, 2)
    for i in range(count):
        centre = tuple(float(rng.uniform(0.08, 0.92) * f) for f in canvas.field_nm)
        size = flake_nm * small * math.exp(0.3 * rng.standard_normal()) / (1 + 0.04 * count)
        flakes.flake(canvas, (centre[0], centre[1]), size, forms[i % len(forms)], rng)


def _nanoparticles(canvas: Canvas, flake_nm: float, draft: Draft) -> None:
    """Heavier particles on some specimens: a second material."""
    if draft.specimen.random() < 0.5:
        return
    view = draft.view
    size_nm = max(flake_nm * 0.03, 7 * canvas.scale_nm)
    make = solids.sphere if draft.specimen.random() < 0.6 else solids.crushed(10, 0.02)
    for _ in range(int(view.integers(*[(1, 2), (2, 10), (11, 60)][view.integers(3)]))):
        solid, size = make(view), size_nm * math.exp(0.25 * view.standard_normal())
        patch = canvas.patch((view.uniform(0, canvas.field_nm[0]), view.uniform(0, canvas.field_nm[1])), solid.reach * size)
        body = structures.smooth(patch, solid, size, view)
        body.mass = body.mass * (14.0 / size_nm)
        canvas.place(patch, body)


def _grey(draft: Draft, canvas: Canvas, settings: Settings, image_type: str, contaminated: bool, is_usable: bool) -> np.ndarray:
    view = draft.view
    if image_type == "DP":
        return _diffraction(canvas.size, view)
    if image_type == "Other":
        canvas.mass += _grid(canvas, view)
    beam = exposures.beam(draft, canvas, 20.0, float(draft.specimen.lognormal(math.log(0.8), 0.35)), settings.hv_kv)
    if contaminated:
        longest = min(canvas.size) * view.uniform(0.1, 0.7)
        blots = np.clip(fields.fractal(canvas.shape, view, view.uniform(1.1, 1.7), longest) - view.uniform(0.6, 1.6), 0, 1.5)
        canvas.mass += view.uniform(4, 22) * blots
    if not is_usable:
        beam = dataclasses.replace(beam, blur_px=beam.blur_px + view.uniform(2, 6), dose_e=beam.dose_e * view.uniform(0.03, 0.3))
    grey = exposures.tem_grey(draft, tem.bright_field(canvas, beam, view))
    return grey if is_usable or view.random() < 0.6 else np.clip(grey * view.uniform(0.1, 0.3), 0, 1).astype(np.float32)


def _inset(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put a diffraction pattern over the upper right corner of a picture (Y, X), in place, and say where it is."""
    side = int(min(grey.shape) * rng.uniform(0.3, 0.42))
    hidden = np.zeros(grey.shape, bool)
    hidden[:side, grey.shape[1] - side :] = True
    grey[hidden] = _diffraction((side, side), rng).ravel()
    return hidden


def _diffraction(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Selected-area pattern of graphite: hexagonal spots of one or more sheets, or rings, behind a beam stop."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    cy, cx = size[0] * rng.uniform(0.42, 0.58), size[1] * rng.uniform(0.42, 0.58)
    radius = np.hypot(y - cy, x - cx) / min(size)
    first = rng.uniform(0.14, 0.24)
    pattern = 0.5 * np.exp(-radius / 0.06) + 1.5 * np.exp(-((radius / 0.02) ** 2))
    rings = rng.random() < 0.4
    for order, strength in ((1.0, 1.0), (math.sqrt(3), 0.8), (2.0, 0.4)):
        if rings:
            pattern += 0.35 * strength * np.exp(-(((radius - order * first) / 0.006) ** 2))
    sheets = int(rng.integers(1, 5)) * (not rings)
    for sheet in range(sheets):
        turn = rng.uniform(0, math.pi / 3)
        for order, phase, strength in ((1.0, 0.0, 1.0), (math.sqrt(3), math.pi / 6, 0.7)):
            for k in range(6):
                angle = turn + phase + k * math.pi / 3
                sy, sx = cy + order * first * min(size) * math.sin(angle), cx + order * first * min(size) * math.cos(angle)
                pattern += strength / (1 + sheet) * np.exp(-((y - sy) ** 2 + (x - sx) ** 2) / (0.008 * min(size)) ** 2)
    stop = np.clip((np.hypot(y - cy, np.minimum(x - cx, 0)) / min(size) - 0.025) * 60, 0.04, 1)
    noisy = pattern * stop + 0.02 * rng.standard_normal(size)
    return np.clip(noisy * rng.uniform(0.6, 1.1), 0, 1).astype(np.float32)


def _grid(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """The copper mesh of the grid at the lowest magnification."""
    y, x = canvas.axes()
    angle, pitch = rng.uniform(0, math.pi), canvas.side_nm * rng.uniform(0.2, 0.6)
    v, u = y * math.cos(angle) - x * math.sin(angle), y * math.sin(angle) + x * math.cos(angle)
    bars = np.minimum(np.mod(v, pitch), np.mod(u, pitch)) < 0.28 * pitch
    return 150.0 * fields.blurred(bars.astype(np.float32), 0.8)


def _labels(image_type: str, objects: tuple[TrueObject, ...], contaminated: bool, is_usable: bool) -> dict[str, str]:
    labels = dict.fromkeys(TASKS, "NA") | {"Image Type": image_type, "Usability": "Yes" if is_usable else "No"}
    if image_type in ("DP", "Other"):
        return labels
    seen = [o for o in objects if o.kind in FORMS]
    dots, forms = len(objects) - len(seen), {o.kind for o in seen}
    labels["Nanostructures"] = "No" if dots == 0 else _counted(dots, "Few (<10)")
    labels["Morphology"] = "NA" if not seen else seen[0].kind if len(forms) == 1 else "Combination"
    labels["Num_particles"] = "None" if not seen else _counted(len(seen), "Few (2...10)")
    if seen and all(o.touches_border for o in seen):
        labels["Num_particles"] = "Part of one or more"
    if contaminated:
        labels["Num_materials"] = "Obvious impurities or contamination"
    elif dots or seen:
        labels["Num_materials"] = "More than one" if dots and seen else "One"
    return labels


def _counted(number: int, few: str) -> str:
    return "One" if number == 1 else few if number <= 10 else "Many (>10)"


def _stem(draft: Draft, settings: Settings) -> str:
    """As the instrument's software names the file, with the magnification within."""
    sample = int(draft.sample.rpartition("-")[2])
    material = MATERIALS[sample % len(MATERIALS)]
    return f"AC_UT_{material}_{sample + 1:02d}_{draft.index % 5 + 1:02d}_{settings.magnification:.0f}X_{draft.index:04d}"


ACCORDS = Kind(TASKS, turns=len(FORMS), draw=draw)
