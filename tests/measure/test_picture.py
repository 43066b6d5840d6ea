"""A picture and its map together: scale, border rule, rows of both tables, and rendered truth."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from morphoscope.errors import ReadError
from morphoscope.measure.picture import Asked, measure_picture
from morphoscope.measure.shape_statistics import shape_statistics
from morphoscope.measure.tables import MEASUREMENT_COLUMNS, SUMMARY_COLUMNS, measurement_rows, summary_row
from morphoscope.micrograph import InformationBar, Micrograph, PixelSize
from morphoscope.synthesis import render

SCALE = PixelSize(2.0, 2.5, "header")


def a_micrograph(shape: tuple[int, int], pixel_size: PixelSize | None = SCALE) -> Micrograph:
    return Micrograph(Path("folder/picture.tif"), np.zeros(shape, np.uint8), "test", pixel_size)


def three_squares() -> np.ndarray:
    field = np.zeros((40, 64), np.uint16)
    field[0:10, 5:15], field[15:25, 20:30], field[28:32, 50:54] = 1, 2, 5
    return field


def test_rows_hold_every_column_in_nm_and_px() -> None:
    rows = measurement_rows(measure_picture(a_micrograph((40, 64)), three_squares()))
    assert [row["object"] for row in rows] == ["1", "2", "5"]
    assert [row["touches_border"] for row in rows] == ["True", "False", "False"]
    assert set(rows[0]) == set(MEASUREMENT_COLUMNS) - {"error"}
    row = rows[1]
    assert (row["path"], row["kind"], row["status"]) == (str(Path("folder/picture.tif")), "particle", "ok")
    assert (float(row["area_px"]), float(row["area_nm2"])) == (100, 500)
    assert float(row["equivalent_circular_diameter_nm"]) == pytest.approx(math.sqrt(4 * 500 / math.pi), rel=1e-6)
    assert (float(row["min_feret_px"]), float(row["min_feret_nm"])) == (10, 20)
    assert (float(row["centroid_y_nm"]), float(row["centroid_x_nm"])) == (39, 61.25)
    assert float(row["aspect_ratio"]) == pytest.approx(1.25), "in true proportions"
    assert float(row["nearest_neighbour_distance_nm"]) == pytest.approx(math.hypot(15 * 2, 15 * 2.5))
    assert (row["pixel_size_origin"], float(row["pixel_size_nm"])) == ("header", pytest.approx(math.sqrt(5)))


def test_without_a_scale_nm_cells_are_missing() -> None:
    measured = measure_picture(a_micrograph((40, 64), None), three_squares())
    rows = [*measurement_rows(measured), summary_row(measured)]
    assert not any(value for row in rows for name, value in row.items() if "nm" in name or "um" in name)
    assert float(rows[1]["aspect_ratio"]) == pytest.approx(1)
    assert float(rows[-1]["d50_px"]) > 0


def test_border_rule_changes_the_distribution_and_nothing_else() -> None:
    excluding = summary_row(measure_picture(a_micrograph((40, 64)), three_squares()))
    including = summary_row(measure_picture(a_micrograph((40, 64)), three_squares(), "include"))
    assert set(excluding) <= set(SUMMARY_COLUMNS)
    assert (excluding["n"], including["n"]) == ("2", "3")
    assert (excluding["border_rule"], including["border_rule"]) == ("exclude", "include")
    assert excluding["d50_nm"] != including["d50_nm"]
    for name in ("n_objects", "n_touching_border", "n_per_um2", "area_fraction", "field_um2"):
        assert excluding[name] == including[name]
    assert float(excluding["field_um2"]) == pytest.approx(40 * 64 * 5e-6)
    assert float(excluding["n_per_um2"]) == pytest.approx(3 / (40 * 64 * 5e-6)), "the upper edge belongs to the field"
    assert float(excluding["area_fraction"]) == pytest.approx(216 / (40 * 64))
    assert float(excluding["mean_ci95_low_nm"]) <= float(excluding["mean_nm"]) <= float(excluding["mean_ci95_high_nm"])


def test_empty_map_and_an_object_that_fills_the_field() -> None:
    empty = measure_picture(a_micrograph((20, 30)), np.zeros((20, 30), np.uint8))
    assert measurement_rows(empty) == []
    assert (summary_row(empty)["n"], summary_row(empty)["area_fraction"], summary_row(empty)["d50_nm"]) == ("0", "0", "")
    full = measure_picture(a_micrograph((20, 30)), np.ones((20, 30), np.uint8))
    assert len(measurement_rows(full)) == 1
    assert (summary_row(full)["n"], summary_row(full)["n_objects"], summary_row(full)["area_fraction"]) == ("0", "1", "1")


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises(ReadError, match=r"its mask is 64 × 40 px, the picture is 40 × 64 px .* expected the same size"):
        measure_picture(a_micrograph((40, 64)), np.zeros((64, 40), np.uint8))


@pytest.mark.parametrize("pixel_aspect", [1.0, 1.3])
def test_rendered_particles_have_their_true_mean_diameter(pixel_aspect) -> None:
    """Isolated ones: where one covers another, a mask shows less than the truth."""
    found, true = [], []
    for picture in render("sem-particles", 16, size=(192, 256), seed=5, pixel_aspect=pixel_aspect):
        if picture.labels["Arrangement"] != "Isolated":
            continue
        size = PixelSize(*picture.pixel_size_nm, "header")
        measured = measure_picture(Micrograph(Path("p"), picture.pixels, "test", size), picture.instance_map)
        is_whole = measured.objects.is_counted & np.array([each.kind == "particle" for each in picture.objects])
        found += measured.objects.nm.equivalent_circular_diameter[is_whole].tolist()
        true += [each.ecd_nm for each, whole in zip(picture.objects, is_whole, strict=True) if whole]
    assert len(found) >= 20
    np.testing.assert_allclose(found, true, rtol=0.03)
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.01)


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 31)), elements=st.sampled_from([0, 0, 1, 2, 9])),
    st.sampled_from([None, (1.0, 1.0), (2.5, 0.7)]),
    st.sampled_from(["exclude", "include", "corrected"]),
    st.sampled_from(["auto", "particles", "wires", "network"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_any_map_gives_rows_without_nan(instance_map, spacing, border, kind, has_bar) -> None:
    size = PixelSize(*spacing, "header") if spacing else None
    bar = InformationBar(instance_map.shape[0] // 2, 1, "inside") if has_bar and instance_map.shape[0] > 3 else None
    micrograph = dataclasses.replace(a_micrograph(instance_map.shape, size), information_bar=bar)
    measured = measure_picture(micrograph, instance_map, Asked(border, kind))
    rows = [*measurement_rows(measured), summary_row(measured)]
    assert len(rows) == len(np.unique(instance_map[instance_map > 0])) + 1
    assert not {"nan", "inf", "-inf"} & {cell for row in rows for cell in row.values()}
    assert set(rows[-1]) <= set(SUMMARY_COLUMNS)
    assert np.isfinite(shape_statistics(instance_map, spacing, bar)[0])
