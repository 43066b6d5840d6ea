"""What the statistics say of drawn fields, what they do not depend on, and what they tell of real particles."""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from morphoscope.measure.shape_statistics import STATISTIC_NAMES, shape_statistics
from morphoscope.micrograph import InformationBar


def named(instance_map, *arguments) -> dict[str, float]:
    return dict(zip(STATISTIC_NAMES, shape_statistics(instance_map, *arguments).tolist(), strict=True))


def polygon(corners: int, radius: float = 40, turn: float = 0.3) -> np.ndarray:
    """(Y, X) uint8 with one regular polygon."""
    y, x = np.mgrid[:120, :130] - np.array([60.2, 64.7])[:, None, None]
    normals = turn + 2 * math.pi * np.arange(corners) / corners
    apothem = radius * math.cos(math.pi / corners)
    return np.all([x * math.cos(a) + y * math.sin(a) <= apothem for a in normals], axis=0).astype(np.uint8)


def test_no_object_and_one_object_are_said_and_not_guessed() -> None:
    nothing, one = named(np.zeros((40, 50), np.uint8)), named(polygon(4))
    assert (nothing["has_objects"], nothing["log_count"], nothing["area_fraction"]) == (0, 0, 0)
    assert math.isnan(nothing["log_median_diameter"])
    assert math.isnan(nothing["solidity_mean"])
    assert (one["has_objects"], one["is_one"], one["has_neighbours"]) == (1, 1, 0)
    assert math.isnan(one["gap_p50"])
    unknown = {name for name, value in one.items() if math.isnan(value)}
    assert {"log_median_diameter_nm", "log_field_nm"} < unknown
    assert not any(name.startswith(("solidity", "hull", "area")) for name in unknown)


def test_polygons_are_told_by_their_folds() -> None:
    triangle, square, hexagon, disc = (named(polygon(corners)) for corners in (3, 4, 6, 60))
    assert triangle["hull_fold_3_mean"] > 0.9
    assert square["hull_fold_4_mean"] > 0.9
    assert hexagon["hull_fold_6_mean"] > 0.9
    assert max(disc[f"hull_fold_{fold}_mean"] for fold in (3, 4, 5, 6)) < 0.15
    assert triangle["ellipse_fill_mean"] == pytest.approx(0.827, abs=0.01)
    assert square["ellipse_fill_mean"] == pytest.approx(0.955, abs=0.01)
    assert disc["ellipse_fill_mean"] == pytest.approx(1, abs=0.005)
    assert disc["inscribed_ratio_mean"] == pytest.approx(1, abs=0.04)


def test_shapes_do_not_depend_on_magnification_quarter_turns_and_numbers(blobs) -> None:
    once = named(blobs)
    turned = named(np.rot90(blobs))
    renumbered = named(np.where(blobs > 0, 3000 - blobs, 0).astype(np.uint16))
    for name, value in once.items():
        assert turned[name] == pytest.approx(value, rel=0.02, abs=0.02, nan_ok=True), name
        assert renumbered[name] == pytest.approx(value, rel=0.02, abs=0.02, nan_ok=True), name
    larger = named(np.kron(blobs, np.ones((2, 2), np.uint16)))
    for name in ("log_count", "area_fraction", "log_median_diameter", "solidity_mean", "log_aspect_ratio_p50", "in_clusters_1.0"):
        assert larger[name] == pytest.approx(once[name], rel=0.05, abs=0.05), name


def test_scale_gives_nm_and_true_proportions() -> None:
    field = np.zeros((60, 80), np.uint8)
    field[20:30, 20:40] = 1
    flat, true = named(field), named(field, (2.0, 1.0))
    assert math.exp(flat["log_aspect_ratio_mean"]) == pytest.approx(2, rel=0.01)
    assert true["log_aspect_ratio_mean"] == pytest.approx(0, abs=0.01)
    assert math.exp(true["log_median_diameter_nm"]) == pytest.approx(math.sqrt(4 * 400 / math.pi), rel=1e-4)
    assert math.exp(true["log_field_nm"]) == pytest.approx(math.sqrt(60 * 80 * 2), rel=1e-4)
    assert true["has_scale"] == 1


def test_an_information_bar_is_no_part_of_the_field() -> None:
    field = np.zeros((60, 80), np.uint8)
    field[20:30, 20:40] = 1
    assert named(field, None, InformationBar(50, 10))["area_fraction"] == pytest.approx(200 / (50 * 80))


def test_a_hundred_objects_on_512_pixels_take_a_twentieth_of_a_second() -> None:
    y, x = np.mgrid[:512, :512]
    field = ((y // 50 * 11 + x // 50 + 1) * ((y % 50 - 25) ** 2 + (x % 50 - 25) ** 2 < 400)).astype(np.uint16)
    times = []
    for _ in range(5):
        began = time.process_time()
        found = shape_statistics(field)
        times.append(time.process_time() - began)
    assert np.isfinite(found[: -len(("has_scale", "nm", "nm"))]).all()
    assert min(times) < 0.15, "40 ms of an idle core"


def test_true_masks_of_real_particles_tell_count_morphology_and_arrangement(shared_data) -> None:
    """EMPS, five folds that never divide a paper. Majority classes: .45, .62 and .51."""
    folder = shared_data / "emps"
    if not folder.is_dir():
        pytest.skip(f"no EMPS pictures: {folder} does not exist")
    sheet = pd.read_csv(folder / "labels.csv", keep_default_na=False)
    values = np.array([shape_statistics(np.asarray(Image.open(folder / "instance_maps" / name))) for name in sheet["filename"]])
    values = values[:, : STATISTIC_NAMES.index("has_scale")]
    accuracy = {}
    for task in ("Particle count", "Morphology", "Arrangement"):
        known = (sheet[task] != "").to_numpy()
        rows, truth, papers = values[known], sheet[task].to_numpy()[known], sheet["Paper"].to_numpy()[known]
        hits = []
        for fit, test in GroupKFold(5, shuffle=True, random_state=0).split(rows, truth, papers):
            trees = ExtraTreesClassifier(200, max_features=0.3, random_state=0)
            model = make_pipeline(SimpleImputer(strategy="median"), trees)
            hits.append(model.fit(rows[fit], truth[fit]).predict(rows[test]) == truth[test])
        accuracy[task] = float(np.concatenate(hits).mean())
    print(accuracy)
    assert accuracy["Particle count"] >= 0.97
    assert accuracy["Morphology"] >= 0.83
    assert accuracy["Arrangement"] >= 0.88
