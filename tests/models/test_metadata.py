"""The metadata branch: what it reads, what it does with the unknown, how it follows a zoom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from morphoscope.micrograph import Acquisition, Micrograph, PixelSize, Sourced
from morphoscope.models.branches.metadata import MetadataEncoder, MetadataJitter, metadata_values


def micrograph(pixel_nm: float | None, magnification: float | None = None, hv_kv: float | None = None) -> Micrograph:
    size = PixelSize(pixel_nm, pixel_nm, "header") if pixel_nm else None
    acquisition = Acquisition(
        magnification=Sourced(magnification, "filename") if magnification else None,
        hv_kv=Sourced(hv_kv, "header") if hv_kv else None,
    )
    return Micrograph(Path("a.tif"), np.zeros((50, 80), np.uint8), "tiff", size, acquisition)


def test_magnification_speaks_only_without_a_pixel_size() -> None:
    assert "log magnification" not in metadata_values(micrograph(2.0, 1e4), {})
    assert metadata_values(micrograph(None, 1e4), {})["log magnification"] == 4.0


def test_the_bare_magnification_is_for_recipes_that_ask_for_it() -> None:
    rows = [metadata_values(micrograph(None, magnification), {}) for magnification in (1e3, 1e4, 1e5)]
    assert MetadataEncoder.fit(rows).names == ["log magnification"]
    assert MetadataEncoder.fit(rows, magnification_divisor=2e5).names == ["magnification"]


def test_scale_is_in_powers_of_ten_nm() -> None:
    values = metadata_values(micrograph(10.0), {})
    assert values["log pixel size"] == pytest.approx(1.0)
    assert values["log field of view"] == pytest.approx(np.log10(10 * np.sqrt(50 * 80)))


def test_further_columns_of_the_sheet_are_numbers_or_categories() -> None:
    values = metadata_values(micrograph(None), {"Dose": "1,5", "Operator": "NA", "hv_kv": "80", "pixel_size_note": "?"})
    assert values == {"Dose": 1.5, "Operator": "NA"}


def test_unknown_values_are_flags_not_numbers() -> None:
    encoder = MetadataEncoder.fit([{"hv_kv": 10.0, "detector": "SE"}, {"hv_kv": 20.0}, {"detector": "BSE"}])
    vector = encoder.encode({})
    assert vector.tolist() == encoder.missing_vector().tolist() == [0, 1, 0, 0, 1]
    assert encoder.encode({"hv_kv": 15.0, "detector": "InLens"}).tolist() == [0, 0, 0, 0, 1]
    assert len(encoder.columns_of_slots()) == encoder.width


def test_a_column_that_never_changes_is_left_out() -> None:
    assert MetadataEncoder.fit([{"hv_kv": 10.0}] * 5).width == 0


def test_round_trip() -> None:
    encoder = MetadataEncoder.fit([{"hv_kv": 10.0, "detector": "SE"}, {"hv_kv": 20.0, "detector": "BSE"}])
    assert MetadataEncoder.from_dict(encoder.to_dict()) == encoder


@given(zoom=st.floats(0.5, 2.0), pixel_nm=st.floats(0.5, 500))
def test_a_zoomed_view_is_encoded_as_a_picture_with_smaller_pixels(zoom: float, pixel_nm: float) -> None:
    encoder = MetadataEncoder.fit([metadata_values(micrograph(nm), {}) for nm in (0.1, 5, 5000)])
    jitter = MetadataJitter(encoder, drop=0.0)
    before = torch.from_numpy(encoder.encode(metadata_values(micrograph(pixel_nm), {})))[None]
    after = jitter(before, torch.log(torch.tensor([zoom])), torch.Generator())
    expected = encoder.encode(metadata_values(micrograph(pixel_nm / zoom), {}))
    assert after[0].numpy() == pytest.approx(expected, abs=1e-4)


def test_dropped_columns_are_encoded_as_missing() -> None:
    encoder = MetadataEncoder.fit([{"hv_kv": 10.0, "detector": "SE"}, {"hv_kv": 20.0, "detector": "BSE"}])
    known = torch.from_numpy(encoder.encode({"hv_kv": 20.0, "detector": "SE"}))[None]
    dropped = MetadataJitter(encoder, drop=1.0)(known, torch.zeros(1), torch.Generator())
    assert dropped[0].tolist() == encoder.missing_vector().tolist()


def test_spellings_of_a_category_are_one_and_an_unseen_one_is_missing() -> None:
    rows: list[dict[str, float | str]] = [{"gas": "Argon"}, {"gas": "argon "}, {"gas": "N2"}, {}]
    encoder = MetadataEncoder.fit(rows)
    assert encoder.width == 3, "argon, nitrogen, missing"
    assert encoder.encode({"gas": " ARGON"}).tolist() == encoder.encode(rows[0]).tolist() == [1, 0, 0]
    assert encoder.encode({"gas": "helium"}).tolist() == encoder.encode({}).tolist() == [0, 0, 1]
