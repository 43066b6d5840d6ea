"""Whatever is wrong with files, sheets or the disk: one clear sentence, no traceback, nothing lost."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

Morphoscope = Callable[..., Any]
Make = Callable[[Path, Path], None]


def truncated(path: Path, good: Path) -> None:
    path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])


def text(path: Path, good: Path) -> None:
    path.write_text("Sample 3, second wash\n", encoding="utf-8")


def empty(path: Path, good: Path) -> None:
    path.write_bytes(b"")


def bomb(path: Path, good: Path) -> None:
    """A TIFF of a few hundred bytes whose header promises 30,000 x 30,000 pixels."""
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8))
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tag = tiff.pages[0].tags[name]
            struct.pack_into("<I" if tag.dtype == 4 else "<H", data, tag.valueoffset, 30_000)
    path.write_bytes(data)


def without_numbers(path: Path, good: Path) -> None:
    tifffile.imwrite(path, np.full((40, 60), np.nan, np.float32))


BROKEN = {
    "truncated.tif": (truncated, "It is truncated"),
    "notes.tif": (text, "found text"),
    "empty.tif": (empty, "an empty file"),
    "bomb.tif": (bomb, "30000 × 30000 pixels"),
    "nan.tif": (without_numbers, "no pixel is a finite number"),
}


@pytest.fixture(scope="module")
def broken(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of every broken kind."""
    folder = tmp_path_factory.mktemp("broken")
    good = next((rendered / "images").glob("*.tif"))
    for name, (make, _) in BROKEN.items():
        make(folder / name, good)
    return folder


@pytest.fixture
def labels(rendered: Path) -> pd.DataFrame:
    return pd.read_csv(rendered / "labels.csv", dtype=str, keep_default_na=False)[["filename", "Modality", "Sample"]]


@pytest.fixture
def refused(morphoscope: Morphoscope, rendered: Path, small: list[str], tmp_path: Path) -> Callable[..., str]:
    """Trains with the given sheet and options; returns the sentence that it ended with."""

    def sentence(sheet: pd.DataFrame | None = None, *words: object) -> str:
        out = [] if "--out" in words else ["--out", tmp_path / "run"]
        if sheet is not None:
            sheet.to_csv(tmp_path / "labels.csv", index=False)
            words = ("--labels", tmp_path / "labels.csv", *words)
        return morphoscope("train", rendered / "images", "--epochs", 1, *small, *out, *words).sentence

    return sentence


def test_each_broken_file_is_an_error_row_among_good_ones(
    morphoscope: Morphoscope, trained: Path, rendered: Path, broken: Path, tmp_path: Path
) -> None:
    said = morphoscope("predict", trained, broken, rendered / "images", "--out", tmp_path / "table.csv")
    assert said.code == 0
    assert "Traceback" not in said.err
    table = pd.read_csv(tmp_path / "table.csv", keep_default_na=False).set_index("path")
    assert (table["status"] == "ok").sum() == 36
    for name, (_, found) in BROKEN.items():
        row = table.loc[str(broken / name)]
        assert row["status"] == "error"
        assert found in row["error"], row["error"]
        assert "; expected " in row["error"]
        assert row["error"] in said.err
        assert row["Modality.best"] == ""


def test_only_broken_files_end_with_2_and_a_row_each(
    morphoscope: Morphoscope, trained: Path, broken: Path, tmp_path: Path
) -> None:
    sentence = morphoscope("predict", trained, broken, "--out", tmp_path / "table.csv").sentence
    assert sentence.startswith("None of 5 files could be read as a picture; expected micrographs")
    assert set(pd.read_csv(tmp_path / "table.csv")["status"]) == {"error"}


def test_training_leaves_broken_files_out_and_names_them(
    morphoscope: Morphoscope, rendered: Path, broken: Path, labels: pd.DataFrame, small: list[str], tmp_path: Path
) -> None:
    sheet = pd.concat([labels, pd.DataFrame({"filename": list(BROKEN), "Modality": "SEM", "Sample": "broken"})])
    sheet.to_csv(tmp_path / "labels.csv", index=False)
    words = ["train", rendered / "images", broken, "--labels", tmp_path / "labels.csv", "--epochs", 1, *small]
    said = morphoscope(*words, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for name in BROKEN:
        assert sum(line.startswith("Left out: ") and name in line for line in said.err.splitlines()) == 1
        assert name in page
    assert len(pd.read_csv(tmp_path / "run" / "splits.csv")) == 36


def test_no_readable_picture_at_all(morphoscope: Morphoscope, broken: Path, tmp_path: Path) -> None:
    pd.DataFrame({"filename": list(BROKEN), "Kind": ["a", "b", "a", "b", "a"]}).to_csv(tmp_path / "kinds.csv", index=False)
    sentence = morphoscope("train", broken, "--labels", tmp_path / "kinds.csv", "--out", tmp_path / "run").sentence
    assert sentence.startswith("None of 5 files could be read as a picture; expected micrographs")


def test_a_folder_without_pictures(morphoscope: Morphoscope, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words in (["train", tmp_path / "empty", "--out", tmp_path / "run"], ["train", tmp_path / "missing"]):
        assert "expected" in morphoscope(*words).sentence


def test_a_sheet_without_the_column_of_file_names(labels: pd.DataFrame, refused: Callable[..., str]) -> None:
    sentence = refused(labels.rename(columns={"filename": "picture"}))
    assert "no column is called 'filename'; found picture, Modality, Sample" in sentence


@pytest.mark.parametrize("option", ["--group", "--sample", "--tasks"])
def test_a_column_that_is_not_there(option: str, labels: pd.DataFrame, refused: Callable[..., str]) -> None:
    sentence = refused(labels.rename(columns={"Modality": "Modus"}), option, "Modalty")
    assert f"{option} names 'Modalty', which is no column; expected one of" in sentence


def test_rows_that_disagree(labels: pd.DataFrame, refused: Callable[..., str]) -> None:
    first = labels.iloc[0]
    other = "SEM" if first["Modality"] == "TEM" else "TEM"
    sentence = refused(pd.concat([labels, labels.head(1).assign(Modality=other)]))
    assert f"labels.csv row 2 and labels.csv row 38: 'Modality' of {first['filename']} is" in sentence
    assert sentence.endswith("expected one value per image. Correct or delete one of the rows.")


def test_classes_outside_the_schema(labels: pd.DataFrame, refused: Callable[..., str], tmp_path: Path) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text('[tasks.Modality]\nclasses = ["SEM", "TEM", "STEM-DF"]\n', encoding="utf-8")
    labels.loc[3, "Modality"] = "TEMM"
    sentence = refused(labels, "--schema", schema)
    assert (
        "'Modality' has values outside its classes: 'TEMM' once (did you mean 'TEM'?); expected one of SEM, TEM, STEM-DF"
        in sentence
    )


def test_a_single_task_of_one_class(labels: pd.DataFrame, refused: Callable[..., str]) -> None:
    sentence = refused(labels.assign(Modality="SEM"))
    assert "no task is left to learn ('Modality': only one class occurs, 'SEM'" in sentence


def test_a_class_with_one_picture_is_trained_with_a_warning(
    morphoscope: Morphoscope, rendered: Path, labels: pd.DataFrame, small: list[str], tmp_path: Path
) -> None:
    """It stays a class that the model can answer: its picture is learnt from, and nothing else is lost."""
    labels.loc[5, "Modality"] = "SPM"
    labels.to_csv(tmp_path / "labels.csv", index=False)
    words = ["train", rendered / "images", "--labels", tmp_path / "labels.csv", "--group", "Sample", "--epochs", 1, *small]
    said = morphoscope(*words, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    warning = "'Modality' has classes with at most one image, which can't be both learnt and tested: 'SPM' (1)"
    assert warning in said.err
    assert warning.replace("'", "&#39;") in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    split = pd.read_csv(tmp_path / "run" / "splits.csv").set_index("filename")["split"]
    assert split[labels.loc[5, "filename"]] == "train"
    assert len(split) == 36


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--encoder", "imagenet"], "--encoder random"),
        (["--encoder", "defaul"], "Did you mean 'default'?"),
        (["--set", "model.backbone=resnet1O"], "Did you mean 'resnet18'?"),
        (["--set", "fit.learnin_rate=1"], "Did you mean 'fit.learning_rate'?"),
        (["--set", "fit.learning_rate=fast"], "'fit.learning_rate' is 'fast'"),
        (["--recipe", "defalt"], "Did you mean 'default'?"),
        (["--split", "80:20"], "expected 80/20, 70/20/10"),
        (["--resume"], "no run was begun there"),
        (["--resume", "--overwrite"], "both are given; expected one"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_makes_no_sense_is_refused_before_any_picture_is_read(
    words: list[str], expected: str, labels: pd.DataFrame, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("a picture was read")

    monkeypatch.setattr("morphoscope.data.preparation.read_calibrated", read)
    monkeypatch.setattr("morphoscope.data.preparation.content_hash", read)
    assert expected in refused(labels, *words)


def test_leaving_a_group_out_needs_groups(labels: pd.DataFrame, refused: Callable[..., str]) -> None:
    assert "Name the column of the groups with --group." in refused(labels, "--split", "logo")


def test_an_output_folder_with_an_earlier_run_is_kept(trained: Path, labels: pd.DataFrame, refused: Callable[..., str]) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    sentence = refused(labels, "--out", trained)
    assert "it holds earlier results (metrics.json, recipe.toml, fits, model); expected none." in sentence
    assert "--overwrite" in sentence
    assert before == {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}


def test_an_output_folder_with_other_things_is_fine(
    morphoscope: Morphoscope, class_folders: Path, small: list[str], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert morphoscope("train", class_folders, "--epochs", 1, *small, "--out", tmp_path).code == 0
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_an_output_that_can_not_be(command: str, morphoscope: Morphoscope, trained: Path, rendered: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    model = [] if command == "train" else [trained]
    for out in ([] if command == "predict" else [file]) + [file / "below"]:
        sentence = morphoscope(command, *model, rendered / "images", "--out", out).sentence
        assert sentence.startswith(f"--out {out}")
        assert "; expected" in sentence
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_table_is_not_overwritten_unasked(morphoscope: Morphoscope, trained: Path, rendered: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("mine", encoding="utf-8")
    words = ["predict", trained, rendered / "images", "--out", table]
    assert "add --overwrite" in morphoscope(*words).sentence
    assert table.read_text(encoding="utf-8") == "mine"
    assert morphoscope(*words, "--overwrite").code == 0
    assert "it is a folder" in morphoscope("predict", trained, rendered / "images", "--out", tmp_path).sentence
    assert ".csv" in morphoscope("predict", trained, rendered / "images", "--out", tmp_path / "table.xlsx").sentence


def test_a_model_that_is_none_or_damaged(morphoscope: Morphoscope, trained: Path, rendered: Path, tmp_path: Path) -> None:
    for command in (["predict", tmp_path, rendered / "images"], ["evaluate", tmp_path, rendered / "images"]):
        assert "no model here; expected a folder with bundle.json" in morphoscope(*command, "--out", tmp_path / "out").sentence
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (trained / "model").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    weights = bytearray((copy / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "weights.safetensors").write_bytes(weights)
    sentence = morphoscope("predict", copy, rendered / "images", "--out", tmp_path / "table.csv").sentence
    assert "its SHA-256 is another" in sentence


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_the_table(morphoscope: Morphoscope, trained: Path, rendered: Path) -> None:
    sentence = morphoscope("predict", trained, rendered / "images", "--out", "/dev/full").sentence
    assert sentence.startswith("/dev/full: the table can't be written (No space left on device)")
    assert not Path("/dev/full.xlsx").exists()


def full_disk(path: Path) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_a_full_disk_while_a_checkpoint_is_written_keeps_the_older_one(
    morphoscope: Morphoscope, class_folders: Path, small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    words = ["train", class_folders, "--epochs", 4, *small, "--checkpoint-seconds", 0, "--out", run]
    kept: list[bytes] = []
    replace = Path.replace

    def second_write_fails(part: Path, target: Path) -> Path:
        if target.name == "last.ckpt":
            if kept:
                raise full_disk(target)
            kept.append(part.read_bytes())
        return replace(part, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", second_write_fails)
        sentence = morphoscope(*words).sentence
    checkpoint = run / "fits" / "model" / "last.ckpt"
    assert sentence.startswith(f"{checkpoint}: can't be written (No space left on device); expected a writable place with room.")
    assert "--resume" in sentence
    assert checkpoint.read_bytes() == kept[0]
    assert not checkpoint.with_suffix(".part").exists()
    said = morphoscope(*words, "--resume")
    assert said.code == 0, said.err
    assert len(pd.read_csv(run / "history.csv")) == 4


@pytest.mark.parametrize("step", ["write_report", "write_metrics", "write_workbook"])
def test_a_full_disk_under_the_results_loses_no_training(
    step: str, morphoscope: Morphoscope, class_folders: Path, small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise full_disk(tmp_path / "run" / "somewhere")

    words = ["train", class_folders, "--epochs", 1, *small, "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr(f"morphoscope.apps.verbs.run_documents.{step}", fails)
        sentence = morphoscope(*words).sentence
    assert "somewhere: can't be written (No space left on device)" in sentence
    said = morphoscope(*words, "--resume")
    assert said.code == 0, said.err
    assert "It is finished already." in said.err


def test_odd_but_usable_pictures_are_predicted_with_a_note_where_one_is_due(
    morphoscope: Morphoscope, trained: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 255, (60, 80), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "constant.tif", np.full((60, 80), 7, np.uint16))
    Image.fromarray(np.dstack([grey, grey, grey, np.full_like(grey, 128)]), "RGBA").save(tmp_path / "rgba.png")
    scaled = (grey / 255).astype(np.float32)
    tifffile.imwrite(tmp_path / "scaled.tif", scaled)
    scaled[0, :5] = np.nan
    tifffile.imwrite(tmp_path / "holes.tif", scaled)
    said = morphoscope("predict", trained, tmp_path, "--out", tmp_path / "out" / "table.csv")
    assert said.code == 0
    table = pd.read_csv(tmp_path / "out" / "table.csv", keep_default_na=False)
    assert list(table["status"]) == ["ok"] * 4
    notes = [line for line in said.err.splitlines() if line.startswith("Note on ")]
    assert notes == [
        "Note on constant.tif: All pixels are 7: the picture is empty.",
        "Note on holes.tif: 5 of 4,800 pixels are NaN or infinite.",
    ]


def test_a_bare_command_shows_its_help(morphoscope: Morphoscope) -> None:
    assert "train" in morphoscope("--help").out
    for command in ("train", "predict", "evaluate", "demo", "doctor", "inspect", "render", "measure"):
        said = morphoscope(command, "--help")
        assert said.code == 0
        assert "Example: morphoscope" in " ".join(said.out.split())


def test_bad_usage_is_2(morphoscope: Morphoscope) -> None:
    for words in (["trian"], ["predict"], ["train", "x", "--epochs", "many"], ["train", "x", "--nonsense"]):
        said = morphoscope(*words)
        assert said.code == 2
        assert "Traceback" not in said.err
