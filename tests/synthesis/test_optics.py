"""Image formation agrees with the physics it stands for."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from morphoscope.synthesis import sem, solids, structures, tem
from morphoscope.synthesis.canvas import Canvas

QUIET_BEAM = tem.Beam(
    hv_kv=200,
    attenuation_per_nm=0.02,
    phase_per_attenuation=0,
    fringe_px=0,
    film_phase=0,
    film_grain_px=5,
    film_stain=0,
    dose_e=1e9,
    blur_px=0,
    grain_blur_px=0,
    shading=0,
    inelastic=0,
)
QUIET_SCAN = sem.Scan(
    tilt_gain=1,
    brightest=10,
    edge=0,
    foot=1,
    escape_px=2,
    detector_angle=0,
    detector_gain=0,
    shadowing=0,
    probe_px=0,
    dose=1e9,
    line_noise=0,
    drift_px=0,
    vibration_px=0,
    charging=0,
    shading=0,
)


def _sphere(diameter: float) -> Canvas:
    canvas, rng = Canvas((80, 120), (1.0, 1.0)), np.random.default_rng(0)
    patch = canvas.patch((40.0, 60.0), diameter)
    canvas.place(patch, structures.smooth(patch, solids.sphere(rng), diameter, rng))
    return canvas


def test_bright_field_falls_exponentially_with_thickness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tem, "support", lambda shape, rng: 0.0)
    image = tem.bright_field(_sphere(50), QUIET_BEAM, np.random.default_rng(1))
    assert image[40, 60] == pytest.approx(math.exp(-0.02 * 50), rel=0.02)
    assert image[5, 5] == pytest.approx(1, rel=0.01)


def test_defocus_keeps_the_electrons_and_rings_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tem, "support", lambda shape, rng: 0.0)
    canvas = _sphere(50)
    focused = tem.bright_field(canvas, QUIET_BEAM, np.random.default_rng(1))
    fringed = tem.bright_field(canvas, dataclasses.replace(QUIET_BEAM, fringe_px=-2), np.random.default_rng(1))
    assert fringed.max() > focused.max() + 0.02
    assert fringed.mean() == pytest.approx(focused.mean(), rel=0.01)


def test_the_wavelength_of_200_kv_electrons() -> None:
    assert tem.wavelength_pm(200) == pytest.approx(2.508, abs=0.002)
    assert tem.defocus_nm(dataclasses.replace(QUIET_BEAM, fringe_px=-2), 0.5) == pytest.approx(-1 / 2.508e-3, rel=1e-3)


def test_shot_noise_follows_the_dose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tem, "support", lambda shape, rng: 0.0)
    spread = {}
    for dose in (25.0, 2500.0):
        image = tem.bright_field(
            Canvas((120, 90), (1.0, 1.0)), dataclasses.replace(QUIET_BEAM, dose_e=dose), np.random.default_rng(2)
        )
        spread[dose] = float(image.std())
    assert spread[25.0] / spread[2500.0] == pytest.approx(10, rel=0.1)


def test_dark_field_is_bright_where_bright_field_is_dark() -> None:
    canvas = _sphere(50)
    bright = tem.bright_field(canvas, QUIET_BEAM, np.random.default_rng(3))
    dark = tem.dark_field(canvas, QUIET_BEAM, np.random.default_rng(3))
    assert bright[40, 60] < bright[5, 5]
    assert dark[40, 60] > 5 * dark[5, 5]


def test_a_slope_yields_more_by_the_cosine_law() -> None:
    ramp = np.broadcast_to(np.arange(100, dtype=np.float32) * 3.0, (80, 100))
    signal = sem.surface_yield(ramp, (2.0, 3.0), QUIET_SCAN)
    assert signal[40, 50] == pytest.approx(math.sqrt(2), rel=0.05)
    assert sem.surface_yield(0 * ramp, (2.0, 3.0), QUIET_SCAN)[40, 50] == pytest.approx(1)


def test_the_side_towards_the_detector_is_brighter() -> None:
    canvas = _sphere(50)
    scan = dataclasses.replace(QUIET_SCAN, detector_gain=0.5, detector_angle=0.0)
    signal = canvas.crop(sem.surface_yield(canvas.height, canvas.pixel_nm, scan))
    assert signal[40, 45] != pytest.approx(signal[40, 75], rel=0.2)
    assert signal[25, 60] == pytest.approx(signal[55, 60], rel=0.1)


def test_a_trench_is_dark_and_a_charged_line_has_a_tail() -> None:
    trench = np.zeros((60, 80), np.float32)
    trench[:, 38:42] = -20
    shadowed = sem.surface_yield(trench, (1.0, 1.0), dataclasses.replace(QUIET_SCAN, shadowing=1, tilt_gain=0))
    assert shadowed[30, 40] < 0.5 * shadowed[30, 5]
    canvas = Canvas((40, 160), (1.0, 1.0))
    canvas.emission[:, 50:60] = 4
    image = sem.secondary_electrons(canvas, dataclasses.replace(QUIET_SCAN, charging=1), np.random.default_rng(0))
    assert image[:, 50:60].mean() < image[:, 20].mean() < image[:, 36].mean() or image[:, 70].mean() < image[:, 20].mean()
