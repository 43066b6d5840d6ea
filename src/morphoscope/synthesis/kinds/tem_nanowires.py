"""tem-nanowires: the four arrangements of Lu et al., Digital Discovery 2022, 1, 816, in weakly scattering wires."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.measure.percolation import percolates
from morphoscope.synthesis import curves, exposures, tem
from morphoscope.synthesis.canvas import MARGIN_PX, Canvas
from morphoscope.synthesis.curves import Curve
from morphoscope.synthesis.finish import finish
from morphoscope.synthesis.instruments import tem_settings
from morphoscope.synthesis.picture import Draft, Kind, Rendered

CLASSES = ("bundle", "dispersed", "network", "singular")


def draw(draft: Draft) -> Rendered:
    """Wires of one specimen, arranged as the class says: a network spans the picture, dispersed wires do not touch."""
    specimen, view = draft.specimen, draft.view
    name = CLASSES[draft.turn]
    width_nm = float(specimen.lognormal(math.log(16), 0.45))
    stiffness, opacity = float(specimen.lognormal(math.log(3), 0.8)), float(specimen.lognormal(math.log(0.55), 0.5))
    canvas = draft.canvas(width_nm * float(np.clip(view.lognormal(math.log(62), 0.45), 22, 170)))
    _LAYERS[name](canvas, width_nm, stiffness, view)
    settings = tem_settings(canvas.field_nm[1], specimen, view, dark_field=False)
    beam = exposures.beam(draft, canvas, width_nm, opacity, settings.hv_kv)
    grey = exposures.tem_grey(draft, tem.bright_field(canvas, beam, view))
    return finish(draft, grey, canvas, settings, {"class": name})


def _wire(canvas: Canvas, width_nm: float, stiffness: float, length_nm: float, rng: np.random.Generator) -> Curve:
    middle = np.array([rng.uniform(0.02, 0.98) * f for f in canvas.field_nm])
    width = width_nm * math.exp(0.15 * rng.standard_normal())
    return curves.wander(middle, rng.uniform(0, 2 * math.pi), length_nm, width, stiffness, rng, steps=18)


def _lay(canvas: Canvas, curve: Curve, rng: np.random.Generator) -> None:
    curves.lay(canvas, curve, base_nm=rng.uniform(0, 2) * curve.width_nm.mean(), density=rng.uniform(0.75, 1.25))


def _singular(canvas: Canvas, width_nm: float, stiffness: float, rng: np.random.Generator) -> None:
    """One wire through the middle."""
    middle = np.array([rng.uniform(0.3, 0.7) * f for f in canvas.field_nm])
    length = canvas.side_nm * (rng.uniform(0.4, 0.9) if rng.random() < 0.5 else rng.uniform(1.0, 2.0))
    _lay(canvas, curves.wander(middle, rng.uniform(0, 2 * math.pi), length, width_nm, 1.5 * stiffness, rng, steps=24), rng)


def _dispersed(canvas: Canvas, width_nm: float, stiffness: float, rng: np.random.Generator) -> None:
    """Separate wires: one that would come near another is not laid."""
    wanted, length = int(rng.integers(4, 26)), canvas.side_nm * rng.uniform(0.18, 0.5)
    for _ in range(6 * wanted):
        if len(canvas.instances()[1]) >= wanted:
            break
        curve = _wire(canvas, width_nm, stiffness, length * rng.uniform(0.6, 1.4), rng)
        if not _near_another(canvas, curve):
            _lay(canvas, curve, rng)


def _near_another(canvas: Canvas, curve: Curve) -> bool:
    """Whether any wire lies within about a width of the curve."""
    t = np.linspace(0, len(curve.points) - 1, 60)
    points = np.stack([np.interp(t, np.arange(len(curve.points)), curve.points[:, k]) for k in (0, 1)], 1)
    reach = 1.6 * float(curve.width_nm.mean())
    around = reach * np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    rows, columns = ((points[:, None] + around).reshape(-1, 2) / canvas.pixel_nm + MARGIN_PX).astype(int).T
    inside = (rows >= 0) & (rows < canvas.shape[0]) & (columns >= 0) & (columns < canvas.shape[1])
    return bool(canvas.owner[rows[inside], columns[inside]].any())


def _bundle(canvas: Canvas, width_nm: float, stiffness: float, rng: np.random.Generator) -> None:
    """One to three strands of wires side by side, fraying at their ends."""
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))):
        middle = np.array([rng.uniform(0.28, 0.72) * f for f in canvas.field_nm])
        length = canvas.side_nm * rng.uniform(0.6, 1.8)
        spine = curves.wander(middle, rng.uniform(0, 2 * math.pi), length, width_nm, 2 * stiffness, rng, steps=20)
        along = np.gradient(spine.points, axis=0)
        across = np.stack([along[:, 1], -along[:, 0]], 1) / np.hypot(*along.T)[:, None]
        number, apart = int(rng.integers(5, 19)), rng.uniform(0.55, 0.95)
        t = np.linspace(-1, 1, len(spine.points))
        for i in range(number):
            first, last = sorted(rng.integers(0, len(t), 2)) if rng.random() < 0.4 else (0, len(t) - 1)
            if last - first < 6:
                first, last = 0, len(t) - 1
            drift = rng.normal(0, 0.5) * t + rng.normal(0, 1.2) * np.abs(t) ** 4 + 0.35 * np.sin(3 * t + rng.uniform(0, 6))
            offset = ((i - (number - 1) / 2) * apart + drift) * width_nm
            points = spine.points + across * offset[:, None]
            _lay(canvas, Curve(points[first : last + 1], spine.width_nm[first : last + 1] * rng.uniform(0.85, 1.15)), rng)


def _network(canvas: Canvas, width_nm: float, stiffness: float, rng: np.random.Generator) -> None:
    """Crossing wires, as many as it takes until they span the picture, and some more."""
    length = canvas.side_nm * rng.uniform(0.5, 1.3)
    surplus = int(rng.integers(2, 16))
    for i in range(160):
        _lay(canvas, _wire(canvas, width_nm, stiffness, length * rng.uniform(0.6, 1.4), rng), rng)
        if i >= 9 and (i % 3 == 0 or surplus < 3) and percolates(canvas.crop(canvas.owner) > 0):
            surplus -= 3
            if surplus <= 0:
                return


_LAYERS = {"bundle": _bundle, "dispersed": _dispersed, "network": _network, "singular": _singular}

TEM_NANOWIRES = Kind({"class": CLASSES}, turns=len(CLASSES), draw=draw)
