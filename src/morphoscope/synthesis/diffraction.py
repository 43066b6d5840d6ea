"""Electron diffraction in the kinematical approximation: spots of a few crystals, rings of many, halos of a glass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from morphoscope.synthesis.materials import Crystal, Material

SCATTERING: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "O": ((0.455, 0.917, 0.472, 0.138), (23.780, 7.622, 2.144, 0.296)),
    "Ti": ((3.565, 2.818, 1.893, 0.483), (81.982, 19.049, 3.590, 0.386)),
    "Cu": ((1.579, 1.820, 1.658, 0.532), (62.940, 12.453, 2.504, 0.333)),
    "Ag": ((2.036, 3.272, 2.511, 0.837), (61.497, 11.824, 2.846, 0.327)),
    "Au": ((2.388, 4.226, 2.689, 1.255), (42.866, 9.743, 2.264, 0.307)),
}
"""Element to a and b of its scattering factor for electrons, sum of a exp(-b s²) in Å (Doyle and Turner, Acta Cryst. A24, 390, 1968)."""
THERMAL_A2 = 0.6
CARBON_HALOS_PER_NM = (4.8, 8.4)
"""Of the amorphous film that carries the particles."""
ZONES = ((0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 1, 2), (0, 1, 2))
SPOTS_UP_TO = 3
"""So few crystals are tilted to a zone axis before a pattern is taken."""


@dataclass(frozen=True)
class Camera:
    """side: px of the square pattern. per_nm: 1/nm a pixel. centre: row and column of the direct beam. spot_px: its radius.

    halo: strength of the film's rings beside the specimen's. dose: electrons of the brightest reflection. stop: angle of the beam
    stop's arm in rad, None without one. stretch: by which an astigmatic projector draws the pattern out along stretch_angle."""

    side: int
    per_nm: float
    centre: tuple[float, float]
    spot_px: float
    halo: float
    dose: float
    stop: float | None
    stretch: float = 0.0
    stretch_angle: float = 0.0
    wavelength_nm: float = 0.00251


@cache
def reflections(crystal: Crystal, most_per_nm: float) -> tuple[np.ndarray, np.ndarray]:
    """Reciprocal lattice points (G, 3) in 1/nm, without the origin, and their structure factors squared (G,)."""
    edges = np.array([crystal.a, crystal.a, crystal.c]) / 10
    reach = np.floor(most_per_nm * edges).astype(int)
    hkl = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1).reshape(-1, 3)
    points = hkl / edges
    length = np.linalg.norm(points, axis=1)
    keep = (length > 0) & (length <= most_per_nm)
    hkl, points, length = hkl[keep], points[keep], length[keep]
    s2 = (length / 20) ** 2  # (sin theta / wavelength)² in 1/Å²
    factor = np.zeros(len(hkl), complex)
    for element, place in crystal.atoms:
        a, b = (np.array(numbers) for numbers in SCATTERING[element])
        scattering = (a * np.exp(-b * s2[:, None])).sum(1) * np.exp(-THERMAL_A2 * s2)
        factor += scattering * np.exp(2j * np.pi * (hkl @ np.array(place)))
    strength = np.abs(factor) ** 2
    seen = strength > 1e-4 * strength.max()
    return points[seen], strength[seen]


def pattern(material: Material, camera: Camera, crystals: int, thickness_nm: float, rng: np.random.Generator) -> np.ndarray:
    """(Y, X) electrons, with Poisson's noise: reflections, film, the direct beam and its tail, the beam stop."""
    y, x = np.mgrid[: camera.side, : camera.side].astype(np.float32)
    radius = np.hypot(y - camera.centre[0], x - camera.centre[1]) * np.float32(camera.per_nm)
    specimen = _halos(radius, material.halos_per_nm, 0.16) if material.crystal is None else np.zeros_like(radius)
    if material.crystal is not None:
        specimen = _spots(material.crystal, camera, crystals, thickness_nm, rng)
    specimen /= max(float(np.percentile(specimen, 99.9)), 1e-9)
    film = camera.halo * _halos(radius, CARBON_HALOS_PER_NM, 0.17)
    core = np.exp(-((radius / (camera.spot_px * camera.per_nm)) ** 2))
    tail = 1.5 / (1 + (radius / 0.7) ** 2) ** 1.25 + 0.06 * np.exp(-radius / 4)
    signal = specimen + film + tail + 40 * core
    if camera.stop is not None:
        signal = signal * _stop(y - camera.centre[0], x - camera.centre[1], camera)
    return rng.poisson(camera.dose * signal).astype(np.float32)


def _spots(crystal: Crystal, camera: Camera, crystals: int, thickness_nm: float, rng: np.random.Generator) -> np.ndarray:
    """(Y, X) reflections of crystals at random, or of a few along a zone axis; strength falls with the distance from Ewald's sphere."""
    reach = float(np.hypot(*np.maximum(camera.centre, camera.side - np.array(camera.centre)))) * camera.per_nm
    points, strength = reflections(crystal, round(reach, 1))
    turned = np.einsum("nij,gj->ngi", _orientations(crystal, crystals, rng), points)  # n crystals, g points
    miss = turned[..., 2] + camera.wavelength_nm / 2 * (turned**2).sum(-1)
    weight = strength * np.exp(-((miss * thickness_nm) ** 2))
    strong = weight > 1e-4 * strength.max()
    across, intensity = turned[strong][:, :2], weight[strong]
    cos, sin = math.cos(camera.stretch_angle), math.sin(camera.stretch_angle)
    axes = np.array([[cos, sin], [-sin, cos]])
    across = across @ axes.T @ np.diag([1 + camera.stretch, 1 - camera.stretch]) @ axes
    place = across / camera.per_nm + np.array(camera.centre)
    drawn = _histogram(place, intensity, camera.side)
    width = math.hypot(camera.spot_px, 0.25 / (thickness_nm * camera.per_nm)) / 2
    return cv2.GaussianBlur(drawn, (0, 0), max(0.6, width))


def _orientations(crystal: Crystal, count: int, rng: np.random.Generator) -> np.ndarray:
    """(N, 3, 3) rotations that bring the crystal's axes into the microscope's, whose third is the beam."""
    if count > SPOTS_UP_TO:
        return Rotation.random(count, rng=rng).as_matrix()
    zone = np.array(ZONES[int(rng.integers(len(ZONES)))]) * np.array([crystal.a, crystal.a, crystal.c])
    along, _ = Rotation.align_vectors([[0.0, 0.0, 1.0]], [zone / np.linalg.norm(zone)])
    turns = [
        Rotation.from_euler("zxy", [rng.uniform(0, 360), *rng.normal(0, 0.4, 2)], degrees=True) * along for _ in range(count)
    ]
    return np.stack([turn.as_matrix() for turn in turns])


def _histogram(place: np.ndarray, intensity: np.ndarray, side: int) -> np.ndarray:
    """(Y, X) intensities shared out over the four pixels around each place (row, column)."""
    drawn = np.zeros((side, side), np.float32)
    corner = np.floor(place).astype(int)
    part = place - corner
    for dy in (0, 1):
        for dx in (0, 1):
            row, column = corner[:, 0] + dy, corner[:, 1] + dx
            share = np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
            np.add.at(drawn, (row[inside], column[inside]), (intensity * share)[inside])
    return drawn


def _halos(radius: np.ndarray, at_per_nm: tuple[float, ...], relative_width: float) -> np.ndarray:
    return np.sum([np.exp(-(((radius - at) / (relative_width * at)) ** 2)) * (at_per_nm[0] / at) for at in at_per_nm], axis=0)


def _stop(y: np.ndarray, x: np.ndarray, camera: Camera) -> np.ndarray:
    """Transmission (Y, X) of a needle with a round end before the direct beam."""
    angle = camera.stop or 0.0
    along, across = y * math.sin(angle) + x * math.cos(angle), y * math.cos(angle) - x * math.sin(angle)
    end = 0.035 * camera.side
    arm = np.where(along > 0, end / 2.2 - np.abs(across), -np.inf)
    inside = np.maximum(end - np.hypot(y, x), arm)
    return 1 - 0.985 / (1 + np.exp(-np.clip(2 * inside, -30, 30)))
