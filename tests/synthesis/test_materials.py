"""Rendered materials: spectra whose lines stand where tables say, patterns whose rings lie at the crystal's spacings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morphoscope.io import read
from morphoscope.io.spectra import read_spectrum
from morphoscope.measure.diffraction import find_centre, levels, polar
from morphoscope.synthesis import render, write_dataset, xray
from morphoscope.synthesis.diffraction import SCATTERING, Camera, pattern, reflections
from morphoscope.synthesis.materials import MATERIALS

BY_NAME = {material.name: material for material in MATERIALS}
DETECTOR = xray.Detector(2048, 10.0, -100.0, 130.0, 0.3, 0.01)


def spacings_per_nm(name: str, most: float = 9.0) -> np.ndarray:
    """1/d of the rings, inner ones first."""
    crystal = BY_NAME[name].crystal
    assert crystal is not None
    points, _ = reflections(crystal, most)
    return np.unique(np.linalg.norm(points, axis=1).round(3))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "gold",
            [4.247, 4.904, 6.935, 8.132, 8.493],
        ),  # 111, 200, 220, 311, 222 of a face-centred lattice; 100 and 110 are extinct
        ("copper", [4.791, 5.533, 7.824]),
        ("anatase", [2.844, 4.114, 4.204, 4.281]),  # 101, 103, 004, 112: JCPDS 21-1272 has d = 3.52, 2.43, 2.38, 2.33 Å
        ("rutile", [3.079, 4.021, 4.354, 4.570]),  # 110, 101, 200, 111: JCPDS 21-1276 has 3.25, 2.49, 2.30, 2.19 Å
    ],
)
def test_reflections_lie_where_powder_tables_have_them(name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(spacings_per_nm(name)[: len(expected)], expected, rtol=3e-3)


def test_scattering_factors_forward_are_those_of_the_table() -> None:
    forward = {element: sum(a) for element, (a, _) in SCATTERING.items()}
    assert forward == pytest.approx({"O": 1.982, "Ti": 8.759, "Cu": 5.589, "Ag": 8.656, "Au": 10.558}, abs=2e-3)


def test_rings_of_a_powder_lie_at_its_spacings() -> None:
    camera = Camera(256, 0.08, (131.0, 124.0), 1.5, halo=0.0, dose=1000.0, stop=None)
    drawn = pattern(BY_NAME["gold"], camera, 400, 12.0, np.random.default_rng(0))
    assert np.hypot(*np.subtract(find_centre(drawn), camera.centre)) < 1.0
    profile = np.nanmean(polar(levels(drawn), camera.centre), axis=1)
    for per_nm in (4.247, 6.935):
        near = np.arange(round(0.93 * per_nm / 0.08), round(1.07 * per_nm / 0.08))
        assert near[profile[near].argmax()] * 0.08 == pytest.approx(per_nm, abs=0.09)


def test_lines_stand_at_their_energies_as_wide_as_the_detector_makes_them() -> None:
    counts = xray.expected({"Mo": 0.0, "Cu": 1.0}, DETECTOR, 200.0, 0.2)
    assert counts.sum() == pytest.approx(1.0)
    energy = DETECTOR.energy_kev
    line = np.where(abs(energy - 8.04) < 0.3, counts, 0)
    assert energy[line.argmax()] == pytest.approx(8.041, abs=0.01)
    above_half = (line > line.max() / 2).sum() * 0.01
    assert above_half == pytest.approx(2.3548 * float(xray.sigma_kev(8.041, 130.0)), abs=0.015)
    assert 2.3548 * float(xray.sigma_kev(5.895, 130.0)) == pytest.approx(0.130), "by definition"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("materials")
    write_dataset("materials", 12, folder, size=64, seed=3)
    return folder


def test_the_sheet_names_a_spectrum_and_a_pattern_of_each_picture(folder: Path) -> None:
    sheet = pd.read_csv(folder / "labels.csv")
    assert list(sheet.columns) == ["filename", "Sample", "Material", "Family", "spectrum_file", "diffraction_file"]
    assert sheet["Material"].tolist() == 2 * [material.name for material in MATERIALS]
    for column in ("spectrum_file", "diffraction_file"):
        assert all((folder / name).is_file() for name in sheet[column])
    write_dataset("materials", 2, folder, size=64, seed=3, overwrite=True)
    assert len(list((folder / "spectra").iterdir())) == len(list((folder / "diffraction").iterdir())) == 2
    write_dataset("materials", 12, folder, size=64, seed=3, overwrite=True)


def test_written_spectra_and_patterns_read_as_they_were_drawn(folder: Path) -> None:
    sheet = pd.read_csv(folder / "labels.csv")
    for picture, row in zip(render("materials", 6, size=64, seed=3), sheet.itertuples(), strict=False):
        assert picture.spectrum is not None and picture.pattern is not None
        spectrum, diffraction = read_spectrum(folder / row.spectrum_file), read(folder / row.diffraction_file)
        np.testing.assert_array_equal(spectrum.counts, picture.spectrum.counts)
        assert spectrum.energy_kev is not None and spectrum.signal == "EDS"
        assert spectrum.energy_kev[0] == pytest.approx(picture.spectrum.offset_ev / 1e3)
        np.testing.assert_array_equal(diffraction.pixels, picture.pattern.pixels)
        assert diffraction.is_diffraction and diffraction.reciprocal_per_nm == pytest.approx(picture.pattern.per_nm, rel=1e-5)
        assert np.hypot(*np.subtract(find_centre(diffraction.pixels), picture.pattern.centre)) < 2


def test_another_program_reads_the_same_spectrum(folder: Path) -> None:
    msa = pytest.importorskip("rsciio.msa")
    path = next((folder / "spectra").iterdir())
    (other,) = msa.file_reader(str(path))
    (axis,) = other["axes"]
    spectrum = read_spectrum(path)
    np.testing.assert_array_equal(other["data"], spectrum.counts)
    assert axis["units"] == "eV"
    np.testing.assert_allclose((axis["offset"] + axis["scale"] * np.arange(axis["size"])) / 1e3, spectrum.energy_kev)
    assert other["metadata"]["Signal"]["signal_type"].startswith("EDS")
