"""Image formation of the scanning microscope: secondary electrons of a relief, detector, charging, scan, shot noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Canvas

CLIFF = 2.0
"""Change of slope from one pixel to the next beyond which a surface ends there."""

STEEPEST = 3.0
"""Slope beyond which the last pixel of a round body's limb says more of the pixel grid than of the body."""


@dataclass(frozen=True)
class Scan:
    """Settings of one scan. Lengths on the picture are in pixels."""

    tilt_gain: float
    """Exponent n of the yield 1/cos^n of the surface's slope; below 0 for a detector that sees what faces the beam."""
    brightest: float
    """Yield that no slope or edge exceeds: the probe and the escape depth are finite."""
    edge: float
    """Extra yield where the surface is convex within the escape depth."""
    foot: float
    """Loss where it is concave, at the foot of an object, as a part of `edge`."""
    escape_px: float
    detector_angle: float
    detector_gain: float
    """Contrast between slopes that face the detector and those that face away."""
    shadowing: float
    """Loss in hollows and between neighbours."""
    probe_px: float
    dose: float
    """Electrons a pixel at a signal of 1."""
    line_noise: float
    drift_px: float
    vibration_px: float
    charging: float
    shading: float
    """Slow change of brightness over the picture."""


def secondary_electrons(canvas: Canvas, scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """The picture (Y, X) in units of the yield of flat bare substrate."""
    signal = canvas.emission * surface_yield(canvas.height, canvas.pixel_nm, scan)
    if scan.charging > 0:
        signal = _charged(signal, scan, rng)
    if scan.drift_px > 0 or scan.vibration_px > 0:
        signal = _drifted(signal, scan, rng)
    image = canvas.crop(fields.blurred(signal, scan.probe_px)) * fields.uneven(canvas.size, rng, scan.shading)
    lines = 1 + scan.line_noise * rng.standard_normal((canvas.size[0], 1))
    noise = np.sqrt(np.maximum(image, 0.02) / scan.dose)
    return image * lines + fields.blurred(noise * fields.white(canvas.size, rng), 0.3)


def surface_yield(height_nm: np.ndarray, pixel_nm: tuple[float, float], scan: Scan) -> np.ndarray:
    """Secondary-electron yield (Y, X) of a height map, 1 for a level plane.

    Slope (1/cos^n, Seiler, J. Appl. Phys. 54, R1, 1983), escape at convex edges, the detector's side, and shadow: less comes out
    of what lies lower than its surroundings.
    """
    pixel = math.sqrt(pixel_nm[0] * pixel_nm[1])
    slope_y, slope_x = (_slope(height_nm, nm, axis) for axis, nm in enumerate(pixel_nm))
    height = fields.blurred(height_nm, 0.6)
    steep = 1 + slope_y**2 + slope_x**2
    facing = (slope_y * math.sin(scan.detector_angle) + slope_x * math.cos(scan.detector_angle)) / np.sqrt(steep)
    convex = (height - fields.blurred(height, scan.escape_px)) / (pixel * scan.escape_px)
    bright = steep ** (scan.tilt_gain / 2) * np.exp(scan.edge * np.clip(convex, -0.7 * scan.foot, 0.7))
    room = scan.brightest - 1
    bright = np.where(bright > 1, 1 + room * np.tanh((bright - 1) / room), bright) * (1 - scan.detector_gain * facing)
    low = np.zeros_like(height)
    for reach in (5, 14):
        low += np.clip((fields.blurred(height, reach) - height) / (pixel * reach), 0, 1.5)
    return (bright * np.exp(-scan.shadowing * low)).astype(np.float32)


def _slope(height: np.ndarray, pixel: float, axis: int) -> np.ndarray:
    """Slope of the surface along an axis; beside a cliff, that of the side away from it, since the gap itself is no surface."""
    step = np.diff(height, axis=axis) / pixel
    ahead = np.concatenate([step, step.take([-1], axis)], axis)
    behind = np.concatenate([step.take([0], axis), step], axis)
    gentler = np.where(np.abs(ahead) < np.abs(behind), ahead, behind)
    return np.clip(np.where(np.abs(ahead - behind) > CLIFF, gentler, (ahead + behind) / 2), -STEEPEST, STEEPEST)


def _charged(signal: np.ndarray, scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """Bright matter holds charge: a dark tail and bands along the scan line behind it, and a glow."""
    bright = np.clip(signal - 1.4, 0, 2)
    decay = math.exp(-1 / rng.uniform(15, 60))
    tail = ndimage.convolve1d(bright, (1 - decay) * decay ** np.arange(90), axis=1, origin=-45, mode="constant")
    bands = ndimage.gaussian_filter1d(rng.standard_normal((signal.shape[0], 1)), rng.uniform(0.6, 4), axis=0)
    glow = fields.blurred(bright, 12)
    return signal * (1 - 0.6 * scan.charging * tail) * (1 + 0.12 * scan.charging * bands) + scan.charging * 0.5 * glow


def _drifted(signal: np.ndarray, scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """Lines displaced by stage drift and by vibration at one frequency."""
    line = np.arange(signal.shape[0], dtype=np.float32)
    wave = np.sin(line * rng.uniform(0.15, 1.5) + rng.uniform(0, 6)) * scan.vibration_px
    walk = scan.drift_px * np.sin(line / len(line) * rng.uniform(1, 5) + rng.uniform(0, 6))
    shift = (wave + walk + 0.3 * scan.vibration_px * rng.standard_normal(len(line))).astype(np.float32)
    columns = np.clip(np.arange(signal.shape[1], dtype=np.float32)[None] + shift[:, None], 0, signal.shape[1] - 1.001)
    left = columns.astype(np.intp)
    part = columns - left
    rows = np.arange(signal.shape[0])[:, None]
    return signal[rows, left] * (1 - part) + signal[rows, left + 1] * part
