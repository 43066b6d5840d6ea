"""What every file format promises, over the registry: a new one finds its tests here and must say how to write a sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import written_files as write
from PIL import Image

from morphoscope.errors import ReadError
from morphoscope.io import find_micrographs, read
from morphoscope.io.detect import FILE_FORMATS

SHAPE = (37, 53)
SIDES = (4.0, 2.0)
UNICODE = "Probe ３ µm 试样 (é)"


@dataclass(frozen=True)
class Sample:
    """How to write a file of a format. keeps_scale: whether it has room for unequal sides; is_lossy: whether grey levels change;
    is_upside_down: whether its rows are stored from below."""

    name: str
    write: Callable[..., Path]
    dtypes: tuple[str, ...] = ("uint8",)
    keeps_scale: bool = False
    keeps_frames: bool = False
    is_lossy: bool = False
    is_upside_down: bool = False
    fewest_frames: int = 1
    options: dict[str, Any] = field(default_factory=dict)


def _tiff(path: Path, frames: np.ndarray, sides_nm: write.Sides = None, *, order: str = "<") -> Path:
    scale: dict[str, Any] = {}
    if sides_nm:
        scale = {"resolution": (1 / sides_nm[1], 1 / sides_nm[0]), "description": "ImageJ=1.53\nunit=nm\n", "metadata": None}
    tifffile.imwrite(path, frames, byteorder=order, photometric="minisblack", **(scale or {"metadata": None}))
    return path


def _pillow(path: Path, frames: np.ndarray, sides_nm: write.Sides = None, **options: Any) -> Path:
    first, *others = (Image.fromarray(frame) for frame in frames)
    several = {"save_all": True, "append_images": others} if others else {}
    first.save(path, **several, **options)
    return path


def _emi(path: Path, frames: np.ndarray, sides_nm: write.Sides = None) -> Path:
    write.write_ser(path.with_name(f"{path.stem}_1.ser"), frames, sides_nm)
    return write.write_emi(path)


DEPTHS = ("uint8", "int16", "uint16", "float32")
SAMPLES = {
    "tiff": [
        Sample("a.tif", _tiff, (*DEPTHS, "uint32"), keeps_scale=True, keeps_frames=True, options={"order": order})
        for order in ("<", ">")
    ],
    "png": [Sample("a.png", _pillow, ("uint8", "uint16"))],
    "jpeg": [Sample("a.jpg", _pillow, is_lossy=True, options={"quality": 95})],
    "bmp": [Sample("a.bmp", _pillow)],
    "webp": [Sample("a.webp", _pillow, keeps_frames=True, options={"lossless": True})],
    "gif": [Sample("a.gif", _pillow, keeps_frames=True)],
    "mrc": [
        Sample(
            "a.mrc",
            write.write_mrc,
            ("int8", "int16", "uint16", "float32", "float16"),
            keeps_scale=True,
            keeps_frames=True,
            options={"order": order},
        )
        for order in ("<", ">")
    ],
    "dm": [
        Sample(
            f"a.dm{version}",
            write.write_dm,
            (*DEPTHS, "uint32"),
            keeps_scale=True,
            keeps_frames=True,
            options={"version": version},
        )
        for version in (3, 4)
    ],
    "ser": [Sample("a_1.ser", write.write_ser, DEPTHS, keeps_scale=True, keeps_frames=True, is_upside_down=True)],
    "emi": [Sample("a.emi", _emi, DEPTHS, keeps_scale=True, keeps_frames=True, is_upside_down=True)],
    "emd": [
        Sample("velox.emd", write.write_velox, DEPTHS, keeps_scale=True, keeps_frames=True),
        Sample("ncem.emd", write.write_ncem, DEPTHS, keeps_scale=True, keeps_frames=True),
    ],
    "tvips": [Sample("a_000.tvips", write.write_tvips, ("uint8", "uint16"), keeps_frames=True, fewest_frames=2)],
}
FROM_REAL_FILES_ONLY = {"bcf": "bruker_bcf/openncem/-10.bcf", "elid": "phenom/rsciio/Elid2Version0.elid"}
"""Containers that nothing but their makers' programs write."""

EVERY = [pytest.param(sample, id=f"{sample.name} {sample.options}".strip(" {}")) for all_ in SAMPLES.values() for sample in all_]
SCALED = [each for each in EVERY if each.values[0].keeps_scale]
FRAMED = [each for each in EVERY if each.values[0].keeps_frames]


def drawn(dtype: str, count: int = 2) -> np.ndarray:
    """(N, Y, X) smooth enough for a lossy format."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    frames = np.stack([20 + rows + columns + 10 * number for number in range(count)])
    return (frames if np.dtype(dtype).itemsize > 1 else frames // 2).astype(dtype)


def written(sample: Sample, folder: Path, frames: np.ndarray, sides_nm: write.Sides = None) -> Path:
    return sample.write(folder / sample.name, frames, sides_nm, **sample.options)


def as_read(sample: Sample, frame: np.ndarray) -> np.ndarray:
    return frame[::-1] if sample.is_upside_down else frame


def test_every_format_of_the_registry_is_tested_here() -> None:
    assert set(FILE_FORMATS.names()) == set(SAMPLES) | set(FROM_REAL_FILES_ONLY)
    for name in FILE_FORMATS.names():
        assert all(re.fullmatch(r"\.[a-z0-9]+", extension) for extension in FILE_FORMATS.load(name).extensions)


@pytest.mark.parametrize("sample", EVERY)
def test_pixels_of_every_depth(sample: Sample, tmp_path: Path) -> None:
    for dtype in sample.dtypes:
        frames = drawn(dtype, 2 if sample.keeps_frames else 1)
        micrograph = read(written(sample, tmp_path, frames))
        assert micrograph.pixels.shape == SHAPE and micrograph.pixels.dtype.isnative
        expected = as_read(sample, frames[0])
        if sample.is_lossy:
            np.testing.assert_allclose(micrograph.pixels.astype(int), expected.astype(int), atol=3)
        else:
            np.testing.assert_array_equal(micrograph.pixels, expected)
            assert dtype == "float16" or micrograph.pixels.dtype == np.dtype(dtype)


@pytest.mark.parametrize("sample", EVERY)
def test_without_a_calibration_the_scale_is_unknown(sample: Sample, tmp_path: Path) -> None:
    micrograph = read(written(sample, tmp_path, drawn(sample.dtypes[0], 2 if sample.keeps_frames else 1)))
    assert micrograph.pixel_size is None and not micrograph.is_diffraction
    numbers = ("magnification", "wd_mm", "dwell_us", "beam_current_na")
    assert all(micrograph.acquisition.value(name) not in (0, -1, 1) for name in numbers)


@pytest.mark.parametrize("sample", SCALED)
def test_unequal_sides_are_not_swapped(sample: Sample, tmp_path: Path) -> None:
    size = read(written(sample, tmp_path, drawn("uint16"), SIDES)).pixel_size
    assert size is not None
    assert (size.y_nm, size.x_nm, size.origin) == (pytest.approx(SIDES[0]), pytest.approx(SIDES[1]), "header")
    assert size.evidence[0].value_nm == size.x_nm and size.evidence[0].source.startswith("header: ")


@pytest.mark.parametrize("sample", FRAMED)
def test_frames_are_counted_and_found(sample: Sample, tmp_path: Path) -> None:
    frames = drawn(sample.dtypes[0], 3)
    path = written(sample, tmp_path, frames)
    for number in range(3):
        micrograph = read(path, frame=number)
        assert (micrograph.n_frames, micrograph.frame) == (3, number)
        np.testing.assert_array_equal(micrograph.pixels, as_read(sample, frames[number]))
    with pytest.raises(ReadError, match=r"frame 3 was asked for, the file has 3; expected a number from 0 to 2"):
        read(path, frame=3)


@pytest.mark.parametrize("sample", EVERY)
def test_a_truncated_file_is_refused_with_a_sentence(sample: Sample, tmp_path: Path) -> None:
    path = written(sample, tmp_path, drawn(sample.dtypes[-1], sample.fewest_frames))
    # TIA keeps the pixels in the .ser file: half an .emi loses its settings, half a .ser the picture.
    pixels = path.with_name("a_1.ser") if path.suffix == ".emi" else path
    whole = pixels.read_bytes()
    for share in (0.05, 0.5):
        pixels.write_bytes(whole[: max(20, int(len(whole) * share))])
        with pytest.raises(ReadError) as caught:
            read(path)
        assert str(path) in str(caught.value) and "expected" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("sample", EVERY)
def test_scrambled_bytes_are_read_or_refused_but_never_anything_else(sample: Sample, tmp_path: Path) -> None:
    path = written(sample, tmp_path, drawn(sample.dtypes[0], sample.fewest_frames))
    whole = bytearray(path.read_bytes())
    random = np.random.default_rng(3)
    for _ in range(12):
        data = bytearray(whole)
        position = int(random.integers(0, len(data) - 4))
        data[position : position + 4] = random.bytes(4)
        path.write_bytes(data)
        try:
            micrograph = read(path, max_pixels=1_000_000)
        except ReadError as error:
            assert "expected" in str(error)
        else:
            assert micrograph.pixels.ndim == 2


@pytest.mark.parametrize("sample", EVERY)
def test_names_in_any_script(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / UNICODE
    folder.mkdir()
    frames = drawn(sample.dtypes[0], sample.fewest_frames)
    written(sample, folder, frames)
    (found,) = find_micrographs(folder)
    assert read(found).pixels.shape == SHAPE


@pytest.mark.parametrize("sample", EVERY)
def test_the_limit_of_pixels_holds(sample: Sample, tmp_path: Path) -> None:
    path = written(sample, tmp_path, drawn(sample.dtypes[0], sample.fewest_frames))
    with pytest.raises(ReadError, match=r"37 × 53 pixels.*; expected at most 1,000 values"):
        read(path, max_pixels=1000)


@pytest.fixture(params=FROM_REAL_FILES_ONLY.values(), ids=FROM_REAL_FILES_ONLY)
def real_file(request: pytest.FixtureRequest, shared_data: Path) -> Iterator[Path]:
    yield shared_data / "vendor" / request.param


def test_a_real_container_holds_a_picture_with_its_scale(real_file: Path) -> None:
    micrograph = read(real_file)
    assert micrograph.pixel_size is not None and micrograph.pixels.ndim == 2
    assert any("no pictures" in warning for warning in micrograph.warnings)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_real_container_is_refused(real_file: Path, tmp_path: Path, share: float) -> None:
    whole = real_file.read_bytes()
    cut = tmp_path / real_file.name
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ReadError, match="expected"):
        read(cut)
