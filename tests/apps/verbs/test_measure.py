"""`measure` from files to tables and page: truth in nm, and every kind of bad input as a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile
import typer
from PIL import Image
from typer.testing import CliRunner

from morphoscope.apps.cli.measure import measure as command
from morphoscope.apps.verbs.measure import measure
from morphoscope.errors import MorphoscopeError

SHAPE = (90, 140)


def discs(*places: tuple[int, int, int]) -> np.ndarray:
    """(Y, X) uint16 with a disc for each (row, column, radius)."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    drawn = np.zeros(SHAPE, np.uint16)
    for number, (row, column, radius) in enumerate(places, start=1):
        drawn[(y - row) ** 2 + (x - column) ** 2 <= radius**2] = number
    return drawn


def save(folder, name: str, instance_map: np.ndarray | None, shape: tuple[int, int] = SHAPE) -> None:
    """A picture of 2 nm a pixel and its map."""
    for kind in ("images", "masks"):
        (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(0).integers(40, 200, shape).astype(np.uint8)
    resolution = (0.5, 0.5)
    tifffile.imwrite(folder / "images" / f"{name}.tif", grey, imagej=True, resolution=resolution, metadata={"unit": "nm"})
    if instance_map is not None:
        Image.fromarray(instance_map).save(folder / "masks" / f"{name}.png")


@pytest.fixture
def folder(tmp_path):
    save(tmp_path, "good", discs((30, 40, 10), (60, 100, 20)))
    return tmp_path


def run(folder, **options) -> tuple[pd.DataFrame, list[str]]:
    said: list[str] = []
    out = folder / "measurements.csv"
    arguments = {"masks": folder / "masks"} | options
    measure([folder / "images"], out=out, say=said.append, **arguments)
    return pd.read_csv(out), said


def test_discs_of_known_size(folder) -> None:
    table, said = run(folder, report=folder / "report")
    np.testing.assert_allclose(table["equivalent_circular_diameter_nm"], [40, 80], rtol=0.03)
    np.testing.assert_allclose(table["equivalent_circular_diameter_px"], [20, 40], rtol=0.03)
    assert table["pixel_size_origin"].unique() == ["header"]
    assert not table["touches_border"].any()
    summary = pd.read_csv(folder / "report" / "summary.csv").iloc[0]
    assert (summary["n"], summary["border_rule"]) == (2, "exclude")
    assert summary["mean_nm"] == pytest.approx(60, rel=0.03)
    assert summary["n_per_um2"] == pytest.approx(2 / (90 * 140 * 4e-6), rel=1e-6)
    assert said == [f"Particles: 2, pictures measured: 1, error rows: 0. Table: {folder / 'measurements.csv'}"]


def test_the_page_stands_alone(folder) -> None:
    save(folder, "hostile <b>name", discs((45, 70, 20), *((12, 9 + 9 * k, 3) for k in range(12))))
    run(folder, report=folder / "report", overwrite=True)
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "hostile &lt;b&gt;name" in page
    assert "<b>name" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("Histogram of sizes</title>") == 2, "all together, and the picture with enough particles"


def test_metadata_sheet_gives_the_scale(folder) -> None:
    (folder / "sheet.csv").write_text("filename;pixel_size_nm\ngood.tif;3,5\n", encoding="utf-8")
    table, _ = run(folder, metadata=folder / "sheet.csv")
    assert table["equivalent_circular_diameter_nm"].iloc[0] == pytest.approx(70, rel=0.03)
    assert table["pixel_size_origin"].iloc[0] == "user"


def test_one_bad_picture_costs_one_row(folder) -> None:
    save(folder, "lost", None)
    save(folder, "small", discs((30, 40, 10)), (80, 140))
    (folder / "images" / "text.tif").write_text("no picture", encoding="utf-8")
    Image.fromarray(discs()).save(folder / "masks" / "text.png")
    save(folder, "torn", discs())
    (folder / "masks" / "torn.png").write_bytes((folder / "masks" / "torn.png").read_bytes()[:50])
    table, said = run(folder, report=folder / "report")
    failed = table[table["status"] == "error"]
    assert len(table) == 2 + 4
    assert failed["object"].isna().all()
    for part in ("found no mask", "its mask is 90 × 140 px, the picture is 80 × 140 px", "found text", "torn.png"):
        assert failed["error"].str.contains(part).sum() == 1
        assert sum(part in line for line in said) == 1
    summary = pd.read_csv(folder / "report" / "summary.csv")
    assert (summary["status"] == "error").sum() == 4
    assert "Not measured" in (folder / "report" / "report.html").read_text(encoding="utf-8")


def test_what_is_odd_is_noted(folder) -> None:
    save(folder, "empty", discs())
    save(folder, "full", np.full(SHAPE, 9, np.uint16))
    save(folder, "foreground", (discs((30, 40, 10), (60, 100, 20)) > 0).astype(np.uint8) * np.uint8(255))
    table, said = run(folder, report=folder / "report")
    assert len(table) == 2 + 0 + 1 + 1
    notes = pd.read_csv(folder / "report" / "summary.csv").set_index("path")["note"]
    notes.index = [path.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] for path in notes.index]
    assert "mask is empty" in notes["empty.tif"]
    assert "no particle lies clear of the border" in notes["full.tif"]
    assert "the one number 255 for 2 separate pieces" in notes["foreground.tif"]
    assert sum(line.startswith("Note: ") for line in said) == 3


def test_pictures_without_a_scale_are_counted_once(folder) -> None:
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / "images" / "plain.png")
    Image.fromarray(discs((30, 40, 10))).save(folder / "masks" / "plain.png")
    table, said = run(folder, report=folder / "report")
    plain = table[table["path"].str.endswith("plain.png")].iloc[0]
    assert np.isnan(plain["area_nm2"])
    assert plain["area_px"] == np.count_nonzero(discs((30, 40, 10)))
    assert any("no known scale in 1 of 2 pictures" in line for line in said)


def test_masks_below_the_pictures_are_no_pictures(folder) -> None:
    out = folder / "all.csv"
    measure([folder], out=out, masks=folder / "masks")
    assert len(pd.read_csv(out)) == 2
    with pytest.raises(MorphoscopeError, match="the pictures lie in it as well"):
        measure([folder / "masks"], out=folder / "other.csv", masks=folder / "masks")


def test_nothing_measured_is_an_error_with_its_rows_kept(folder) -> None:
    (folder / "masks" / "good.png").rename(folder / "masks" / "other.png")
    with pytest.raises(MorphoscopeError, match=r"good\.tif: found no mask"):
        run(folder)
    save(folder, "second", None)
    with pytest.raises(MorphoscopeError, match=r"None of 2 pictures .* found no mask"):
        run(folder, overwrite=True)
    assert pd.read_csv(folder / "measurements.csv")["status"].tolist() == ["error", "error"]


def test_earlier_results_are_kept_unless_told(folder) -> None:
    run(folder, report=folder / "report")
    with pytest.raises(MorphoscopeError, match="--overwrite"):
        run(folder)
    (folder / "measurements.csv").unlink()
    with pytest.raises(MorphoscopeError, match="it holds earlier results"):
        run(folder, report=folder / "report")
    run(folder, report=folder / "report", overwrite=True)


def test_border_must_be_known(folder) -> None:
    with pytest.raises(MorphoscopeError, match="Did you mean 'exclude'"):
        run(folder, border="exclued")


def test_without_masks_one_sentence_says_what_to_do(folder) -> None:
    with pytest.raises(MorphoscopeError, match=r"--masks is missing, .* expected a folder of instance maps .* Add --masks DIR"):
        run(folder, masks=None)
    assert not (folder / "measurements.csv").exists()


def test_command_line_takes_the_options(folder) -> None:
    app = typer.Typer()
    app.command()(command)
    options = {"--masks": folder / "masks", "--out": folder / "m.csv", "--report": folder / "r", "--border": "include"}
    result = CliRunner().invoke(app, [str(folder / "images"), *(str(part) for pair in options.items() for part in pair)])
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(folder / "m.csv")) == 2
    assert pd.read_csv(folder / "r" / "summary.csv")["border_rule"].tolist() == ["include"]
