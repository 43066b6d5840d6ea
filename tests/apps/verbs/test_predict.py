"""A model folder labels new pictures: the table by its contract, labelled copies, and the bundle alone being enough."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from morphoscope.apps.verbs.predict import predict
from morphoscope.errors import OutputError, ReadError
from morphoscope.models.bundle import Bundle


@pytest.fixture(scope="module")
def table(trained: Path, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The predictions of all rendered pictures."""
    path = tmp_path_factory.mktemp("predicted") / "table.csv"
    assert predict(trained, rendered / "images", path) == path
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_the_columns_are_those_of_the_contract(trained: Path, table: pd.DataFrame) -> None:
    columns = ["path", "status", "error", "pixel_size_nm", "pixel_size_origin", "novelty"]
    for task in Bundle.load(trained).schema.tasks:
        columns += [task.name, f"{task.name}.best", f"{task.name}.confidence", f"{task.name}.set"]
        columns += [f"{task.name}.p[{name}]" for name in task.classes]
    assert list(table) == columns


def test_every_picture_has_a_row_in_the_order_of_the_folder(table: pd.DataFrame, rendered: Path) -> None:
    assert list(table["path"]) == [str(path) for path in sorted((rendered / "images").iterdir())]
    assert set(table["status"]) == {"ok"}


def test_the_scale_is_that_of_the_file(table: pd.DataFrame, rendered: Path) -> None:
    truth = pd.read_csv(rendered / "truth.csv").set_index("filename")
    for path, size in zip(table["path"], table["pixel_size_nm"], strict=True):
        expected = truth.loc[Path(path).name, ["pixel_size_nm", "pixel_height_nm"]].astype(float).mean()
        assert float(size) == pytest.approx(expected, rel=0.01)


def test_the_scale_can_be_left_out(trained: Path, rendered: Path, tmp_path: Path) -> None:
    picture = min((rendered / "images").iterdir())
    for scale, origin in (("header", "header"), ("none", "")):
        path = predict(trained, picture, tmp_path / f"{scale}.csv", scale=scale)  # type: ignore[arg-type]
        (row,) = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
        assert row["pixel_size_origin"] == origin and bool(row["pixel_size_nm"]) is bool(origin)


def test_best_confidence_answer_and_set_agree_with_the_probabilities(trained: Path, table: pd.DataFrame) -> None:
    for task, confidence in zip(Bundle.load(trained).schema.tasks, Bundle.load(trained).confidence, strict=True):
        probabilities = table[[f"{task.name}.p[{name}]" for name in task.classes]].astype(float).to_numpy()
        assert probabilities.sum(1) == pytest.approx(1, abs=1e-4)
        assert [task.classes[i] for i in probabilities.argmax(1)] == list(table[f"{task.name}.best"])
        assert table[f"{task.name}.confidence"].astype(float).to_numpy() == pytest.approx(probabilities.max(1), abs=1e-5)
        is_sure = table[f"{task.name}.confidence"].astype(float) >= confidence.sure_threshold
        assert list(table[task.name]) == [
            best if sure else "" for best, sure in zip(table[f"{task.name}.best"], is_sure, strict=True)
        ]
        sets = [set(cell.split("|")) - {""} for cell in table[f"{task.name}.set"]]
        assert all(one <= set(task.classes) for one in sets)


def test_held_out_pictures_are_answered_as_in_the_training(
    trained: Path, table: pd.DataFrame, rendered: Path, settings_sheet: Path, tmp_path: Path
) -> None:
    predict(trained, rendered / "images", tmp_path / "table.csv", metadata=settings_sheet)
    again = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    again.index = [Path(path).name for path in again["path"]]
    held_out = pd.read_csv(trained / "predictions.csv", keep_default_na=False).set_index("path")
    numbers = [column for column in held_out if ".p[" in column]
    difference = (again.loc[held_out.index, numbers] - held_out[numbers]).abs().to_numpy()
    assert difference.max() < 0.001


def test_the_bundle_alone_is_enough(trained: Path, table: pd.DataFrame, rendered: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "model", tmp_path / "elsewhere")
    predict(tmp_path / "elsewhere", rendered / "images", tmp_path / "table.csv")
    again = pd.read_csv(tmp_path / "table.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(again, table)


def test_a_bundle_of_a_later_format_is_refused(trained: Path, tmp_path: Path, rendered: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(trained / "model", copy)
    document = json.loads((copy / "bundle.json").read_text(encoding="utf-8"))
    (copy / "bundle.json").write_text(json.dumps(document | {"format": 99}), encoding="utf-8")
    with pytest.raises(Exception, match=r"format 99.*Update Morphoscope"):
        predict(copy, rendered / "images", tmp_path / "table.csv")


def test_files_and_folders_can_be_mixed_and_each_is_read_once(trained: Path, rendered: Path, tmp_path: Path) -> None:
    first, *_ = sorted((rendered / "images").iterdir())
    predict(trained, [first, rendered / "images"], tmp_path / "table.csv")
    paths = pd.read_csv(tmp_path / "table.csv")["path"]
    assert paths[0] == str(first)
    assert len(paths) == 36


def test_a_data_set_stands_for_its_pictures(trained: Path, table: pd.DataFrame, rendered: Path, tmp_path: Path) -> None:
    """Its instance maps are no micrographs."""
    said: list[str] = []
    predict(trained, rendered, tmp_path / "p.csv", say=said.append)
    assert pd.read_csv(tmp_path / "p.csv")["path"].tolist() == table["path"].tolist()
    assert f"{rendered} is a data set: its images were taken from {rendered / 'images'}." in said


def test_the_twin_workbook_has_numbers_as_numbers(trained: Path, rendered: Path, tmp_path: Path) -> None:
    predict(trained, rendered / "images", tmp_path / "table.csv")
    twin = pd.read_excel(tmp_path / "table.xlsx")
    assert len(twin) == 36
    assert twin["novelty"].dtype == float


def test_copies_have_a_margin_and_leave_the_specimen_alone(trained: Path, rendered: Path, tmp_path: Path) -> None:
    predict(trained, rendered / "images", tmp_path / "table.csv", overlay=tmp_path / "labelled")
    copies = sorted((tmp_path / "labelled").iterdir())
    assert [copy.stem for copy in copies] == [path.stem for path in sorted((rendered / "images").iterdir())]
    with Image.open(copies[0]) as copy:
        assert copy.height > 72


def test_copies_of_pictures_of_the_same_name_stand_side_by_side(trained: Path, rendered: Path, tmp_path: Path) -> None:
    first, *_ = sorted((rendered / "images").iterdir())
    for name in ("a/x.tif", "b/x.tif", "b/X.TIF", "other/a/x.tif"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(first, tmp_path / "in" / name)
    predict(trained, tmp_path / "in", tmp_path / "table.csv", overlay=tmp_path / "labelled")
    assert len(list((tmp_path / "labelled").iterdir())) == len(pd.read_csv(tmp_path / "table.csv"))


def test_copies_never_replace_pictures_nor_earlier_copies_unasked(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(tmp_path / "in" / "a.png")
    with pytest.raises(OutputError, match="pictures to be labelled lie there"):
        predict(trained, tmp_path / "in", tmp_path / "table.csv", overlay=tmp_path / "in", overwrite=True)
    predict(trained, tmp_path / "in", tmp_path / "table.csv", overlay=tmp_path / "labelled")
    with pytest.raises(OutputError, match=r"it holds a\.png already"):
        predict(trained, tmp_path / "in", tmp_path / "other.csv", overlay=tmp_path / "labelled")
    predict(trained, tmp_path / "in", tmp_path / "table.csv", overlay=tmp_path / "labelled", overwrite=True)
    assert [path.name for path in (tmp_path / "labelled").iterdir()] == ["a.png"]


def test_a_picture_larger_than_allowed_is_an_error_row(trained: Path, rendered: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(small)
    predict(trained, [rendered / "images", small], tmp_path / "table.csv", max_pixels=100)
    table = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert (table["status"] == "error").sum() == 36
    assert table["error"].str.contains("expected at most").sum() == 36


def test_many_notes_do_not_flood_the_terminal(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for index in range(60):
        (tmp_path / "in" / f"{index}.tif").write_bytes(b"")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "in" / "z.png")
    said: list[str] = []
    predict(trained, tmp_path / "in", tmp_path / "table.csv", say=said.append)
    assert said[-2:] == [
        "And 21 notes more; the table holds every error.",
        f"1 pictures labelled, 60 error rows: {tmp_path / 'table.csv'}",
    ]
    assert len(said) == 42


def test_a_missing_folder_writes_no_table(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="found no such file or folder"):
        predict(trained, tmp_path / "missing", tmp_path / "table.csv")
    assert not (tmp_path / "table.csv").exists()


def test_explained_copies_lie_in_their_own_folder(trained: Path, rendered: Path, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for path in sorted((rendered / "images").iterdir())[:3]:
        shutil.copy(path, folder / path.name)
    (folder / "notes.tif").write_text("no picture", encoding="utf-8")
    predict(trained, folder, tmp_path / "table.csv", explain=tmp_path / "heat", overlay=tmp_path / "labelled")
    copies = sorted(path.name for path in (tmp_path / "heat").iterdir())
    assert copies == sorted(f"{path.stem}.png" for path in folder.iterdir() if path.name != "notes.tif")
    page = np.asarray(Image.open(tmp_path / "heat" / copies[0])).astype(int)
    assert page.ndim == 3
    assert np.ptp(page, axis=2).max() > 60, "heat is colour"
    plain = tmp_path / "plain.csv"
    predict(trained, folder, plain)
    assert plain.read_text(encoding="utf-8") == (tmp_path / "table.csv").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match=r"--explain .* holds .* already; expected none of the copies"):
        predict(trained, folder, tmp_path / "again.csv", explain=tmp_path / "heat")
    with pytest.raises(OutputError, match="the folder is that of --overlay"):
        predict(trained, folder, tmp_path / "third.csv", explain=tmp_path / "new", overlay=tmp_path / "new")
