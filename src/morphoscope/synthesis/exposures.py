"""How an operator sets the microscope for one picture: beam, scan and tone, from good to poor with the draft's difficulty."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.finish import Tone
from morphoscope.synthesis.picture import Draft
from morphoscope.synthesis.sem import Scan
from morphoscope.synthesis.tem import Beam


def scan(draft: Draft) -> Scan:
    """A scan of secondary electrons."""
    rng, hard = draft.view, draft.options.difficulty
    return Scan(
        tilt_gain=rng.uniform(-0.3, 1.2),
        brightest=rng.uniform(1.4, 2.8),
        edge=rng.uniform(0.0, 1.2),
        foot=rng.uniform(0, 1) ** 2,
        escape_px=float(rng.lognormal(math.log(2.2), 0.5)),
        detector_angle=rng.uniform(0, 2 * math.pi),
        detector_gain=rng.uniform(0.0, 0.6),
        shadowing=rng.uniform(0, 1.2) * (rng.random() < 0.7),
        probe_px=rng.uniform(0.55, 0.85) + hard * float(rng.exponential(0.7)),
        dose=float(rng.lognormal(math.log(220 * 10 ** (1 - 2 * hard)), 0.6)),
        line_noise=0.012 * hard * float(rng.exponential(1)),
        drift_px=rng.exponential(0.8) if rng.random() < 0.25 * hard else 0.0,
        vibration_px=rng.exponential(0.5) if rng.random() < 0.25 * hard else 0.0,
        charging=rng.uniform(0.2, 1) if rng.random() < 0.3 * hard else 0.0,
        shading=float(rng.exponential(0.08)),
    )


def sem_tone(draft: Draft) -> Tone:
    """Brightness and contrast of the detector's amplifier."""
    rng, hard = draft.view, draft.options.difficulty
    black = rng.uniform(0.0, 0.22) * (rng.random() < 0.8)
    return Tone(
        black,
        black + (1.05 - black) * (1 - 0.6 * hard * rng.random()),
        mean=rng.normal(0.41, 0.14),
        clipped=float(rng.exponential(0.6)),
    )


def beam(draft: Draft, canvas: Canvas, thickness_nm: float, opacity: float, hv_kv: float) -> Beam:
    """A bright-field exposure in which matter of a typical thickness has the given optical density.

    The amorphous film's grain is a nanometre fine: coarse pixels average it out.
    """
    rng, hard = draft.view, draft.options.difficulty
    fringe = float(rng.lognormal(math.log(0.9), 0.6)) * (-1 if rng.random() < 0.75 else 1)
    return Beam(
        hv_kv=hv_kv,
        attenuation_per_nm=opacity / max(thickness_nm, 1e-6),
        phase_per_attenuation=rng.uniform(0.15, 0.8),
        fringe_px=float(np.clip(fringe, -4, 4)) if rng.random() < 0.8 else 0.0,
        film_phase=float(rng.lognormal(math.log(0.03 + 0.2 * hard), 0.7)) * min(1.0, (1.5 / canvas.scale_nm) ** 0.7),
        grain_blur_px=rng.uniform(0.2, 0.4) + 0.5 * float(rng.random() ** 3),
        film_grain_px=rng.uniform(3, 30),
        film_stain=float(rng.lognormal(math.log(0.015), 0.9)),
        dose_e=float(rng.lognormal(math.log(900 * 10 ** (1 - 2 * hard)), 0.8)),
        blur_px=rng.uniform(0.4, 0.7) + hard * float(rng.exponential(0.6)),
        shading=float(rng.exponential(0.06)),
        inelastic=rng.uniform(0.0, 0.08),
    )


def tem_grey(draft: Draft, image: np.ndarray) -> np.ndarray:
    """Grey values (Y, X) in 0..1 of a transmitted intensity: the open beam a light to middle grey."""
    rng = draft.view
    open_beam = rng.uniform(0.55, 0.95) if rng.random() < 0.85 else rng.uniform(0.3, 0.55)
    black = max(rng.normal(0.04, 0.07), 0)
    return np.clip(black + (open_beam - black) * image, 0, 1).astype(np.float32)
