"""The user's word over the file's, and where sources disagree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.calibration import conflicts, needs_reading, resolve
from morphoscope.calibration.picture_reading import PictureReading
from morphoscope.calibration.resolve import METADATA_COLUMNS, is_resized
from morphoscope.errors import MorphoscopeError
from morphoscope.micrograph import Acquisition, Evidence, InformationBar, Micrograph, PixelSize, ScaleBar, Sourced

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


def stated(x_nm: float, *further: Evidence, y_nm: float | None = None, origin: str = "header") -> PixelSize:
    return PixelSize(y_nm or x_nm, x_nm, origin, (Evidence(f"{origin}: A", x_nm), *further))  # type: ignore[arg-type]


def printed(x_nm: float | None, **settings: Sourced[float]) -> PictureReading:
    bar = ScaleBar(100.0, 5.0, 45.0, 80.0) if x_nm else None
    return PictureReading(bar, x_nm, 0.9, Acquisition(**settings))  # type: ignore[arg-type]


def test_the_picture_is_read_where_the_file_leaves_the_scale_open() -> None:
    contradicted = stated(3.0, Evidence("header: width over columns", 6.0))
    assert needs_reading(micrograph()) and needs_reading(micrograph(pixel_size=contradicted))
    assert not needs_reading(micrograph(pixel_size=HEADER))
    assert not needs_reading(micrograph(), {"Pixel_Size_nm": "4"}), "the user has said it"
    assert not needs_reading(micrograph(is_diffraction=True)), "a reciprocal bar is no length"
    assert [needs_reading(micrograph(), scale=scale) for scale in ("auto", "header", "picture", "none")] == [
        True,
        False,
        True,
        False,
    ]  # type: ignore[arg-type]
    assert needs_reading(micrograph(pixel_size=HEADER), scale="picture")


def test_the_picture_speaks_where_nothing_else_does() -> None:
    resolved = resolve(micrograph(), reading=printed(2.5))
    assert resolved.pixel_size is not None and resolved.scale_bar is not None
    assert (resolved.pixel_size.y_nm, resolved.pixel_size.x_nm, resolved.pixel_size.origin) == (2.5, 2.5, "picture")
    assert resolved.pixel_size.evidence[0].detail == "confidence 0.90"
    assert resolve(micrograph(), reading=printed(None)).pixel_size is None


def test_header_and_picture_that_agree_are_both_evidence() -> None:
    size = resolve(micrograph(pixel_size=stated(3.0)), reading=printed(3.05)).pixel_size
    assert size is not None and (size.x_nm, size.origin) == (3.0, "header")
    assert [item.source for item in size.evidence] == ["header: A", "picture: scale bar"] and conflicts(size) == []


def test_a_resized_picture_has_the_scale_of_its_own_bar_and_the_headers_proportions() -> None:
    half = stated(3.0, Evidence("header: A over columns", 6.0), y_nm=4.5)
    size = resolve(micrograph(pixel_size=half), reading=printed(6.1)).pixel_size
    assert size is not None and (size.y_nm, size.x_nm, size.origin) == (pytest.approx(9.15), 6.1, "picture")
    (sentence,) = conflicts(size)
    assert "picture: scale bar says 6.1 nm a pixel, header: A says 3 nm" in sentence and "was resized" in sentence


def test_a_bar_that_fits_no_resize_leaves_the_conflict_to_the_user() -> None:
    size = resolve(micrograph(pixel_size=stated(3.0)), reading=printed(4.1)).pixel_size
    assert size is not None and (size.x_nm, size.origin) == (3.0, "header")
    (sentence,) = conflicts(size)
    assert "3 nm a pixel, picture: scale bar says 4.1 nm" in sentence and "fit no resize" in sentence
    told = resolve(micrograph(pixel_size=stated(3.0)), {"pixel_size_nm": "4.1"}, reading=printed(4.1)).pixel_size
    assert told is not None and (told.x_nm, told.origin) == (4.1, "user") and len(conflicts(told)) == 1


@pytest.mark.parametrize(
    ("columns", "factor", "is_one"),
    [
        (512, 2.0, True),  # 1024 before
        (600, 2.56, True),  # 1536 before
        (1024, 0.5, True),  # enlarged
        (512, 2.3, False),
        (512, 10.0, False),  # a misread unit
        (1024, 0.1, False),
        (512, 1.02, False),  # they agree
        (100, 40.96, False),  # nobody shrinks that far
    ],
)
def test_what_fits_a_resize(columns: int, factor: float, is_one: bool) -> None:
    assert is_resized(stated(3.0), 3.0 * factor, columns) is is_one


def test_a_header_that_knows_its_width_decides_what_is_a_resize() -> None:
    whole = stated(3.0, Evidence("header: A over columns", 3.0))
    assert not is_resized(whole, 6.0, 512), "the header fits the picture's columns: it was not resized"
    assert is_resized(stated(3.0, Evidence("header: A over columns", 30.0)), 30.2, 512)


def test_what_the_user_asks_for_decides() -> None:
    both = micrograph(pixel_size=stated(3.0), acquisition=Acquisition(magnification=Sourced(5e4, "header")))
    sizes = {scale: resolve(both, reading=printed(4.1), scale=scale) for scale in ("header", "picture", "none")}  # type: ignore[arg-type]
    assert sizes["header"].pixel_size is not None and sizes["header"].pixel_size.x_nm == 3.0
    assert sizes["picture"].pixel_size is not None and sizes["picture"].pixel_size.x_nm == 4.1
    assert sizes["none"].pixel_size is None and sizes["none"].acquisition.magnification is None
    assert resolve(both, reading=printed(None), scale="picture").pixel_size is None
    told = resolve(both, {"pixel_size_nm": "2", "magnification": "100"}, scale="none")
    assert told.pixel_size is not None and told.pixel_size.x_nm == 2.0
    assert told.acquisition.magnification == Sourced(100.0, "user")


def test_printed_settings_go_before_the_name_and_behind_the_header() -> None:
    known = Acquisition(hv_kv=Sourced(5.0, "header"), magnification=Sourced(1000.0, "filename"))
    reading = printed(
        None, hv_kv=Sourced(6.0, "picture"), magnification=Sourced(1200.0, "picture"), wd_mm=Sourced(4.0, "picture")
    )
    settings = resolve(micrograph(acquisition=known), reading=reading).acquisition
    assert settings.hv_kv == Sourced(5.0, "header") and settings.wd_mm == Sourced(4.0, "picture")
    assert settings.magnification == Sourced(1200.0, "picture")


def test_notes_of_a_sheet_are_no_values() -> None:
    assert {"pixel_size_origin", "pixel_size_note"} < set(METADATA_COLUMNS)
    assert resolve(micrograph(), {"pixel_size_note": "looks wrong", "pixel_size_origin": "header"}).pixel_size is None
