"""The pixel size's uncertainty, stated or assumed, in every interval in nm."""

from __future__ import annotations

import pytest

from morphoscope.calibration import METADATA_COLUMNS
from morphoscope.errors import MorphoscopeError
from morphoscope.measure.uncertainty import ASSUMED, COLUMN, scale_uncertainty
from morphoscope.micrograph import PixelSize


def test_assumed_by_origin_and_overridden_by_the_user() -> None:
    for origin, relative in ASSUMED.items():
        found = scale_uncertainty(PixelSize(1, 1, origin))
        assert (found.relative, found.is_stated) == (relative, False)
    stated = scale_uncertainty(PixelSize(1, 1, "header"), {"Pixel_Size_U_Percent": "0,8 %"})
    assert (stated.relative, stated.is_stated) == (pytest.approx(0.008), True)


def test_no_model_learns_from_it() -> None:
    assert COLUMN in METADATA_COLUMNS


@pytest.mark.parametrize("cell", ["much", "-1", "100", "nan"])
def test_a_cell_that_is_no_percentage_is_refused(cell) -> None:
    with pytest.raises(MorphoscopeError, match="expected a percentage"):
        scale_uncertainty(PixelSize(1, 1, "header"), {"pixel_size_u_percent": cell})


def test_widening_adds_in_quadrature_and_never_below_zero() -> None:
    u = scale_uncertainty(PixelSize(1, 1, "header"), {"pixel_size_u_percent": "5"})
    low, high = u.widened(100.0, (97.0, 103.0))
    assert (low, high) == (pytest.approx(100 - (9 + 9.8**2) ** 0.5), pytest.approx(100 + (9 + 9.8**2) ** 0.5))
    assert u.widened(100.0, (97.0, 103.0), power=2)[1] == pytest.approx(100 + (9 + 19.6**2) ** 0.5)
    assert u.widened(1.0, (-3.0, 3.0))[0] == 0
