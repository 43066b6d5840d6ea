"""A rendered set on disk is what a user would hand over, and its files say what they show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.io import read
from morphoscope.synthesis import render, write_dataset
from morphoscope.synthesis.files import write_picture


def _sheet(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False)


def test_the_folder_holds_pictures_maps_and_sheets(tmp_path: Path) -> None:
    ticks: list[int] = []
    write_dataset("particles", 7, tmp_path, size=(64, 80), seed=1, progress=lambda: ticks.append(1))
    labels, truth, objects = (_sheet(tmp_path / name) for name in ("labels.csv", "truth.csv", "objects.csv"))
    assert len(ticks) == len(labels) == len(truth) == 7
    assert list(labels.columns) == ["filename", "Sample", "Modality", "Particle count", "Morphology", "Structure", "Arrangement"]
    for row, picture in zip(truth.itertuples(), render("particles", 7, size=(64, 80), seed=1), strict=True):
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "images" / row.filename), picture.pixels)
        with Image.open(tmp_path / "instance_maps" / f"{Path(row.filename).stem}.png") as stored:
            np.testing.assert_array_equal(np.asarray(stored), picture.instance_map)
        assert picture.pixel_size_nm is not None
        assert row.pixel_size_nm == pytest.approx(picture.pixel_size_nm[1])
        assert (objects.filename == row.filename).sum() == row.objects == len(picture.objects)
    assert set(labels["Modality"]) <= {"TEM", "SEM", "STEM-DF"}


def test_class_folders_and_several_workers(tmp_path: Path) -> None:
    write_dataset("tem-nanowires", 8, tmp_path / "one", size=48, layout="folders", file_format="png")
    write_dataset("tem-nanowires", 8, tmp_path / "two", size=48, layout="folders", file_format="png", workers=2)
    assert sorted(p.name for p in (tmp_path / "one/images").iterdir()) == ["bundle", "dispersed", "network", "singular"]
    first, second = ({p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("one", "two"))
    assert [b for _, b in sorted(first.items())] == [b for _, b in sorted(second.items())]


def test_earlier_results_are_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    write_dataset("sem10", 4, tmp_path, size=48)
    with pytest.raises(OutputError, match=r"already holds labels\.csv.*--overwrite"):
        write_dataset("sem10", 2, tmp_path, size=48)
    write_dataset("sem10", 2, tmp_path, size=48, overwrite=True)
    assert len(list((tmp_path / "images").iterdir())) == len(list((tmp_path / "instance_maps").iterdir())) == 2
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_folders_need_one_task_and_out_a_place(tmp_path: Path) -> None:
    with pytest.raises(MorphoscopeError, match="one task, and this has 5"):
        write_dataset("particles", 1, tmp_path, layout="folders")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="can't be written"):
        write_dataset("sem10", 1, tmp_path / "file" / "below", size=48)


def _of_maker(maker: str, kind: str, **options: object):  # type: ignore[no-untyped-def]
    return next(p for p in render(kind, 400, size=(48, 64), seed=6, **options) if p.settings.instrument.maker == maker)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["sem10", "tem-particles"])
def test_fei_tags_carry_the_scale_and_the_settings(tmp_path: Path, kind: str) -> None:
    picture = _of_maker("FEI", kind, bits=16, pixel_aspect=1.3)
    write_picture(tmp_path / "a.tif", picture)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tags = file.fei_metadata
        assert file.pages[0].dtype == np.uint16
    assert tags is not None
    assert picture.pixel_size_nm is not None
    assert tags["Scan"]["PixelHeight"] * 1e9 == pytest.approx(picture.pixel_size_nm[0], rel=1e-6)
    assert tags["Scan"]["PixelWidth"] * 1e9 == pytest.approx(picture.pixel_size_nm[1], rel=1e-6)
    assert tags["EBeam"]["HV"] == picture.hv_kv * 1e3
    if picture.wd_mm is not None:
        assert tags["EBeam"]["WD"] == pytest.approx(picture.wd_mm * 1e-3)


@pytest.mark.parametrize("maker", ["FEI", "ZEISS", "JEOL", "TESCAN"])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_reader_finds_scale_and_settings_again(tmp_path: Path, maker: str, bits: int) -> None:
    picture = _of_maker(maker, "sem10", bits=bits)
    write_picture(tmp_path / "a.tif", picture)
    micrograph = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(micrograph.pixels, picture.pixels)
    assert micrograph.pixel_size is not None
    assert (micrograph.pixel_size.y_nm, micrograph.pixel_size.x_nm) == pytest.approx(picture.pixel_size_nm, rel=1e-4)
    if maker in ("FEI", "ZEISS"):
        acquisition = micrograph.acquisition
        assert acquisition.value("hv_kv") == pytest.approx(picture.hv_kv)
        assert acquisition.value("wd_mm") == pytest.approx(picture.wd_mm)
        assert acquisition.value("detector") == picture.detector
        assert acquisition.value("magnification") == pytest.approx(picture.magnification, rel=0.01)


def test_zeiss_tags_carry_the_scale_and_the_settings(tmp_path: Path) -> None:
    picture = _of_maker("ZEISS", "sem10")
    write_picture(tmp_path / "a.tif", picture)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tags = file.sem_metadata
    assert tags is not None
    assert picture.pixel_size_nm is not None
    name, value, unit = tags["ap_image_pixel_size"]
    assert (name, unit) == ("Image Pixel Size", "nm")
    assert value == pytest.approx(picture.pixel_size_nm[1], rel=1e-5)
    assert tags["ap_actualkv"][1:] == (picture.hv_kv, "kV")
    assert tags["ap_wd"][1:] == (picture.wd_mm, "mm")


def test_other_makers_pictures_are_calibrated_as_imagej_does(tmp_path: Path) -> None:
    picture = _of_maker("Hitachi", "sem10")
    write_picture(tmp_path / "a.tif", picture)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["unit"] == "nm"
        numerator, denominator = file.pages[0].tags["XResolution"].value
    assert picture.pixel_size_nm is not None
    assert denominator / numerator == pytest.approx(picture.pixel_size_nm[1], rel=1e-4)


def test_a_script_without_a_guard_is_not_run_again_by_the_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from morphoscope.synthesis import write_dataset\n"
        "print('once')\n"
        f"write_dataset('particles', 5, Path({str(tmp_path / 'set')!r}), size=32, workers=2)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr
    assert len(list((tmp_path / "set" / "images").iterdir())) == 5
