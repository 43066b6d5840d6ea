"""predictions.csv and its twin: the contract's columns, what stays empty, and cells that must not become formulas."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from morphoscope.errors import OutputError
from morphoscope.micrograph import PixelSize
from morphoscope.prediction import ClassPrediction
from morphoscope.reporting import workbook
from morphoscope.reporting.predictions_table import (
    PredictionsTable,
    error_row,
    number_columns,
    prediction_columns,
    prediction_rows,
)
from morphoscope.schema import Schema, Task

SHAPE = Task("Shape", ("Sphere", "Rod", "NA"))
KIND = Task("Kind", ("Particles", "Nanowires"), is_multilabel=True)
SCHEMA = Schema((SHAPE, KIND))


@pytest.fixture
def rows() -> list[dict[str, str]]:
    shape = ClassPrediction(
        SHAPE,
        np.array([[1 / 3, 2 / 3, 0.0], [0.05, 0.0, 0.95]]),
        np.array([[1, 1, 0], [0, 0, 1]], dtype=bool),
        np.array([False, True]),
    )
    kind = ClassPrediction(KIND, np.array([[0.9, 0.8], [0.2, 0.3]]), np.ones((2, 2), dtype=bool), np.array([True, True]))
    sizes = [PixelSize(2.0, 0.5, "header"), None]
    return prediction_rows(["a.tif", "=sub/b.tif"], [shape, kind], sizes, np.array([0.125, np.nan]))


def written(path: Path, rows: list[dict[str, str]]) -> pd.DataFrame:
    with PredictionsTable(path, prediction_columns(SCHEMA)) as table:
        table.write(rows)
        table.write([error_row("bad.tif", "bad.tif: cut short, expected a whole TIFF. Copy it again.")])
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def test_columns_are_those_of_the_contract() -> None:
    assert prediction_columns(SCHEMA) == [
        "path", "status", "error", "pixel_size_nm", "pixel_size_origin", "novelty",
        "Shape", "Shape.best", "Shape.confidence", "Shape.set", "Shape.p[Sphere]", "Shape.p[Rod]", "Shape.p[NA]",
        "Kind", "Kind.best", "Kind.confidence", "Kind.set", "Kind.p[Particles]", "Kind.p[Nanowires]",
    ]  # fmt: skip


def test_an_unsure_answer_leaves_the_class_empty_and_its_best_guess_stays(rows: list[dict[str, str]], tmp_path: Path) -> None:
    first, second, _ = written(tmp_path / "p.csv", rows).to_dict("records")
    assert (first["Shape"], first["Shape.best"], first["Shape.set"]) == ("", "Rod", "Sphere|Rod")
    assert (first["Shape.confidence"], first["Shape.p[Sphere]"]) == ("0.666667", "0.333333")
    assert (second["Shape"], second["Shape.best"]) == ("NA", "NA")
    assert (first["Kind"], second["Kind"]) == ("Particles|Nanowires", "Nanowires")


def test_unknown_scale_and_novelty_are_empty(rows: list[dict[str, str]], tmp_path: Path) -> None:
    first, second, _ = written(tmp_path / "p.csv", rows).to_dict("records")
    assert (first["pixel_size_nm"], first["pixel_size_origin"], first["novelty"]) == ("1", "header", "0.125")
    assert (second["pixel_size_nm"], second["pixel_size_origin"], second["novelty"]) == ("", "", "")


def test_a_bad_file_is_one_row(rows: list[dict[str, str]], tmp_path: Path) -> None:
    table = written(tmp_path / "p.csv", rows)
    assert list(table["status"]) == ["ok", "ok", "error"]
    assert table["error"].iloc[-1].startswith("bad.tif: cut short, expected")
    assert set(table.iloc[-1, 3:]) == {""}


def test_rows_are_on_disk_while_the_table_is_open(rows: list[dict[str, str]], tmp_path: Path) -> None:
    with PredictionsTable(tmp_path / "p.csv", prediction_columns(SCHEMA)) as table:
        table.write(rows)
        assert len(pd.read_csv(tmp_path / "p.csv")) == 2


def test_the_truth_has_its_column_where_it_is_known() -> None:
    said = ClassPrediction(SHAPE, np.eye(3), np.eye(3, dtype=bool), np.ones(3, dtype=bool))
    truth = np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)
    rows = prediction_rows(["a", "b", "c"], [said], [None] * 3, np.zeros(3), [truth])
    assert [row["Shape.true"] for row in rows] == ["Sphere", "NA", ""]
    assert set(rows[0]) <= set(prediction_columns(Schema((SHAPE,)), has_truth=True))


def test_a_file_name_that_is_no_text_is_written_with_its_bytes_escaped(tmp_path: Path) -> None:
    table = written(tmp_path / "p.csv", [error_row("caf\udce9.tif", "unreadable")])
    assert table["path"].iloc[0] == "caf\\udce9.tif"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's disk without room")
def test_a_full_disk_is_told_in_a_sentence() -> None:
    with pytest.raises(OutputError, match=r"No space left.*make room"):
        PredictionsTable(Path("/dev/full"), prediction_columns(SCHEMA))


def test_a_missing_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        PredictionsTable(tmp_path / "missing" / "p.csv", prediction_columns(SCHEMA))


def test_the_workbook_holds_the_same_with_numbers_as_numbers(rows: list[dict[str, str]], tmp_path: Path) -> None:
    written(tmp_path / "p.csv", rows)
    sheet = openpyxl.load_workbook(workbook.write_workbook(tmp_path / "p.csv", SCHEMA)).active
    header, first, second, bad = sheet.iter_rows()
    assert [cell.value for cell in header] == prediction_columns(SCHEMA)
    assert header[0].font.bold
    by_name = dict(zip([cell.value for cell in header], first, strict=True))
    assert by_name["Shape.p[Sphere]"].value == pytest.approx(0.333333)
    assert by_name["Shape"].value is None
    assert second[0].value == "=sub/b.tif"
    assert bad[1].value == "error"
    assert sheet.freeze_panes == "B2"
    assert sheet.column_dimensions["A"].width >= len("=sub/b.tif")


def test_no_cell_of_the_workbook_is_a_formula(tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "bell\x07.tif"]
    written(tmp_path / "p.csv", [error_row(name, name) for name in names])
    sheet = openpyxl.load_workbook(workbook.write_workbook(tmp_path / "p.csv", SCHEMA)).active
    cells = [row[0] for row in sheet.iter_rows(min_row=2, max_row=6)]
    assert [cell.data_type for cell in cells] == ["s"] * 5
    assert [cell.value for cell in cells] == [*names[:4], "bell.tif"]
    assert all(cell.quotePrefix for cell in cells[:4])


def test_a_table_longer_than_a_sheet_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, str]]) -> None:
    written(tmp_path / "p.csv", rows)
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    with pytest.raises(OutputError, match=r"4 rows; expected at most 3.*Use p.csv"):
        workbook.write_workbook(tmp_path / "p.csv", SCHEMA)


def test_number_columns_are_found_by_the_schema() -> None:
    awkward = Schema((Task("x.confidence", ("p[a]",)),))
    assert number_columns(awkward) == {"pixel_size_nm", "novelty", "x.confidence.confidence", "x.confidence.p[p[a]]"}
