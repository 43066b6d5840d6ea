"""Image formation of the transmission microscope: mass-thickness and phase contrast, defocus, shot noise, detector blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft

from morphoscope.synthesis import fields
from morphoscope.synthesis.canvas import Canvas


@dataclass(frozen=True)
class Beam:
    """Settings of one exposure. Lengths on the picture are in pixels."""

    hv_kv: float
    attenuation_per_nm: float
    """exp(-attenuation * mass) is the bright-field transmission."""
    phase_per_attenuation: float
    fringe_px: float
    """Width of the first Fresnel fringe, negative for underfocus: defocus = fringe² / wavelength."""
    film_phase: float
    """Standard deviation in rad of the phase that the amorphous support adds."""
    film_grain_px: float
    film_stain: float
    """Standard deviation of the support's slow variation in log transmission."""
    dose_e: float
    """Electrons a pixel of the open beam."""
    blur_px: float
    grain_blur_px: float
    """Correlation of the noise between neighbouring pixels."""
    shading: float
    inelastic: float
    """Part of the beam that thick matter can not stop: the grey of its darkest parts."""


def wavelength_pm(hv_kv: float) -> float:
    """Relativistic electron wavelength."""
    ev = hv_kv * 1e3
    return 1226.39 / math.sqrt(ev + 0.97845e-6 * ev**2)


def defocus_nm(beam: Beam, pixel_nm: float) -> float:
    """The defocus whose first fringe is as wide as asked for."""
    return math.copysign((beam.fringe_px * pixel_nm) ** 2 / (wavelength_pm(beam.hv_kv) * 1e-3), beam.fringe_px)


def bright_field(canvas: Canvas, beam: Beam, rng: np.random.Generator) -> np.ndarray:
    """The picture (Y, X), 1 where the open beam arrives, of a canvas: exit wave, contrast transfer, detector, shot noise."""
    absorbed = beam.attenuation_per_nm * canvas.mass
    absorbed = -np.log(beam.inelastic + (1 - beam.inelastic) * np.exp(-absorbed))
    phase = beam.phase_per_attenuation * absorbed + beam.film_phase * fields.fractal(canvas.shape, rng, 0.35, beam.film_grain_px)
    if beam.film_stain > 0:
        absorbed = absorbed + beam.film_stain * fields.fractal(canvas.shape, rng, 1.6) + support(canvas.shape, rng)
    wave = np.exp(-absorbed / 2 + 1j * phase).astype(np.complex64)
    image = np.abs(_through_lens(wave, beam.fringe_px)) ** 2
    image = canvas.crop(fields.blurred(image, beam.blur_px)) * fields.uneven(canvas.size, rng, beam.shading)
    noise = np.sqrt(np.maximum(image, 0) / beam.dose_e)
    return image + noise * fields.standardised(fields.blurred(fields.white(canvas.size, rng), beam.grain_blur_px))


def dark_field(canvas: Canvas, beam: Beam, rng: np.random.Generator) -> np.ndarray:
    """The same canvas in an annular dark-field STEM: bright where mass scatters, scanned line by line."""
    scattered = 1 - np.exp(-0.7 * beam.attenuation_per_nm * canvas.mass)
    scattered = scattered + 0.05 * (1 + 6 * beam.film_stain * fields.fractal(canvas.shape, rng, 1.6))
    image = canvas.crop(fields.blurred(np.maximum(scattered, 0), beam.blur_px + 0.4))
    lines = 1 + 0.015 * rng.standard_normal((canvas.size[0], 1))
    noise = np.sqrt(np.maximum(image, 0) / beam.dose_e) + 0.008
    return image * lines + noise * fields.white(canvas.size, rng)


def support(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray | float:
    """Absorbance (Y, X) of what else lies on the grid: mostly nothing, else holes in the film, blotches, folds or fine debris."""
    fate, strength = rng.random(), rng.uniform(0.04, 0.35)
    if fate < 0.6:
        return 0.0
    y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None]
    side = math.sqrt(shape[0] * shape[1])
    if fate < 0.72:
        radius, (cy, cx) = rng.uniform(0.3, 2) * side, rng.uniform(-0.3, 1.3, 2) * shape
        rim = (np.hypot(y - cy, x - cx) - radius) / rng.uniform(1, 5)
        return strength / (1 + np.exp(-np.clip(rim, -30, 30))) + 0.4 * strength * np.exp(-(rim**2) / 8)
    if fate < 0.86:
        return strength * np.clip(fields.fractal(shape, rng, rng.uniform(1.1, 1.8), side / 3) - rng.uniform(0, 1), 0, 1.2)
    if fate < 0.93:
        ridge = np.abs(fields.fractal(shape, rng, 1.9, 0.8 * side))
        return strength * np.exp(-ridge * rng.uniform(8, 40))
    specks = fields.smooth(shape, rng, rng.uniform(3, 8))
    return strength * np.clip(specks - rng.uniform(1.8, 2.8), 0, 1)


def _through_lens(wave: np.ndarray, fringe_px: float) -> np.ndarray:
    """The wave behind a defocused, partly coherent lens: chi = pi wavelength defocus k² = pi fringe² k², k in 1/px."""
    if abs(fringe_px) < 0.15:
        return wave
    k2 = scipy.fft.fftfreq(wave.shape[0])[:, None] ** 2 + scipy.fft.fftfreq(wave.shape[1])[None] ** 2
    chi = math.pi * math.copysign(fringe_px**2, fringe_px) * k2
    transfer = np.exp(-1j * chi - 0.12 * chi**2).astype(np.complex64)
    return scipy.fft.ifft2(scipy.fft.fft2(wave) * transfer)
