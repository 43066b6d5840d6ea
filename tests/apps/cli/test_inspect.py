"""`morphoscope inspect`: the table for people and the JSON that other programs rely on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from morphoscope.apps.cli.inspect import inspect
from morphoscope.errors import MorphoscopeError, OutputError

FIELDS = {
    "path", "reader", "shape", "dtype", "pixel_size_nm", "pixel_size_origin", "evidence", "conflicts", "magnification", "hv_kv",
    "wd_mm", "detector", "tilt_deg", "dwell_us", "date", "instrument", "information_bar", "scale_bar", "status", "error",
}  # fmt: skip

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
    assert all(row.keys() >= FIELDS for row in rows)
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
