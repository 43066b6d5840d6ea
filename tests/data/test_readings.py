"""The scale of a file, read from its pixels once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from morphoscope.calibration.picture_reading import PictureReading
from morphoscope.data import readings
from morphoscope.data.readings import read_calibrated
from morphoscope.micrograph import Acquisition, InformationBar, ScaleBar, Sourced

READING = PictureReading(
    ScaleBar(500.0, 10.5, 60.0, 80.0),
    10.1,
    0.8,
    Acquisition(hv_kv=Sourced(5.0, "picture")),
    InformationBar(70, 20),
    "500 nm\n5 kV",
    "",
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[int, ...]]:
    """The shapes of the pictures that were read, each giving READING."""
    shapes: list[tuple[int, ...]] = []

    def read_picture(pixels: np.ndarray) -> PictureReading:
        shapes.append(pixels.shape)
        return READING

    monkeypatch.setenv("MORPHOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(readings, "read_picture", read_picture)
    return shapes


def written(path: Path, **options: Any) -> Path:
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (90, 120), np.uint8), **options)
    return path


FEI = (34682, 2, 0, "[Scan]\nPixelWidth=3e-8\nPixelHeight=3e-8\nHorFieldsize=3.6e-6\n", True)


def test_a_reading_is_kept_by_content(tmp_path: Path, asked: list[tuple[int, ...]]) -> None:
    first = read_calibrated(written(tmp_path / "a.tif"))
    assert first.pixel_size is not None and (first.pixel_size.x_nm, first.pixel_size.origin) == (10.1, "picture")
    assert first.scale_bar == READING.scale_bar and first.acquisition.hv_kv == Sourced(5.0, "picture")
    again = read_calibrated((tmp_path / "a.tif").rename(tmp_path / "b.tif"))
    assert (again.pixel_size, again.scale_bar, again.acquisition) == (first.pixel_size, first.scale_bar, first.acquisition)
    assert len(asked) == 1, "another name, the same content"
    tifffile.imwrite(tmp_path / "c.tif", np.eye(90, 120, dtype=np.uint8))
    read_calibrated(tmp_path / "c.tif")
    assert len(asked) == 2


def test_a_picture_is_not_read_where_its_file_says_all(tmp_path: Path, asked: list[tuple[int, ...]]) -> None:
    path = written(tmp_path / "a.tif", extratags=[FEI])
    assert read_calibrated(path).scale_bar is None
    assert read_calibrated(written(tmp_path / "b.tif"), {"pixel_size_nm": "7"}).scale_bar is None
    assert read_calibrated(tmp_path / "b.tif", scale="header").pixel_size is None
    assert asked == []
    assert read_calibrated(path, scale="picture").scale_bar == READING.scale_bar


def test_real_pictures_that_were_resized_have_the_scale_of_their_bar(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "databar" / "images" / "fei_nova_2k_031.tif"
    with tifffile.TiffFile(source) as tiff:
        page = tiff.pages.first
        pixels, tag = page.asarray(), page.tags[34682]
        tiff.filehandle.seek(tag.valueoffset)
        header = tiff.filehandle.read(tag.valuebytecount)
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    tifffile.imwrite(tmp_path / "half.tif", half, extratags=[(34682, 2, 0, header, True)], metadata=None)
    size = read_calibrated(tmp_path / "half.tif").pixel_size
    assert size is not None and (size.origin, size.x_nm) == ("picture", pytest.approx(2 * 33.0729, rel=0.02))
    assert {item.source.partition(":")[0] for item in size.evidence} == {"picture", "header"}
