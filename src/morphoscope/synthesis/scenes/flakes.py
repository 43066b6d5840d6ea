"""Carbon flakes: thick rigid platelets, thin wavy sheets with a few folds, crumpled ones with many, disordered scraps."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Canvas

RIGID = "Thick flat rigid"
WAVY = "Thin flat or wavy with few kinks"
CRUMPLED = "Thin crumpled with many folds and kinks"
SCRAPS = "Disorganised Graphene"

LAYER_NM = 0.335


def flake(canvas: Canvas, centre: tuple[float, float], size_nm: float, form: str, rng: np.random.Generator) -> None:
    """Add one flake of a form; `size_nm` is about the equivalent diameter of its outline."""
    y, x = canvas.axes()
    y, x = y - np.float32(centre[0]), x - np.float32(centre[1])
    outline = _outline(canvas, y, x, size_nm, form, rng)
    inside = outline > 0
    if not inside.any():
        return
    soft = np.clip(outline / canvas.scale_nm + 0.5, 0, 1)
    canvas.mass += soft * _LAYERS[form](canvas, y, x, size_nm, rng)
    is_cut = any(bool(edge.any()) for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
    ecd_nm = None if is_cut else math.sqrt(4 * float(inside.sum()) / math.pi) * canvas.scale_nm
    number = canvas.new_object(form, ecd_nm, None, None)
    canvas.cover((slice(None), slice(None)), inside, canvas.height, 1.0, number)


def _outline(canvas: Canvas, y: np.ndarray, x: np.ndarray, size: float, form: str, rng: np.random.Generator) -> np.ndarray:
    """Depth in nm within an irregular polygon, its edge straight for a rigid flake and ragged for a soft one."""
    sides = int(rng.integers(5, 9))
    turns = (np.arange(sides) + rng.uniform(-0.3, 0.3, sides)) * 2 * math.pi / sides + rng.uniform(0, 6.3)
    reach = size * rng.uniform(0.34, 0.6, sides)
    depth = np.full(canvas.shape, np.inf, np.float32)
    for turn, distance in zip(turns, reach, strict=True):
        np.minimum(depth, distance - math.cos(turn) * x - math.sin(turn) * y, out=depth)
    ragged = {RIGID: 0.004, WAVY: 0.025, CRUMPLED: 0.05, SCRAPS: 0.09}[form]
    longest = 0.4 * size / canvas.scale_nm
    return depth + ragged * size * fields.fractal(canvas.shape, rng, 1.3, max(longest, 4))


def _rigid(canvas: Canvas, y: np.ndarray, x: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """Terraces of constant thickness, dozens of layers, sometimes with bend contours."""
    thickness = np.full(canvas.shape, LAYER_NM * rng.integers(25, 110), np.float32)
    for _ in range(int(rng.integers(0, 4))):
        turn, offset = rng.uniform(0, 6.3), rng.normal(0, 0.2) * size
        step = (math.cos(turn) * x + math.sin(turn) * y - offset) / canvas.scale_nm
        thickness *= 1 - rng.uniform(0.1, 0.35) * np.clip(step + 0.5, 0, 1)
    if rng.random() < 0.5:
        bend = fields.fractal(canvas.shape, rng, 1.9, 1.2 * size / canvas.scale_nm)
        thickness *= 1 + rng.uniform(0.1, 0.5) * np.cos(rng.uniform(3, 8) * bend) ** 8
    return thickness


def _wavy(canvas: Canvas, y: np.ndarray, x: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """A few layers, gently undulating, with some straight folds and an edge folded back."""
    layers = LAYER_NM * rng.integers(5, 26)
    wave = fields.fractal(canvas.shape, rng, 1.7, size / canvas.scale_nm)
    return layers * (1 + 0.12 * wave + _folds(canvas, y, x, size, int(rng.integers(1, 6)), rng))


def _crumpled(canvas: Canvas, y: np.ndarray, x: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """A few layers, folded over at every scale."""
    layers = LAYER_NM * rng.integers(5, 26)
    creased = np.zeros(canvas.shape, np.float32)
    for share in (0.5, 0.22, 0.1):
        ridge = fields.fractal(canvas.shape, rng, 1.6, max(share * size / canvas.scale_nm, 5))
        creased += np.exp(-np.abs(ridge) * rng.uniform(5, 14)) * rng.uniform(0.7, 1.8)
    thick = np.clip(fields.fractal(canvas.shape, rng, 1.3, 0.5 * size / canvas.scale_nm), -0.6, 2)
    return layers * (1 + 0.5 * thick + creased + _folds(canvas, y, x, size, int(rng.integers(5, 14)), rng))


def _scraps(canvas: Canvas, y: np.ndarray, x: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """Turbostratic fragments without any order."""
    layers = LAYER_NM * rng.integers(8, 40)
    clumps = fields.fractal(canvas.shape, rng, 1.0, max(0.25 * size / canvas.scale_nm, 4))
    return layers * np.clip(1 + 0.6 * clumps, 0.05, 4)


def _folds(canvas: Canvas, y: np.ndarray, x: np.ndarray, size: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Extra thickness along nearly straight lines, in units of the sheet: a fold adds two sheets, a kink rather less."""
    extra = np.zeros(canvas.shape, np.float32)
    waver = 0.02 * size * fields.fractal(canvas.shape, rng, 1.8, size / canvas.scale_nm)
    for _ in range(count):
        turn, offset, length = rng.uniform(0, 6.3), rng.normal(0, 0.2) * size, size * rng.uniform(0.15, 0.7)
        c, s = math.cos(turn), math.sin(turn)
        across, along = np.abs(c * x + s * y - offset + waver), c * y - s * x - rng.normal(0, 0.2) * size
        half = max(size * float(rng.lognormal(math.log(0.006), 0.8)), 0.6 * canvas.scale_nm)
        edge = np.clip((half - across) / canvas.scale_nm + 0.5, 0, 1)
        extra += rng.choice([2.0, 2.0, 0.8]) * edge * np.clip((length / 2 - np.abs(along)) / (0.1 * size), 0, 1)
    return extra


_LAYERS = {RIGID: _rigid, WAVY: _wavy, CRUMPLED: _crumpled, SCRAPS: _scraps}
