from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.datavalidation import DataValidation

from morphoscope.errors import LabelSheetError
from morphoscope.io.label_sheet import read_sheet


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, rows: list[list[object]], **others: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, more in others.items():
        sheet = book.create_sheet(title)
        for row in more:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_any_separator_and_encoding_reads_the_same(tmp_path: Path, separator: str, encoding: str) -> None:
    text = separator.join(["filename", "Größe", "Note"]) + "\r\n" + separator.join(["a.tif", "groß", "5 µm"]) + "\r\n"
    sheet = read_sheet(written(tmp_path / "labels.csv", text, encoding))
    assert sheet.to_dict("list") == {"filename": ["a.tif"], "Größe": ["groß"], "Note": ["5 µm"]}


def test_na_and_none_are_classes_and_blank_is_empty(tmp_path: Path) -> None:
    text = "filename;Morphology;Num_particles\na.tif;NA;None\nb.tif; ;nan\nc.tif;null;N/A\n"
    sheet = read_sheet(written(tmp_path / "labels.csv", text))
    assert sheet["Morphology"].tolist() == ["NA", "", "null"]
    assert sheet["Num_particles"].tolist() == ["None", "nan", "N/A"]


def test_several_classes_in_a_cell_are_no_separator(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path / "labels.csv", "filename,Content\na.tif,Particles|Nanowires\n"))
    assert sheet["Content"].tolist() == ["Particles|Nanowires"]


@pytest.mark.parametrize("heading", ["filename", "FileName", "File Name", "file_name", "Image", "FILE"])
def test_headings_of_the_filename_column(tmp_path: Path, heading: str) -> None:
    assert read_sheet(written(tmp_path / "a.csv", f"{heading},Class\n x.tif ,A\n"))["filename"].tolist() == ["x.tif"]


def test_filename_goes_before_its_aliases(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path / "a.csv", "Image,filename\nBright,x.tif\n"))
    assert sheet["filename"].tolist() == ["x.tif"] and sheet["Image"].tolist() == ["Bright"]


def test_the_index_is_the_row_the_user_sees(tmp_path: Path) -> None:
    text = 'sep=;\nLabels of Monday;\n\nfilename;Note\na.tif;"two\nlines"\n;\nb.tif;x\n'
    assert read_sheet(written(tmp_path / "a.csv", text)).index.tolist() == [5, 7]
    rows = [["Labels of Monday"], [], ["filename", "Note"], ["a.tif", "x"], [None, None], ["b.tif", "y"]]
    assert read_sheet(workbook(tmp_path / "a.xlsx", rows)).index.tolist() == [4, 6]


def test_decimal_commas_become_points_in_columns_of_numbers(tmp_path: Path) -> None:
    text = "filename;hv_kv;Class;magnification\na.tif;2,5;1,2;1,200\nb.tif;10;x;50,000\nc.tif;;y;100\n"
    sheet = read_sheet(written(tmp_path / "a.csv", text))
    assert sheet["hv_kv"].tolist() == ["2.5", "10", ""]
    assert sheet["Class"].tolist() == ["1,2", "x", "y"]
    assert sheet["magnification"].tolist() == ["1.200", "50.000", "100"]  # `;` separates: the comma is the decimal sign
    english = 'filename,magnification\na.tif,"1,200"\nb.tif,"50,000"\n'
    assert read_sheet(written(tmp_path / "b.csv", english))["magnification"].tolist() == ["1200", "50000"]


@pytest.mark.parametrize("suffix", [".xlsx", ".xlsm"])
def test_workbook_cells_read_as_the_user_sees_them(tmp_path: Path, suffix: str) -> None:
    date = pd.Timestamp("2024-05-03").to_pydatetime()
    path = workbook(tmp_path / f"labels{suffix}", [["filename", "n", "kV", "day", "label"], ["a", 3.0, 2.5, date, "NA"], ["b"]])
    sheet = read_sheet(path)
    assert sheet.iloc[0].tolist() == ["a", "3", "2.5", "2024-05-03", "NA"]
    assert sheet.iloc[1].tolist() == ["b", "", "", "", ""]


def test_the_first_sheet_with_a_filename_column_is_read(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx", [["Read me"], ["Fill in the next sheet."]], Labels=[["filename", "Class"], ["a.tif", "x"]]
    )
    assert read_sheet(path)["Class"].tolist() == ["x"]


def test_drop_down_lists_do_no_harm(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["filename", "Class"])
    book.active.append(["a.tif", "x"])
    choice = DataValidation(type="list", formula1='"x,y"')
    book.active.add_data_validation(choice)
    choice.add("B2:B9")
    book.save(tmp_path / "a.xlsx")
    assert read_sheet(tmp_path / "a.xlsx")["Class"].tolist() == ["x"]


def test_columns_without_heading(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path / "a.csv", ",filename,Class,\n0,a.tif,x,\n1,b.tif,y,\n"))
    assert sheet.columns.tolist() == ["unnamed column A", "filename", "Class"]


def test_emps_sheets_agree(shared_data: Path) -> None:
    from_text = read_sheet(shared_data / "emps" / "labels.csv")
    assert len(from_text) == 366 and from_text.columns[:3].tolist() == ["filename", "Paper", "Modality"]
    pd.testing.assert_frame_equal(from_text, read_sheet(shared_data / "emps" / "labels.xlsx"))


def complaint(path: Path) -> str:
    with pytest.raises(LabelSheetError) as caught:
        read_sheet(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("filename,Class\n", "no rows"),
        ("filenam,Class\na.tif,x\n", "Did you mean 'filenam'?"),
        ("name,Class\na.tif,x\n", "found name, Class"),
        ("filename,Class,class\na.tif,x,y\n", "columns B and C are both called 'class'"),
        ("filename,Class\na.tif,x\n,y\n", "row 3 has values but no 'filename'"),
        ("filename,Class\na.tif,Few, many\n", "row 2 has 3 cells; expected 2"),
        ('filename,Class\na.tif,"x\nb.tif,y\n', "row 2: unexpected end of data; expected quotes in pairs"),
    ],
)
def test_bad_text_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in complaint(written(tmp_path / "labels.csv", text))


def test_bad_files_are_told(tmp_path: Path) -> None:
    written(tmp_path / "labels.csv", "filename,Class\na,x\n")
    assert "Did you mean 'labels.csv'?" in complaint(tmp_path / "label.csv")
    assert "no kind of sheet" in complaint(written(tmp_path / "labels.docx", "x"))
    assert "damaged or incomplete" in complaint(written(tmp_path / "text.xlsx", "filename,Class\na,x\n"))
    whole = workbook(tmp_path / "whole.xlsx", [["filename", "Class"], *[[f"{i}.tif", "x"] for i in range(500)]]).read_bytes()
    for cut in (0, 100, len(whole) // 2, len(whole) - 30):
        (tmp_path / "cut.xlsx").write_bytes(whole[:cut])
        assert "damaged or incomplete" in complaint(tmp_path / "cut.xlsx")
    (tmp_path / "old.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "password-protected" in complaint(tmp_path / "old.xlsx")


def test_formulas_need_a_result(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["filename", "Class"], ["a.tif", "=A2"]])
    assert "row 2 column B holds the formula =A2 without a result" in complaint(path)
    error = workbook(tmp_path / "b.xlsx", [["filename", "Class"], ["a.tif", "#REF!"]])
    assert "row 2 column B holds the formula error #REF!" in complaint(error)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).map(str.strip)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(cells.filter(bool), cells, cells), min_size=1, max_size=6),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_sheets_make_the_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list, separator: str, encoding: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([("filename", "Task one", "Task two"), *rows])
    path = written(tmp_path_factory.mktemp("sheet") / "labels.csv", text.getvalue(), encoding)
    read = read_sheet(path)
    numeric = read.columns[[all(not c or c.replace(",", "").isdigit() for c in read[name]) for name in read.columns]]
    expected = pd.DataFrame(rows, columns=["filename", "Task one", "Task two"], dtype=str)
    for column in expected.columns.difference(numeric):
        assert read[column].tolist() == expected[column].tolist()
