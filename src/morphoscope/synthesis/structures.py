"""What a particle is made of: smooth, rough, core-shell or hollow, porous. A build turns a solid into a body on its patch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Body, Patch
from morphoscope.synthesis.solids import Solid

Build = Callable[[Patch, Solid, float, np.random.Generator], Body]
"""(patch, solid, diameter_nm, rng) to a body; its mass is in nm of the reference material."""


@dataclass
class Textures:
    """Surface textures of one picture, as large as its canvas, drawn once and cut anew for every particle."""

    shape: tuple[int, int]
    rng: np.random.Generator
    _drawn: dict[tuple[str, float], np.ndarray]

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        self.shape, self.rng, self._drawn = shape, rng, {}

    def cut(self, name: str, length_px: float, shape: tuple[int, int]) -> np.ndarray:
        """A window of a texture: `bumps` (0..1), `pores` (0..1, 1 in a pore), `smooth`, `fractal` (unit spread)."""
        key = name, round(length_px, 2)
        if key not in self._drawn:
            self._drawn[key] = self._draw(name, max(length_px, 1.5))
        return fields.cut(self._drawn[key], shape, self.rng)

    def _draw(self, name: str, length_px: float) -> np.ndarray:
        if name == "bumps":
            return fields.bumps(self.shape, self.rng, max(length_px, 3.0))
        if name == "fractal":
            return fields.fractal(self.shape, self.rng, 1.3, length_px)
        if name == "holes":
            return np.sqrt(np.clip(1.7 * fields.bumps(self.shape, self.rng, max(length_px, 3.0)) - 0.7, 0, 1))
        field = fields.smooth(self.shape, self.rng, length_px)
        if name == "pores":
            return np.sqrt(np.clip((field - 0.25) / 1.6, 0, 1))
        if name == "wrinkles":
            return np.exp(-np.abs(field) * 3).astype(np.float32)
        return field


def _area(solid: Solid, diameter: float) -> float | None:
    return math.pi / 4 * diameter**2 if solid.is_round else None


def smooth(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
    """Homogeneous, smooth."""
    top, bottom = solid.surfaces(patch.y, patch.x, diameter)
    return Body(top, bottom, np.maximum(top - bottom, 0), area_nm2=_area(solid, diameter))


def rough(textures: Textures, texture: str, length_px: float, depth: float) -> Build:
    """A surface that waves outwards by `depth` diameters with features `length_px` long."""

    def build(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        field = textures.cut(texture, length_px, patch.shape)
        swell = 1 + depth * (field if texture in ("smooth", "fractal") else 2 * field - 1)
        top, bottom = solid.surfaces(patch.y / swell, patch.x / swell, diameter)
        inside = top > bottom
        top = np.where(inside, top + depth * diameter * (swell - 1) / depth * 0.5, top)
        return Body(
            np.where(inside, np.maximum(top, bottom + 1e-3), top), bottom, np.where(inside, (top - bottom) * swell**2, 0).clip(0)
        )

    return build


def decorated(count: int, size: float, density: float, sem_emission: float) -> Build:
    """Smooth, with `count` small beads `size` diameters across on the surface."""

    def build(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        body = smooth(patch, solid, diameter, rng)
        inside = np.argwhere(body.inside)
        if not len(inside):
            return body
        emission = np.ones(patch.shape, np.float32)
        at = inside[rng.integers(len(inside), size=count)]
        for row, column, bead, below in zip(
            *at.T, size * diameter * np.exp(rng.normal(0, 0.25, count)), rng.random(count) < 0.5, strict=True
        ):
            half = int(bead / 2 / abs(float(patch.x[0, 1] - patch.x[0, 0]))) + 2
            rows, columns = slice(max(row - half, 0), row + half + 1), slice(max(column - half, 0), column + half + 1)
            squared = (bead / 2) ** 2 - (patch.y[rows] - patch.y[row]) ** 2 - (patch.x[:, columns] - patch.x[0, column]) ** 2
            cap = np.sqrt(np.maximum(squared, 0))
            body.mass[rows, columns] += 2 * density * cap
            if not below:
                crest = np.where(squared > 0, body.top[row, column] + cap, -1e9)
                emission[rows, columns][crest > body.top[rows, columns]] = sem_emission
                body.top[rows, columns] = np.maximum(body.top[rows, columns], crest)
        body.emission = emission
        body.area_nm2 = None
        return body

    return build


def core_shell(core: float, core_density: float, shell_density: float, off_centre: float = 0.0, gap: float = 0.0) -> Build:
    """A core `core` diameters across in a shell; density 0 makes it hollow, `gap` leaves a void about a yolk."""

    def build(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        top, bottom = solid.surfaces(patch.y, patch.x, diameter)
        mass = shell_density * np.maximum(top - bottom, 0)
        size = core * diameter * math.exp(rng.normal(0, 0.06))
        if gap > 0:
            void = solid.surfaces(patch.y, patch.x, min(size * (1 + gap), 0.94 * diameter))
            mass = mass - shell_density * np.maximum(void[0] - void[1], 0)
        angle, away = (
            rng.uniform(0, 2 * math.pi),
            off_centre * size * gap / 2 if gap > 0 else off_centre * diameter * (1 - core) / 2,
        )
        y, x = patch.y - away * math.sin(angle), patch.x - away * math.cos(angle)
        inner = solid.surfaces(y, x, size)
        mass = mass + (core_density - (0 if gap > 0 else shell_density)) * np.maximum(inner[0] - inner[1], 0)
        return Body(top, bottom, np.maximum(mass, 0), area_nm2=_area(solid, diameter))

    return build


def opened(mouth: float, depth: float) -> Build:
    """Hollow as a scanning microscope shows it: a dimple, or a hole through which one looks inside."""

    def build(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        body = core_shell(0.8, 0.0, 1.0)(patch, solid, diameter, rng)
        angle, away = rng.uniform(0, 2 * math.pi), diameter * rng.uniform(0, 0.25)
        radius = mouth * diameter / 2 * math.exp(rng.normal(0, 0.15))
        y, x = (patch.y - away * math.sin(angle)) / radius, (patch.x - away * math.cos(angle)) / radius
        edge = (
            1 + 0.1 * np.sin(3 * np.arctan2(y, x) + rng.uniform(0, 6)) + 0.06 * np.sin(7 * np.arctan2(y, x) + rng.uniform(0, 6))
        )
        bowl = np.clip(1 - (y**2 + x**2) / edge**2, 0, 1)
        sunk = body.top - depth * diameter * np.sqrt(bowl)
        body.top = np.where(body.inside, np.maximum(sunk, body.bottom + 1e-3 * diameter), body.top)
        body.emission = np.where(bowl > 0, 0.55, 1.0).astype(np.float32)
        return body

    return build


def porous(textures: Textures, texture: str, length_px: float, depth: float, pixel_nm: float) -> Build:
    """Pores `length_px` wide that take `depth` of the thickness. texture: `pores`, `holes`, or `radial` channels."""

    def build(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        body = smooth(patch, solid, diameter, rng)
        inside = body.inside
        pores = _radial(textures, patch, length_px) if texture == "radial" else textures.cut(texture, length_px, patch.shape)
        lowered = body.top - 1.2 * length_px * pixel_nm * pores
        body.mass = body.mass * (1 - depth * pores)
        body.top = np.where(inside, np.maximum(lowered, body.bottom + 1e-3 * diameter), body.top)
        body.emission = (1 - 0.35 * pores).astype(np.float32)
        return body

    return build


def _radial(textures: Textures, patch: Patch, length_px: float) -> np.ndarray:
    """Channels from the middle outwards: a texture wrapped round it, stretched along the radius."""
    wound = textures.cut("smooth", 4.0, textures.shape)
    pixel = abs(float(patch.x[0, 1] - patch.x[0, 0]))
    radius = np.hypot(patch.y, patch.x) / pixel
    around = np.arctan2(patch.y, patch.x) / (2 * math.pi) + 0.5
    channels = min(2 * math.pi * 0.35 * float(radius.max()) / length_px * 4, textures.shape[0] - 1)
    at = np.stack([around * channels, np.minimum(radius / length_px * 1.3, textures.shape[1] - 1)])
    wound = ndimage.map_coordinates(wound, at, order=1, mode="nearest")
    return np.clip(0.5 + wound, 0, 1) * np.clip(radius / length_px / 2 - 0.2, 0, 1)


def mottled(textures: Textures, length_px: float, contrast: float) -> Build:
    """Smooth outside, of slightly uneven density within: polymers, aggregates of clusters."""

    def build(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        body = smooth(patch, solid, diameter, rng)
        body.mass = body.mass * np.maximum(1 + contrast * textures.cut("fractal", length_px, patch.shape), 0)
        return body

    return build


def crystalline(build: Build, strength: float) -> Build:
    """The same with diffraction contrast: each grain darker or lighter, some with bend contours or a twin boundary."""

    def built(patch: Patch, solid: Solid, diameter: float, rng: np.random.Generator) -> Body:
        body = build(patch, solid, diameter, rng)
        factor = np.full(patch.shape, math.exp(strength * rng.standard_normal()), np.float32)
        angle = rng.uniform(0, math.pi)
        u = (patch.x * math.cos(angle) + patch.y * math.sin(angle)) / diameter
        fate = rng.random()
        if fate < 0.25:
            v = (patch.y * math.cos(angle) - patch.x * math.sin(angle)) / diameter
            bend = 2 * math.pi * (rng.uniform(0.6, 2.0) * u + rng.uniform(-2, 2) * u * v + rng.uniform(-2, 2) * v * v)
            factor *= 1 + min(0.9, 1.6 * strength) * np.cos(bend + rng.uniform(0, 6)) ** 5
        elif fate < 0.5:
            factor *= np.where(u > rng.uniform(-0.25, 0.25), 1, math.exp(1.5 * strength * rng.standard_normal())).astype(
                np.float32
            )
        body.mass = body.mass * factor
        return body

    return built
