"""Magnification from file names: what must be found, and what must not."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from morphoscope.io import read
from morphoscope.io.filename import magnification_from_name


@pytest.mark.parametrize(
    ("name", "magnification"),
    [
        ("particles_1200000X_HAADF.tif", 1.2e6),
        ("sample3-x50k.tif", 50_000),
        ("sample 10.00KX 5kV.tif", 10_000),
        ("film_50kx_03.png", 50_000),
        ("Mag = 10.00 K X.tif", 10_000),
        ("film 10K X.tif", 10_000),
        ("x1.2k.jpg", 1200),
        ("sample-１_1200倍(x1.2k).tif", 1200),
        ("sample-１_600倍(x600).tif", 600),
        ("MAG_5000_01.tif", 5000),
        ("mag5.00k", 5000),
        ("fei_versa_CS_DCs_3500x_A.tif", 3500),
        ("IPDI_A549_5KV_1200x_ETD_HV_5spot_12.3WD_006.tif", 1200),
        ("hitachi_tm4000_x1200.tif", 1200),
        ("film ×20,000.tif", 20_000),
        ("10,000x.tif", 10_000),
        ("TEM 1.2MX.tif", 1.2e6),
        ("7,5kx.tif", 7500),
        ("x50k", 50_000),
        ("magnification 250x", 250),
    ],
)
def test_found(name: str, magnification: float) -> None:
    assert magnification_from_name(name) == pytest.approx(magnification)


@pytest.mark.parametrize(
    "name",
    [
        "1024x768.png",
        "1024 x 768.png",
        "crop_512x512_03.tif",
        "volume_100x100x50.tif",
        "x1.tif",
        "sample_x2.tif",
        "sample2X4.tif",
        "sample_12x.tif",
        "objective_20x.tif",
        "tile_x100_y200.tif",
        "00a3b69b5d66247b0903de2df2e890bf.jpg",
        "0x5000.tif",
        "x0500.tif",
        "20210623x.tif",
        "x20210623.tif",
        "5KV_spot3.tif",
        "fei_nova_2k_031.tif",
        "1-2k_031.tif",
        "jeol_7600f_50k.tif",
        "0.5wtpcun__10000.jpg",
        "image5000.tif",
        "Image_5000.tif",
        "magnet_500.tif",
        "x-ray_500.tif",
        "matrix500.tif",
        "Fe2x3000b.tif",
        "win_x86_64.tif",
        "3x5000.tif",
        "x500_x2000.tif",
        "x5000_to_10kx.tif",
        "mix1000x2.tif",
        "500.5x.tif",
        "x.tif",
        "",
    ],
)
def test_not_found(name: str) -> None:
    assert magnification_from_name(name) is None


@settings(deadline=None)
@given(
    digits=st.integers(100, 999_999),
    form=st.sampled_from(["s_{}x.tif", "s_x{}_1.tif", "{}X 3.png", "(x{}).jpg", "MAG_{}", "{}倍", "a-{}x-b.tif"]),
)
def test_every_whole_magnification_in_every_form(digits: int, form: str) -> None:
    assert magnification_from_name(form.format(digits)) == digits


@settings(deadline=None, max_examples=300)
@given(st.text(string.hexdigits + "-_", max_size=40))
def test_hashes_never_have_a_magnification(name: str) -> None:
    assert magnification_from_name(f"{name}.tif") is None


@settings(deadline=None)
@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from("xX×"), st.sampled_from(["", " "]))
def test_image_sizes_never_are_magnifications(height: int, width: int, times: str, space: str) -> None:
    assert magnification_from_name(f"film_{height}{space}{times}{space}{width}_2.tif") is None


def test_the_name_is_asked_last_and_says_so(tmp_path: Path) -> None:
    pixels = np.eye(8, 9, dtype="uint8")
    tifffile.imwrite(tmp_path / "film_x50k.tif", pixels)
    found = read(tmp_path / "film_x50k.tif")
    assert (found.acquisition.magnification.value, found.acquisition.magnification.origin) == (50_000, "filename")
    assert found.pixel_size is None
    tifffile.imwrite(tmp_path / "film_x50k.tif", pixels, extratags=[(50431, 2, 0, "Magnification=700\nHV=1e4\n", True)])
    found = read(tmp_path / "film_x50k.tif")
    assert (found.acquisition.magnification.value, found.acquisition.magnification.origin) == (700, "header")
