"""curve, suggest and embed from the command line: their files, and bad input as sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

COLUMNS = ["task", "encoder", "per_class", "repeat", "n_train", "n_test", "accuracy", "balanced_accuracy"]


@pytest.fixture(scope="module")
def one_class(tmp_path_factory: pytest.TempPathFactory, rendered: Path) -> Path:
    """A sheet whose only task has one class."""
    sheet = pd.read_csv(rendered / "labels.csv")[["filename"]].assign(Shape="Rod")
    path = tmp_path_factory.mktemp("sheet") / "one.csv"
    sheet.to_csv(path, index=False)
    return path


def test_curve_writes_its_table_with_the_baselines_and_a_page(morphoscope, rendered: Path, tmp_path: Path) -> None:
    words = ["--labels", rendered / "labels.csv", "--group", "Sample", "--tasks", "Modality,Particle count"]
    few = ["--per-class", "1,2", "--repeats", 2, "--image-size", 64, "--encoders", "random"]
    said = morphoscope("curve", rendered / "images", *words, *few, "--out", tmp_path / "curve")
    assert said.code == 0, said.err
    table = pd.read_csv(tmp_path / "curve" / "curve.csv")
    assert list(table.columns[:8]) == COLUMNS
    assert set(table["encoder"]) == {"random", "default", "texture"}
    assert set(table["task"]) == {"Modality", "Particle count"}
    assert len(table) == 2 * 3 * 2 * 2
    assert table["balanced_accuracy"].between(0, 1).all()
    # Every encoder learned from, and was asked about, as many pictures.
    assert (table.groupby(["task", "per_class", "repeat"])[["n_train", "n_test"]].nunique() == 1).all().all()
    one_shot = pd.read_csv(tmp_path / "curve" / "one_shot.csv")
    assert set(one_shot["choice"]) == {"random", "medoid"}
    page = (tmp_path / "curve" / "curve.html").read_text()
    assert "Optimistic" not in page
    assert page.count("<svg") == 2
    assert (tmp_path / "curve" / "curve-2.svg").is_file()
    assert "it holds earlier results" in morphoscope("curve", rendered / "images", *words, "--out", tmp_path / "curve").sentence


def test_the_published_protocol_is_marked_as_optimistic(morphoscope, class_folders: Path, tmp_path: Path) -> None:
    words = ["--protocol", "as-published", "--per-class", "1", "--repeats", 1, "--image-size", 64]
    said = morphoscope("curve", class_folders, *words, "--out", tmp_path / "curve")
    assert said.code == 0, said.err
    table = pd.read_csv(tmp_path / "curve" / "curve.csv")
    assert set(table["protocol"]) == {"as-published"}
    assert set(table["head"]) == {"softmax"}
    assert "Optimistic" in (tmp_path / "curve" / "curve.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--encoders", "imagenet,random"], "Add --encoder random"),
        (["--encoders", "defalt"], "Did you mean 'default'"),
        (["--per-class", "1,two"], "expected whole numbers"),
        (["--per-class", "0,1"], "expected numbers from 1 on"),
    ],
)
def test_bad_usage_of_curve_is_one_sentence(words: list[str], said: str, morphoscope, rendered: Path, tmp_path: Path) -> None:
    answer = morphoscope("curve", rendered / "images", "--labels", rendered / "labels.csv", *words, "--out", tmp_path / "curve")
    assert said in answer.sentence


def test_labels_of_one_class_are_a_sentence(morphoscope, rendered: Path, one_class: Path, tmp_path: Path) -> None:
    answer = morphoscope("curve", rendered / "images", "--labels", one_class, "--out", tmp_path / "curve")
    assert "only one class occurs, 'Rod'" in answer.sentence


@pytest.mark.parametrize("strategy", ["mix", "uncertainty", "coverage", "typical"])
def test_suggest_gives_a_queue_of_unlabelled_pictures(
    strategy: str, morphoscope, trained: Path, rendered: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labelled.csv"
    pd.read_csv(rendered / "labels.csv").head(20).to_csv(labels, index=False)
    words = ["--count", 6, "--strategy", strategy, "--labels", labels]
    said = morphoscope("suggest", trained, rendered / "images", *words, "--out", tmp_path / "queue.csv")
    assert said.code == 0, said.err
    queue = pd.read_csv(tmp_path / "queue.csv")
    assert list(queue["rank"]) == [1, 2, 3, 4, 5, 6]
    assert queue["path"].is_unique
    assert not set(queue["filename"]) & set(pd.read_csv(labels)["filename"])
    assert queue["uncertainty"].between(0, 1).all()
    assert "Morphology.best" in queue
    if strategy == "uncertainty":
        assert queue["uncertainty"].is_monotonic_decreasing


def test_suggest_works_before_there_is_a_model(morphoscope, rendered: Path, tmp_path: Path) -> None:
    said = morphoscope("suggest", "default", rendered / "images", "--count", 4, "--out", tmp_path / "queue.csv")
    assert said.code == 0, said.err
    assert len(pd.read_csv(tmp_path / "queue.csv")) == 4
    words = ["--strategy", "uncertainty", "--out", tmp_path / "other.csv"]
    assert "an encoder and answers nothing" in morphoscope("suggest", "default", rendered / "images", *words).sentence
    every = ["--labels", rendered / "labels.csv", "--out", tmp_path / "other.csv"]
    assert "all 36 pictures have a label" in morphoscope("suggest", "default", rendered / "images", *every).sentence


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_embed_writes_a_row_a_picture_and_keeps_what_fails(
    ending: str, morphoscope, trained: Path, rendered: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\x00" + bytes(30))
    tables = {}
    for model in ("default", trained):
        out = tmp_path / f"{Path(model).name}.{ending}"
        said = morphoscope("embed", model, rendered / "images", broken, "--out", out)
        assert said.code == 0, said.err
        tables[model] = pd.read_parquet(out) if ending == "parquet" else pd.read_csv(out)
    for table in tables.values():
        assert len(table) == 37
        assert list(table.columns[:5]) == ["path", "status", "error", "pixel_size_nm", "pixel_size_origin"]
        assert (table["status"] == "error").sum() == 1
        features = table.loc[table["status"] == "ok", "f0":]  # type: ignore[misc]
        assert features.shape == (36, 512)
        assert np.isfinite(features.to_numpy()).all()
    assert not np.allclose(tables["default"]["f0"].iloc[:36], tables[trained]["f0"].iloc[:36])


def test_bad_usage_of_embed_is_one_sentence(morphoscope, rendered: Path, tmp_path: Path) -> None:
    assert "expected .parquet or .csv" in morphoscope("embed", "default", rendered, "--out", tmp_path / "f.xlsx").sentence
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    assert "None of 1 files" in morphoscope("embed", "default", broken, "--out", tmp_path / "f.csv").sentence
