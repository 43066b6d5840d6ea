"""Real files of the makers: every value of their truth sheets."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from morphoscope.errors import NoPictureError
from morphoscope.io import read
from morphoscope.micrograph import Micrograph

FOLDERS = ("fei_tfs", "zeiss", "tescan", "jeol", "hitachi", "tiff_misc")
BY_LIBRARY = ("gatan", "fei_tia", "velox_emd", "bruker_bcf", "mrc", "phenom")
"""Their truth is what RosettaSciIO once gave: a baseline against regressions."""
SPECTRA = ("2D__test-MonoCL_spectrum-SI.dm4", "EELS_STO.dm3", "example_object_dtype_data.emd")
NEEDS_INFO_FILE = "20241021_00405_movie.mrc"
"""Its magnification stands in a text file that is not beside it."""
FIELDS = {
    "magnification": "magnification",
    "hv_kv": "hv_kv",
    "wd_mm": "wd_mm",
    "detector": "detector",
    "stage_tilt_deg": "tilt_deg",
}


def rows(sheet: Path) -> list[dict[str, str]]:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def agrees(expected: str, found: float | str) -> bool:
    return found == expected if isinstance(found, str) else math.isclose(float(expected), found, rel_tol=1e-4, abs_tol=1e-3)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_value_of_the_truth(shared_data: Path, folder: str) -> None:
    for row in rows(shared_data / "vendor" / folder / "truth.csv"):
        micrograph = read(shared_data / "vendor" / folder / row["file"])
        assert micrograph.pixel_size is not None, row["file"]
        assert agrees(row["pixel_size_nm"], micrograph.pixel_size.x_nm), row["file"]
        for column, name in FIELDS.items():
            if row[column]:
                found = micrograph.acquisition.value(name)
                assert agrees(row[column], found), f"{row['file']}: {column} is {row[column]}, found {found}"
        assert micrograph.acquisition.date is not None and micrograph.acquisition.instrument is not None
        assert micrograph.warnings == ()


@pytest.mark.parametrize("folder", BY_LIBRARY)
def test_every_value_of_the_baseline(shared_data: Path, folder: str) -> None:
    for row in rows(shared_data / "vendor" / folder / "truth.csv"):
        path = shared_data / "vendor" / folder / row["file"]
        if path.name in SPECTRA:
            with pytest.raises(NoPictureError, match="found no picture, the file holds") as caught:
                read(path)
            size, settings = None, caught.value.settings
        else:
            micrograph = read(path)
            size, settings = micrograph.pixel_size, micrograph.acquisition
        if row["pixel_size_nm"]:
            assert size is not None and agrees(row["pixel_size_nm"], size.x_nm), path.name
        else:
            assert size is None, f"{path.name}: {size} was made up"
        for column, name in FIELDS.items():
            if row[column] and path.name != NEEDS_INFO_FILE:
                assert agrees(row[column], settings.value(name)), f"{path.name}: {column}"


def _databar(shared_data: Path) -> list[tuple[dict[str, str], Micrograph]]:
    return [(row, read(shared_data / "databar" / row["file"])) for row in rows(shared_data / "databar" / "truth.csv")]


def test_tags_of_pictures_with_an_information_bar(shared_data: Path) -> None:
    without_tags = 0
    for row, micrograph in _databar(shared_data):
        assert micrograph.pixels.shape == (int(row["height"]), int(row["width"]))
        if row["pixel_size_nm"] and "sidecar txt ($$SM" not in row["source_of_truth"]:
            assert micrograph.pixel_size is not None, row["file"]
            assert agrees(row["pixel_size_nm"], micrograph.pixel_size.x_nm), row["file"]
            assert micrograph.acquisition.value("detector") == row["detector"]
        else:
            assert micrograph.pixel_size is None, f"{row['file']}: a print resolution was taken for a scale"
            without_tags += 1
        bar = micrograph.information_bar
        if bar is not None:
            assert (bar.top, bar.height, bar.side) == (int(float(row["bar_top_y"])), int(row["bar_height_px"]), "bottom")
    assert without_tags == 16


def test_all_sources_of_one_header_agree(shared_data: Path) -> None:
    for row, micrograph in _databar(shared_data):
        for item in micrograph.pixel_size.evidence if micrograph.pixel_size else ():
            assert item.value_nm == pytest.approx(micrograph.pixel_size.x_nm, rel=0.01), row["file"]
