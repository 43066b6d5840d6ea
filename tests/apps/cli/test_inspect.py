"""`morphoscope inspect`: the table for people and the JSON that other programs rely on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import written_files as write

from morphoscope.apps.cli.inspect import inspect
from morphoscope.apps.verbs.inspect import inspect as run
from morphoscope.errors import MorphoscopeError, OutputError

FIELDS = {
    "path", "reader", "shape", "dtype", "pixel_size_nm", "pixel_size_origin", "evidence", "conflicts", "magnification", "hv_kv",
    "wd_mm", "detector", "tilt_deg", "dwell_us", "date", "instrument", "information_bar", "scale_bar", "status", "error",
}  # fmt: skip

MORE_FIELDS = {
    "origins",
    "is_diffraction",
    "picture_text",
    "picture_confidence",
    "picture_problem",
    "warnings",
    "reciprocal_per_nm",
    "spectrum",
}

FEI = "[Scan]\nPixelWidth=3e-8\nPixelHeight=4e-8\nHorFieldsize=7.2e-6\n[Beam]\nHV=10000\n[Detectors]\nName=TLD [a]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 60000, (90, 120), dtype="uint16")
    tifffile.imwrite(tmp_path / "a [1].tif", pixels, extratags=[(34682, 2, 0, FEI, True)])
    tifffile.imwrite(tmp_path / "b.tif", pixels)
    (tmp_path / "c.tif").write_text("no picture", encoding="utf-8")
    return tmp_path


def test_json_has_every_field_for_every_file(folder: Path) -> None:
    inspect([folder], json_file=folder / "out" / "inspected.json")
    rows = json.loads((folder / "out" / "inspected.json").read_text(encoding="utf-8"))
    assert [Path(row["path"]).name for row in rows] == ["a [1].tif", "b.tif", "c.tif"]
    assert all(row.keys() >= FIELDS | MORE_FIELDS for row in rows)
    first, second, third = rows
    assert (first["shape"], first["dtype"], first["status"], first["error"]) == ([90, 120], "uint16", "ok", None)
    assert (first["pixel_size_nm"], first["pixel_size_origin"]) == ({"y": 40.0, "x": 30.0}, "header")
    assert [set(item) for item in first["evidence"]] == [{"source", "value_nm", "detail"}] * 2
    assert "60 nm" in first["conflicts"][0], "the field width over the columns: half as many pixels as the header knows"
    assert (first["hv_kv"], first["detector"], first["wd_mm"], first["scale_bar"]) == (10.0, "TLD [a]", None, None)
    assert (second["pixel_size_nm"], second["evidence"], second["information_bar"]) == (None, [], None)
    assert third["status"] == "error" and "found text" in third["error"] and third["shape"] is None


def test_the_table_names_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspect([folder])
    shown = capsys.readouterr().out
    for part in ("a [1].tif", "b.tif", "c.tif", "90 × 120 uint16", "40 nm × 30 nm (header)", "TLD [a]", "error: ", "found text"):
        assert part in shown


def test_no_picture_at_all_is_an_error_but_the_json_is_kept(folder: Path) -> None:
    with pytest.raises(MorphoscopeError, match=r"c\.tif: found text; expected a picture"):
        inspect([folder / "c.tif"], json_file=folder / "x.json")
    assert json.loads((folder / "x.json").read_text(encoding="utf-8"))[0]["status"] == "error"
    (folder / "d.tif").touch()
    with pytest.raises(MorphoscopeError, match=r"None of 2 files could be read; .* The first: "):
        inspect([folder / "c.tif", folder / "d.tif"])


def test_a_json_file_that_can_t_be_written(folder: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        inspect([folder], json_file=folder / "b.tif" / "x.json")


def test_from_picture_nothing_but_the_pixels_speak(folder: Path) -> None:
    (row,) = run(folder / "a [1].tif", from_picture=True)
    assert (row["pixel_size_nm"], row["evidence"], row["hv_kv"], row["detector"]) == (None, [], None, None)
    assert row["shape"] == [90, 120] and row["picture_problem"] and row["status"] == "ok"


def test_a_conflict_is_shown_with_both_values(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspect([folder])
    shown = capsys.readouterr().out
    assert "60 nm (header)" in shown, "the column of conflicts"
    assert "header: FEI Scan.PixelWidth says 30 nm a pixel, header: FEI field width over columns says 60 nm" in shown


def test_settings_say_where_they_come_from(folder: Path) -> None:
    (folder / "b.tif").rename(folder / "b_x5000.tif")
    first, second, _ = run(folder)
    assert first["origins"] == {"hv_kv": "header", "detector": "header"}
    assert (second["magnification"], second["origins"]) == (5000.0, {"magnification": "filename"})


def test_spectra_are_no_picture_but_their_settings_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = np.arange(37 * 53, dtype="float32").reshape(37, 53)
    tags = {"Microscope Info": {"Voltage": 200_000.0}}
    spectra = write.write_dm(folder / "s.dm3", numbers, (0.5, 0.5), unit="eV", tags=tags)
    diffraction = write.write_dm(folder / "d.dm3", numbers, (0.5, 0.5), unit="1/nm", tags=tags)
    rows = {Path(row["path"]).name: row for row in run(folder)}
    assert (rows["s.dm3"]["status"], rows["s.dm3"]["pixel_size_nm"], rows["s.dm3"]["hv_kv"]) == ("ok", None, 200.0)
    assert rows["s.dm3"]["spectrum"]["counts"] == numbers.sum() and rows["s.dm3"]["spectrum"]["is_map"]
    assert (rows["d.dm3"]["status"], rows["d.dm3"]["is_diffraction"], rows["d.dm3"]["pixel_size_nm"]) == ("ok", True, None)
    inspect([spectra, diffraction])
    said = " ".join(capsys.readouterr().out.split())
    assert "diffraction" in said and "(a map," in said


def test_a_spectrum_says_its_energies_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = "#FORMAT : EMSA/MAS Spectral Data File\n#NPOINTS : 40\n{}#SIGNALTYPE : EDS\n#BEAMKV : 15\n#SPECTRUM :\n"
    for name, axis in (("a", "#XUNITS : eV\n#XPERCHAN : 10\n#OFFSET : -20\n"), ("b", "")):
        (tmp_path / f"{name}.msa").write_text(head.format(axis) + "\n".join(map(str, range(40))), encoding="ascii")
    (tmp_path / "c.msa").write_text(head.format("") + "1\n2\n", encoding="ascii")
    calibrated, bare, damaged = run(tmp_path)
    assert calibrated["spectrum"] == {
        "channels": 40, "counts": 780.0, "is_calibrated": True, "energy_kev": {"first": -0.02, "last": pytest.approx(0.37)},
        "step_ev": pytest.approx(10.0), "signal": "EDS", "is_map": False, "live_time_s": None,
    }  # fmt: skip
    assert (calibrated["status"], calibrated["shape"], calibrated["hv_kv"]) == ("ok", [40], 15.0)
    assert (bare["spectrum"]["is_calibrated"], bare["spectrum"]["energy_kev"]) == (False, None)
    assert damaged["status"] == "error" and "found 2 channels; expected 40" in damaged["error"]
    inspect([tmp_path])
    said = " ".join(capsys.readouterr().out.split())
    assert "EDS spectrum: -0.02 to 0.37 keV, 10 eV a channel, 780 counts" in said
    assert "no energy axis: not calibrated" in said


def test_a_sheet_is_written_corrected_and_given_back(folder: Path) -> None:
    (folder / "deeper").mkdir()
    (folder / "b.tif").rename(folder / "deeper" / "b.tif")
    sheet = folder / "sheets" / "scale.csv"
    inspect([folder], fix=sheet)
    table = pd.read_csv(sheet, dtype=str, keep_default_na=False).set_index("filename")
    assert list(table.index) == ["a [1].tif", "c.tif", "deeper/b.tif"]
    first = table.loc["a [1].tif"]
    assert (first["pixel_size_y_nm"], first["pixel_size_x_nm"], first["pixel_size_origin"]) == ("40.0", "30.0", "header")
    assert "60 nm" in first["pixel_size_note"] and "found text" in table.loc["c.tif", "pixel_size_note"]
    table.loc["deeper/b.tif", "pixel_size_nm"] = "12,5"
    table.to_csv(sheet, sep=";")
    rows = {Path(row["path"]).name: row for row in run(folder, metadata=sheet)}
    assert (rows["b.tif"]["pixel_size_nm"], rows["b.tif"]["pixel_size_origin"]) == ({"y": 12.5, "x": 12.5}, "user")
    assert rows["a [1].tif"]["pixel_size_nm"] == {"y": 40.0, "x": 30.0}
    with pytest.raises(OutputError, match=r"--fix .*scale\.csv: the file exists already; .* add --overwrite"):
        inspect([folder], fix=sheet)
    inspect([folder], fix=sheet, overwrite=True)
    with pytest.raises(OutputError, match=r"written as CSV; expected a name that ends in \.csv"):
        inspect([folder], fix=folder / "scale.xlsx")


def test_a_bad_cell_is_an_error_row(folder: Path) -> None:
    (folder / "scale.csv").write_text("filename,pixel_size_nm\nb.tif,many\n", encoding="utf-8")
    rows = {Path(row["path"]).name: row for row in run(folder, metadata=folder / "scale.csv")}
    assert "'pixel_size_nm' is 'many'; expected a positive number" in rows["b.tif"]["error"]


def test_a_folder_in_processes_is_the_same(folder: Path) -> None:
    for number in range(20):
        (folder / f"n{number}.tif").write_bytes((folder / "b.tif").read_bytes())
    assert run(folder, workers=2) == run(folder)
