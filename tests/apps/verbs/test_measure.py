"""`measure` from files to tables and page: truth in nm, and every kind of bad input as a sentence."""

from __future__ import annotations

from pathlib import Path

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
from morphoscope.synthesis import write_dataset

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


def test_a_data_set_stands_for_its_pictures(tmp_path: Path) -> None:
    """Its instance maps are no micrographs."""
    write_dataset("particles", 2, tmp_path / "set", size=(64, 64), seed=1)
    measure(tmp_path / "set", tmp_path / "m.csv")
    found = {Path(path).parent.name for path in pd.read_csv(tmp_path / "m.csv")["path"]}
    assert found == {"images"}


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


def test_without_masks_the_objects_are_found(tmp_path) -> None:
    write_dataset("sizes", 2, tmp_path, size=(200, 260), seed=3, bar=0.0, difficulty=0.2)
    truth = pd.read_csv(tmp_path / "truth.csv")
    measure([tmp_path / "images"], out=tmp_path / "m.csv", report=tmp_path / "report", metadata=tmp_path / "truth.csv")
    found = pd.read_csv(tmp_path / "report" / "summary.csv")
    assert found["n_objects"].tolist() == pytest.approx(truth["objects"].tolist(), rel=0.4)


def test_masks_and_a_model_exclude_each_other(folder) -> None:
    with pytest.raises(MorphoscopeError, match="both are given; expected one"):
        run(folder, model=folder)


def test_command_line_takes_the_options(folder) -> None:
    app = typer.Typer()
    app.command()(command)
    options = {"--masks": folder / "masks", "--out": folder / "m.csv", "--report": folder / "r", "--border": "include"}
    result = CliRunner().invoke(app, [str(folder / "images"), *(str(part) for pair in options.items() for part in pair)])
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(folder / "m.csv")) == 2
    assert pd.read_csv(folder / "r" / "summary.csv")["border_rule"].tolist() == ["include"]


def wires_and_discs() -> np.ndarray:
    drawn = discs((20, 120, 10))
    drawn[50:54, 10:120], drawn[70:74, 10:110] = 2, 3
    return drawn


def summary_of(folder) -> pd.Series:
    return pd.read_csv(folder / "report" / "summary.csv").iloc[0]


def test_wires_have_lengths_and_widths(folder) -> None:
    save(folder, "good", wires_and_discs())
    table, said = run(folder, report=folder / "report")
    assert table["kind"].tolist() == ["particle", "wire", "wire"]
    np.testing.assert_allclose(table["length_nm"][1:], [220, 200], rtol=0.03)
    np.testing.assert_allclose(table["width_px"][1:], [4, 4], rtol=0.05)
    assert np.isnan(table["length_nm"][0])
    summary = summary_of(folder)
    assert (summary["kind"], summary["n"], summary["n_wires"], summary["percolates"]) == ("wires", 3, 2, False)
    assert summary["wire_length_mean_nm"] == pytest.approx(210, rel=0.03)
    assert summary["orientation_order"] == pytest.approx(1, abs=0.01)
    assert "Particles: 1, Wires: 2" in said[-1]
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "wires hold" in page
    assert "Wire width" in page


@pytest.mark.parametrize("how", ["--kind", "sheet", "predictions"])
def test_the_class_decides_what_is_measured(folder, how) -> None:
    save(folder, "good", wires_and_discs())
    (folder / "sheet.csv").write_text("filename,Morphology\ngood.tif,Sphere\n", encoding="utf-8")
    (folder / "predictions.csv").write_text(
        f"path,status,Morphology,Morphology.best\n{folder / 'images' / 'good.tif'},ok,Rod,Wire-fibre\n", encoding="utf-8"
    )
    options = {
        "--kind": {"kind": "particles"},
        "sheet": {"metadata": folder / "sheet.csv"},
        "predictions": {"classes": folder / "predictions.csv"},
    }[how]
    table, _ = run(folder, report=folder / "report", **options)
    assert table["kind"].unique().tolist() == ["particle"]
    assert summary_of(folder)["kind"] == "particles"
    assert summary_of(folder)["kind_reason"].startswith("asked" if how == "--kind" else "its class is")


def test_a_network_percolates(folder) -> None:
    net = np.zeros(SHAPE, np.uint16)
    net[40:44], net[:, 60:64] = 1, 2
    save(folder, "good", net)
    run(folder, report=folder / "report")
    summary = summary_of(folder)
    assert (summary["kind"], summary["percolates"], summary["n_junctions"]) == ("network", True, 1)
    assert (summary["n"], summary["contact_fraction"], summary["largest_cluster"]) == (0, 1, 2)


def test_samples_are_pooled_and_blurred_pictures_left_out(folder) -> None:
    for number in range(4):
        save(folder, f"p{number}", discs((30, 40, 10 + number), (60, 100, 10 + number)))
    blocks = np.kron(np.random.default_rng(0).integers(40, 200, (18, 28)), np.ones((5, 5))).astype(np.uint8)
    for number in range(4):
        grey = blocks if number < 3 else np.full(SHAPE, 100, np.uint8)
        scale = {"resolution": (0.5, 0.5), "metadata": {"unit": "nm"}}
        tifffile.imwrite(folder / "images" / f"p{number}.tif", grey, imagej=True, **scale)
    rows = "".join(f"p{number}.tif,{'A' if number != 1 else 'B'}\n" for number in range(4))
    (folder / "sheet.csv").write_text(f"filename,Batch\n{rows}", encoding="utf-8")
    options = {"metadata": folder / "sheet.csv", "sample": "batch", "report": folder / "report"}
    run(folder, **options)
    both = pd.read_csv(folder / "report" / "samples.csv", keep_default_na=False).set_index("sample")
    assert both.loc["A", "n_pictures"] == 3
    assert float(both.loc["A", "std_between_pictures"]) == pytest.approx(np.std([40, 48, 52], ddof=1), rel=0.1)
    assert both.loc["B", "std_between_pictures"] == ""
    assert float(both.loc["A", "mean_ci95_low"]) < float(both.loc["A", "mean"]) < float(both.loc["A", "mean_ci95_high"])
    _, said = run(folder, overwrite=True, min_focus=0.001, **options)
    sharp = pd.read_csv(folder / "report" / "samples.csv", keep_default_na=False).set_index("sample")
    assert (sharp.loc["A", "n_pictures"], sharp.loc["A", "n_left_out"]) == (2, 1)
    assert (sharp.loc["", "n"], sharp.loc["", "n_left_out"]) == (0, 1), "good.tif is noise, and has no specimen"
    summary = pd.read_csv(folder / "report" / "summary.csv")
    assert summary["is_pooled"].tolist() == [False, True, True, True, False]
    assert sum("below --min-focus" in line for line in said) == 2
    assert "Specimens" in (folder / "report" / "report.html").read_text(encoding="utf-8")


def test_the_scale_s_uncertainty_is_in_every_interval_in_nm(folder) -> None:
    (folder / "sheet.csv").write_text("filename,pixel_size_nm,pixel_size_u_percent\ngood.tif,2,10\n", encoding="utf-8")
    places = [(15 + 20 * (k // 5), 20 + 25 * (k % 5), 7) for k in range(15)]
    save(folder, "good", discs(*places))
    table, _ = run(folder, metadata=folder / "sheet.csv", report=folder / "report")
    summary = summary_of(folder)
    assert set(table["pixel_size_u_percent"]) == {10}
    assert (summary["pixel_size_u_origin"], summary["mean_ci95_low_px"]) == ("stated", summary["mean_ci95_high_px"])
    half = (summary["mean_ci95_high_nm"] - summary["mean_ci95_low_nm"]) / 2
    assert half == pytest.approx(1.96 * 0.1 * summary["mean_nm"], rel=1e-6), "all alike: nothing but the scale is uncertain"
    assert summary["n_per_um2_ci95_low"] < summary["n_per_um2"] < summary["n_per_um2_ci95_high"]


def test_corrected_rule_weighs_what_lies_clear(folder) -> None:
    save(folder, "good", discs((30, 40, 10), (60, 100, 20), (0, 100, 5)))
    table, _ = run(folder, report=folder / "report", border="corrected")
    weights = table["weight"].tolist()
    assert weights[0] == pytest.approx(90 * 140 / ((90 - 22) * (140 - 22)))
    assert (weights[1] > weights[0], weights[2]) == (True, 0)
    assert summary_of(folder)["mean_nm"] > 60


def test_wrong_options_are_sentences(folder) -> None:
    (folder / "sheet.csv").write_text("filename,Batch\ngood.tif,A\n", encoding="utf-8")
    for options, said in (
        ({"kind": "wire"}, "Did you mean 'wires'"),
        ({"sample": "Batch"}, "Add --report DIR"),
        ({"sample": "Bach", "report": folder / "r", "metadata": folder / "sheet.csv"}, "Did you mean 'batch'"),
        ({"sample": "Batch", "report": folder / "r"}, "add --metadata SHEET"),
        ({"precision": 0.0}, "expected a share of the mean"),
    ):
        with pytest.raises(MorphoscopeError, match=said):
            run(folder, **options)


def test_twenty_thousand_objects(folder) -> None:
    many = np.kron(np.arange(1, 20001).reshape(125, 160), np.pad(np.ones((4, 4), int), ((0, 2), (0, 2)))).astype(np.uint16)
    save(folder, "good", many, many.shape)
    table, _ = run(folder, report=folder / "report")
    assert len(table) == 20000
    assert summary_of(folder)["n_clusters"] == 20000
