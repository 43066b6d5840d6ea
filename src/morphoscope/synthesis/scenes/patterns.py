"""Patterned surfaces: gratings, holes and pillars in fields, straight from lithography."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.picture import Draft


def patterns(draft: Draft) -> Canvas:
    """One periodic motif, over the whole picture or in several fields with bare surface between."""
    specimen, view = draft.specimen, draft.view
    pitch_nm = float(specimen.lognormal(math.log(900), 0.9))
    duty, depth = specimen.uniform(0.3, 0.65), specimen.uniform(0.1, 0.9)
    motif = [_lines, _dots, _squares, _rings][int(specimen.choice(4, p=[0.35, 0.4, 0.15, 0.1]))]
    raised, hexagonal, roughness = specimen.random() < 0.6, specimen.random() < 0.4, specimen.uniform(0, 0.02)
    contrast = specimen.choice([1.0, 1.5, 0.6], p=[0.5, 0.3, 0.2])
    in_fields = specimen.random() < 0.35
    canvas = draft.canvas(pitch_nm * float(view.lognormal(math.log(20 if in_fields else 13), 0.5)))
    v, u = _axes(canvas, view)
    waver = roughness * pitch_nm * fields.smooth(canvas.shape, view, 8)
    mask = _softened(motif(v / pitch_nm, u / pitch_nm, duty, hexagonal), waver / pitch_nm, canvas.scale_nm / pitch_nm)
    if in_fields:
        mask = mask * _fields(canvas, v, u, pitch_nm, view)
    relief = mask if raised else 1 - mask
    canvas.height += depth * pitch_nm * relief + 0.01 * pitch_nm * fields.fractal(canvas.shape, view, 0.8, 30)
    canvas.emission *= (0.75 + (0.75 * contrast - 0.75) * mask) * (1 + 0.02 * fields.fractal(canvas.shape, view, 1.3))
    _defects(canvas, pitch_nm, view)
    return canvas


def _axes(canvas: Canvas, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along the pattern, seen straight down or foreshortened by a tilted stage."""
    y, x = canvas.axes()
    angle = rng.normal(0, 0.03) if rng.random() < 0.55 else rng.uniform(0, math.pi)
    y = y / (1.0 if rng.random() < 0.7 else rng.uniform(0.5, 0.85))
    y, x = y + rng.uniform(0, 10) * canvas.side_nm, x + rng.uniform(0, 10) * canvas.side_nm
    return y * math.cos(angle) - x * math.sin(angle), y * math.sin(angle) + x * math.cos(angle)


def _wrapped(t: np.ndarray) -> np.ndarray:
    return np.mod(t, 1) - 0.5


def _lines(v: np.ndarray, u: np.ndarray, duty: float, hexagonal: bool) -> np.ndarray:
    return duty / 2 - np.abs(_wrapped(v + 0 * u))


def _cell(v: np.ndarray, u: np.ndarray, hexagonal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates within the unit cell of the lattice, pitch 1."""
    if not hexagonal:
        return _wrapped(v), _wrapped(u)
    rise = math.sqrt(3)
    first = np.mod(v, rise) - rise / 2, _wrapped(u)
    second = np.mod(v + rise / 2, rise) - rise / 2, _wrapped(u + 0.5)
    nearer = first[0] ** 2 + first[1] ** 2 < second[0] ** 2 + second[1] ** 2
    return np.where(nearer, first[0], second[0]), np.where(nearer, first[1], second[1])


def _dots(v: np.ndarray, u: np.ndarray, duty: float, hexagonal: bool) -> np.ndarray:
    return 0.62 * duty - np.hypot(*_cell(v, u, hexagonal))


def _squares(v: np.ndarray, u: np.ndarray, duty: float, hexagonal: bool) -> np.ndarray:
    a, b = _cell(v, u, False)
    return 0.55 * duty - np.maximum(np.abs(a), np.abs(b))


def _rings(v: np.ndarray, u: np.ndarray, duty: float, hexagonal: bool) -> np.ndarray:
    return 0.09 - np.abs(np.hypot(*_cell(v, u, hexagonal)) - 0.3)


def _softened(inside: np.ndarray, waver: np.ndarray, pixel: float) -> np.ndarray:
    """A signed depth in pitches as a mask 0..1 with an edge 1.5 pixels soft."""
    return np.clip((inside + waver) / (1.5 * pixel) + 0.5, 0, 1).astype(np.float32)


def _fields(canvas: Canvas, v: np.ndarray, u: np.ndarray, pitch: float, rng: np.random.Generator) -> np.ndarray:
    """Which parts are written: square fields of whole pitches, one or the other left out."""
    width = pitch * int(rng.integers(6, 12))
    row, column = np.floor(v / (1.35 * width)).astype(int), np.floor(u / (1.35 * width)).astype(int)
    written = rng.random((16, 16)) < 0.8
    within = (np.mod(v, 1.35 * width) < width) & (np.mod(u, 1.35 * width) < width)
    return (within & written[row % 16, column % 16]).astype(np.float32)


def _defects(canvas: Canvas, pitch: float, rng: np.random.Generator) -> None:
    """Specks of residue."""
    y, x = canvas.axes()
    for _ in range(int(rng.integers(0, 8))):
        cy, cx = rng.uniform(0, canvas.field_nm[0]), rng.uniform(0, canvas.field_nm[1])
        size = pitch * rng.uniform(0.1, 0.5)
        blob = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / size**2)
        canvas.height += 0.6 * size * blob
        canvas.emission *= 1 + 0.5 * blob
