"""Texture descriptors: what they must not depend on, and what they must tell apart, on drawn pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from morphoscope.measure.texture import texture_descriptors

N_GREY, N_BAND, N_ORIENTATION, N_SHAPE = 11, 30, 20, 24
BANDS = slice(N_GREY, N_GREY + N_BAND)
ORIENTATION = slice(BANDS.stop, BANDS.stop + N_ORIENTATION)
SHAPE = slice(ORIENTATION.stop, ORIENTATION.stop + N_SHAPE)


def grain(height: int = 256, width: int = 192, sigma: float | tuple[float, float] = 2.0, seed: int = 0) -> np.ndarray:
    """Gaussian noise of one size of grain (sigma along y and x), as uint8."""
    field = gaussian_filter(np.random.default_rng(seed).standard_normal((height, width)), sigma, mode="wrap")
    return np.clip(128 + 40 * field / field.std(), 0, 255).astype(np.uint8)


def blobs(height: int = 256, width: int = 192, radius: float = 10, seed: int = 0) -> np.ndarray:
    """Bright round hills on a dark ground, as uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    hills = np.zeros((height, width))
    for _ in range(25):
        squared = (y - rng.integers(height)) ** 2 + (x - rng.integers(width)) ** 2
        hills = np.maximum(hills, np.exp(-squared / (2 * radius**2)))
    return (20 + 200 * hills).astype(np.uint8)


@pytest.mark.parametrize("picture", [grain(), blobs(), grain(300, 420, (1, 6))], ids=["grain", "blobs", "streaks"])
@pytest.mark.parametrize(
    "moved",
    [np.flipud, np.fliplr, np.rot90, lambda p: np.rot90(p, 2), lambda p: np.rot90(p, 3)],
    ids=["upside down", "mirrored", "a quarter", "a half", "three quarters"],
)
def test_flips_and_quarter_turns_change_nothing(picture: np.ndarray, moved: Callable[[np.ndarray], np.ndarray]) -> None:
    expected = texture_descriptors(picture)
    np.testing.assert_allclose(texture_descriptors(np.ascontiguousarray(moved(picture))), expected, atol=5e-3)


def test_the_same_picture_gives_the_same_bits() -> None:
    first, second = texture_descriptors(grain()), texture_descriptors(grain())
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


def test_pixels_are_no_scale() -> None:
    """The same field of view with more pixels is the same texture."""
    coarse = grain(256, 192, 6)
    fine = np.kron(coarse, np.ones((2, 2), np.uint8))
    np.testing.assert_allclose(texture_descriptors(fine), texture_descriptors(coarse), atol=1e-5)


def test_contrast_moves_strengths_and_nothing_else() -> None:
    picture = grain()
    half = (128 + (picture.astype(int) - 128) // 2).astype(np.uint8)
    whole, weak = texture_descriptors(picture), texture_descriptors(half)
    strengths = list(range(BANDS.start, BANDS.stop, 5))[1:]
    np.testing.assert_allclose(weak[strengths], whole[strengths] - np.log(2), atol=0.03)
    np.testing.assert_allclose(weak[SHAPE], whole[SHAPE], atol=0.02)


def test_the_strongest_band_follows_the_size_of_the_grain() -> None:
    strongest = [int(np.argmax(texture_descriptors(grain(256, 256, sigma))[BANDS][::5])) for sigma in (0.5, 2.5, 10)]
    assert strongest == sorted(set(strongest))


def test_streaks_are_coherent_and_grain_is_not() -> None:
    streaks, grains = (texture_descriptors(grain(256, 256, sigma))[ORIENTATION] for sigma in ((1, 12), (3, 3)))
    local, whole = slice(1, None, 5), slice(4, None, 5)
    assert (streaks[local] > grains[local] + 0.2)[:2].all()
    assert (streaks[whole] > grains[whole] + 0.4).all()


def test_caps_and_cups_are_opposite_ends_of_the_shape_index() -> None:
    bright = blobs()
    caps, cups = (texture_descriptors(picture)[SHAPE].reshape(3, 8) for picture in (bright, 255 - bright))
    np.testing.assert_allclose(caps.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(cups[:, :3], caps[:, :4:-1], atol=0.002)  # the middle two hold what is flat
    assert (caps[:, 7] > 2 * caps[:, 0]).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (9, 8), (700, 30)])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_picture_of_any_shape_is_finite(shape: tuple[int, int], level: int) -> None:
    descriptors = texture_descriptors(np.full(shape, level, np.uint8))
    assert np.isfinite(descriptors).all()
    np.testing.assert_allclose(descriptors[SHAPE].reshape(3, 8)[:, [0, 1, 6, 7]], 0, atol=1e-6)
