"""Any depth to eight bits: monotone, robust against outliers, and safe with what is no number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphoscope.io import to_display
from morphoscope.io.display import percentiles

DTYPES = ("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_ramp_fills_the_range(dtype: str) -> None:
    ramp = np.tile(np.linspace(0, 200, 501), (37, 1)).astype(dtype)
    shown = to_display(ramp)
    assert (shown.dtype, shown.shape) == (np.uint8, ramp.shape)
    assert shown.min() == 0 and shown.max() == 255
    assert (np.diff(shown[0].astype(int)) >= 0).all()
    np.testing.assert_allclose(shown[0], np.linspace(0, 255, 501), atol=2.5)


def test_few_outliers_don_t_darken_the_rest() -> None:
    pixels = np.random.default_rng(0).normal(1000, 50, (300, 200)).astype("uint16")
    clean = to_display(pixels)
    pixels[5, 5:20] = 65535
    shown = to_display(pixels)
    np.testing.assert_allclose(np.delete(shown, 5, axis=0).astype(int), np.delete(clean, 5, axis=0).astype(int), atol=12)
    assert shown[5, 7] == 255


def test_an_eight_bit_picture_is_stretched_too() -> None:
    dark = np.tile(np.arange(20, 60, dtype="uint8"), (30, 3))
    assert to_display(dark).min() == 0 and to_display(dark).max() == 255


@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_is_mid_grey(dtype: str) -> None:
    assert (to_display(np.full((20, 33), 7, dtype)) == 128).all()


def test_a_few_bright_pixels_on_a_constant_ground_stay_visible() -> None:
    pixels = np.zeros((600, 800), "uint16")
    pixels[123, 456] = 900
    shown = to_display(pixels)
    assert shown[123, 456] == 255 and shown.sum() == 255


def test_nan_and_infinity() -> None:
    pixels = np.tile(np.linspace(-1, 1, 400, dtype="float32"), (30, 1))
    pixels[0, :3] = np.nan, np.inf, -np.inf
    assert to_display(pixels)[0, :3].tolist() == [0, 255, 0]
    assert (to_display(np.full((20, 30), np.nan)) == 128).all()


def test_thirty_two_bits_keep_small_differences_on_a_large_ground() -> None:
    ramp = np.tile(np.arange(256, dtype="uint32") + 4_000_000_000, (30, 1))
    np.testing.assert_allclose(to_display(ramp, 0, 100)[0], np.arange(256))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(1e-6, 1e6), st.floats(-1e6, 1e6))
def test_gain_and_offset_don_t_matter(seed: int, gain: float, offset: float) -> None:
    pixels = np.random.default_rng(seed).random((40, 50))
    moved = to_display(pixels * gain + offset)
    tolerance = 1 + 255 * 1e-15 * (abs(offset) / gain + 1) * 10
    np.testing.assert_allclose(moved.astype(int), to_display(pixels).astype(int), atol=tolerance)


def test_the_input_is_left_alone() -> None:
    pixels = np.random.default_rng(0).random((40, 50))
    before = pixels.copy()
    to_display(pixels[::2, ::-1])
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 7), (300, 401)])
def test_percentiles_are_those_of_numpy(dtype: str, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).gamma(2, 30, shape).astype(dtype)
    asked = (0, 0.1, 2, 50, 99.9, 100)
    np.testing.assert_allclose(percentiles(pixels, asked), np.percentile(pixels.astype("float64"), asked), rtol=1e-6)
