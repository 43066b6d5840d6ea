"""The user's word over the file's, and where sources disagree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.calibration import conflicts, resolve
from morphoscope.errors import MorphoscopeError
from morphoscope.micrograph import Acquisition, Evidence, InformationBar, Micrograph, PixelSize, Sourced

HEADER = PixelSize(4.0, 3.0, "header", (Evidence("header: A", 3.0), Evidence("header: B", 3.05)))


def micrograph(**fields: object) -> Micrograph:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120), dtype="uint8")
    return Micrograph(Path("film.tif"), pixels, "tiff", **fields)  # type: ignore[arg-type]


def test_without_a_user_the_file_speaks() -> None:
    known = Acquisition(hv_kv=Sourced(5.0, "header"))
    bar = InformationBar(80, 10)
    resolved = resolve(micrograph(pixel_size=HEADER, acquisition=known, information_bar=bar))
    assert (resolved.pixel_size, resolved.acquisition, resolved.information_bar) == (HEADER, known, bar)
    assert resolve(micrograph()).pixel_size is None and resolve(micrograph(), {}).information_bar is None


def test_the_user_wins_and_the_evidence_stays() -> None:
    known = Acquisition(hv_kv=Sourced(5.0, "header"), wd_mm=Sourced(4.0, "header"))
    row = {
        "filename": "film.tif",
        "pixel_size_nm": "2,5",
        "HV_kV": "10",
        "wd_mm": " ",
        "Detector": "SE2",
        "tilt_deg": "-12.5",
        "pH": "7",
    }
    resolved = resolve(micrograph(pixel_size=HEADER, acquisition=known), row)
    assert (resolved.pixel_size.y_nm, resolved.pixel_size.x_nm, resolved.pixel_size.origin) == (2.5, 2.5, "user")
    assert [item.source for item in resolved.pixel_size.evidence] == ["user: metadata sheet", "header: A", "header: B"]
    assert resolved.acquisition.hv_kv == Sourced(10.0, "user") and resolved.acquisition.wd_mm == Sourced(4.0, "header")
    assert resolved.acquisition.detector == Sourced("SE2", "user") and resolved.acquisition.tilt_deg == Sourced(-12.5, "user")


def test_sides_of_unequal_pixels() -> None:
    size = resolve(micrograph(), {"pixel_size_y_nm": "4", "pixel_size_x_nm": "2"}).pixel_size
    assert (size.y_nm, size.x_nm, size.origin) == (4.0, 2.0, "user")
    with pytest.raises(MorphoscopeError, match=r"film\.tif: 'pixel_size_x_nm' is given without 'pixel_size_y_nm'; expected both"):
        resolve(micrograph(), {"pixel_size_x_nm": "2"})


@pytest.mark.parametrize("cell", ["abc", "0", "-3", "nan", "inf", "1,2,3", "5 nm"])
def test_a_cell_that_is_no_size(cell: str) -> None:
    with pytest.raises(
        MorphoscopeError, match=r"Metadata of film\.tif: 'pixel_size_nm' is '.*'; expected a positive number\. Correct"
    ):
        resolve(micrograph(), {"pixel_size_nm": cell})


def test_a_tilt_may_be_negative_but_is_a_number() -> None:
    assert resolve(micrograph(), {"tilt_deg": "0"}).acquisition.value("tilt_deg") == 0.0
    with pytest.raises(MorphoscopeError, match="'tilt_deg' is 'steep'; expected a number"):
        resolve(micrograph(), {"tilt_deg": "steep"})


def test_conflicts_are_sources_more_than_three_percent_apart() -> None:
    assert conflicts(None) == [] and conflicts(HEADER) == []
    resized = PixelSize(3.0, 3.0, "header", (Evidence("header: A", 3.0), Evidence("header: width over columns", 6.0)))
    (sentence,) = conflicts(resized)
    assert "header: A says 3 nm a pixel, header: width over columns says 6 nm" in sentence and "resized" in sentence
    close = PixelSize(1.0, 1.0, "header", (Evidence("a", 1.0), Evidence("b", 1.029), Evidence("c", 1 / 1.029)))
    apart = PixelSize(1.0, 1.0, "header", (Evidence("a", 1.0), Evidence("b", 1.031), Evidence("c", 1 / 1.031)))
    assert conflicts(close) == [] and len(conflicts(apart)) == 2


def test_the_users_size_against_the_header_is_a_conflict() -> None:
    resolved = resolve(micrograph(pixel_size=HEADER), {"pixel_size_nm": "30"})
    assert len(conflicts(resolved.pixel_size)) == 2


def test_a_bar_is_found_where_the_header_has_none() -> None:
    pixels = np.random.default_rng(0).integers(40, 200, (400, 600), dtype="uint8")
    pixels[360:] = 0
    pixels[370:390, 5:595:6] = 255
    resolved = resolve(Micrograph(Path("a.tif"), pixels, "tiff", pixel_size=HEADER))
    assert resolved.information_bar == InformationBar(360, 40, "bottom")
    assert resolved.specimen().shape == (360, 600) and resolved.field_of_view_nm == (1440.0, 1800.0)


@pytest.mark.parametrize(
    ("cell", "magnification"),
    [("5000", 5000), ("25", 25), ("10,000", 10_000), ("50k", 50_000), ("10.00 K X", 10_000), ("x1.2k", 1200), ("1200.5", 1200.5)],
)
def test_magnifications_as_people_write_them(cell: str, magnification: float) -> None:
    assert resolve(micrograph(), {"magnification": cell}).acquisition.magnification == Sourced(magnification, "user")
