"""What is no picture, or an odd one: one sentence that says where, what, what instead, and what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morphoscope.errors import ReadError
from morphoscope.io import read


def written(path: Path, pixels: np.ndarray) -> Path:
    tifffile.imwrite(path, pixels)
    return path


def test_missing_folder_empty_and_text(tmp_path: Path) -> None:
    (tmp_path / "empty.tif").touch()
    (tmp_path / "notes.tif").write_text("Aufnahme 3, 10 kV, schön\n", encoding="utf-8")
    (tmp_path / "bytes.tif").write_bytes(b"\x01\x02\xfe\xff" * 40)
    for name, found in {
        "nothing.tif": "found no such file",
        ".": "found a folder; expected one file",
        "empty.tif": r"found an empty file \(0 bytes\)",
        "notes.tif": "found text; expected a picture",
        "bytes.tif": "found bytes that begin with 01 02 fe ff",
    }.items():
        with pytest.raises(ReadError, match=found) as caught:
            read(tmp_path / name)
        sentence = str(caught.value)
        assert sentence.startswith(str(tmp_path / name)) and "expected" in sentence and sentence.endswith(".")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions don't bind here")
def test_no_permission(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", np.zeros((4, 4), "uint8"))
    path.chmod(0)
    with pytest.raises(ReadError, match="Permission denied"):
        read(path)


def test_values_that_are_no_grey_levels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).random((20, 30)).astype("float32")
    with pytest.raises(ReadError, match=r"complex64 numbers; expected real grey levels"):
        read(written(tmp_path / "complex.tif", pixels.astype("complex64")))
    with pytest.raises(ReadError, match="no pixel is a finite number"):
        read(written(tmp_path / "nan.tif", np.full((20, 30), np.nan, "float32")))
    pixels[3, 4:9] = np.nan
    pixels[5, 5] = np.inf
    micrograph = read(written(tmp_path / "holes.tif", pixels))
    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.warnings == ("6 of 600 pixels are NaN or infinite.",)
    huge = np.full((20, 30), 1e308)
    huge[0, 0] = 0
    assert read(written(tmp_path / "huge.tif", huge)).warnings == ()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_constant_picture_warns(tmp_path: Path, dtype: str) -> None:
    constant = np.full((100, 130), 7, dtype)
    assert "All pixels are 7" in read(written(tmp_path / "a.tif", constant)).warnings[0]
    constant[99, 1] = 8
    assert read(written(tmp_path / "a.tif", constant)).warnings == ()


def test_metadata_that_can_t_be_read_costs_a_warning_only(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.eye(20, 30, dtype="uint8"), description="<OME><broken", metadata=None)
    micrograph = read(path)
    assert micrograph.pixels.shape == (20, 30) and micrograph.pixel_size is None
    assert "The OME metadata can't be read" in micrograph.warnings[0]
    tifffile.imwrite(path, np.eye(20, 30, dtype="uint8"), extratags=[(34683, 2, 0, "<FeiImage><pixelWidth>", True)])
    assert "The Phenom metadata can't be read" in read(path).warnings[0]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 600), junk=st.binary(min_size=1, max_size=12), kind=st.sampled_from(["plain", "lzw"]))
def test_scrambled_tiff_is_read_or_refused_but_never_anything_else(tmp_path: Path, position: int, junk: bytes, kind: str) -> None:
    path = tmp_path / "a.tif"
    pixels = np.arange(400, dtype="uint16").reshape(16, 25)
    tifffile.imwrite(path, pixels, compression="lzw" if kind == "lzw" else None, description="ImageJ=1.53\nunit=nm\n")
    data = bytearray(path.read_bytes())
    data[position : position + len(junk)] = junk
    path.write_bytes(data)
    try:
        micrograph = read(path, max_pixels=10_000_000)
    except ReadError as error:
        assert "expected" in str(error)
    else:
        assert micrograph.pixels.ndim == 2


def test_error_sentences_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "a.tif")
    assert "\n" not in str(caught.value)
