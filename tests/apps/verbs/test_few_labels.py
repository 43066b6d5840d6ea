"""curve, suggest and embed from the command line: their files, and bad input as sentences."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morphoscope.apps.verbs.pretrain import pretrain

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


TASKS = ["Modality", "Particle count", "Morphology", "Structure", "Arrangement"]


@pytest.fixture
def sheet(rendered: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A sheet as laboratories keep it: every picture with its sample, operator and microscope, the first few with classes."""

    def written(labelled: int) -> Path:
        table = pd.read_csv(rendered / "labels.csv", dtype=str).assign(Microscope="Titan", Operator=["Ada", "Ben"] * 18)
        table["spectrum_file"] = [f"{row % 2}.msa" for row in range(36)]
        table.loc[labelled:, TASKS] = ""
        path = tmp_path / f"{labelled}.csv"
        table.to_csv(path, index=False)
        return path

    return written


@pytest.mark.parametrize("labelled", [0, 5])
def test_only_cells_of_tasks_are_labels(labelled: int, sheet, morphoscope, trained: Path, rendered: Path, tmp_path: Path) -> None:
    """By a model its tasks; before there is one the columns that `train` would take, or those that are named."""
    path = sheet(labelled)
    names = list(pd.read_csv(path)["filename"])
    named = ["--tasks", "Modality,Morphology,Structure"]
    for model, words in ((trained, []), ("default", ["--sample", "operator"]), ("default", named)):
        out = ["--count", 36, "--labels", path, "--overwrite", "--out", tmp_path / "queue.csv"]
        said = morphoscope("suggest", model, rendered / "images", *out, *words)
        assert said.code == 0, said.err
        assert f"{36 - labelled} of 36 pictures to label next, {labelled} labelled ones left out" in said.err
        assert set(pd.read_csv(tmp_path / "queue.csv")["filename"]) == set(names[labelled:])


def test_what_counts_as_a_label_is_said_where_it_leaves_nothing(
    sheet, morphoscope, trained: Path, rendered: Path, tmp_path: Path
) -> None:
    words = [rendered / "images", "--out", tmp_path / "queue.csv"]
    labels = ["--labels", sheet(0)]
    assert "all 36 pictures have a label (Operator)" in morphoscope("suggest", "default", *words, *labels).sentence
    misspelt = morphoscope("suggest", trained, *words, *labels, "--tasks", "Morfology")
    assert "--tasks names 'Morfology', which is no column" in misspelt.sentence
    assert "expected --labels SHEET beside it" in morphoscope("suggest", trained, *words, "--tasks", "Morphology").sentence
    other = tmp_path / "other.csv"
    pd.read_csv(rendered / "labels.csv")[["filename", "Sample"]].to_csv(other, index=False)
    assert "no column is a task of the model; found Sample" in morphoscope("suggest", trained, *words, "--labels", other).sentence


def test_a_picture_with_a_label_for_one_task_is_left_out_unless_another_is_asked_for(
    morphoscope, rendered: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(rendered / "labels.csv", dtype=str)
    table[TASKS] = ""
    table.loc[:3, "Morphology"] = "Rod"  # one class alone is a beginning
    table.to_csv(tmp_path / "labels.csv", index=False)
    words = ["--count", 36, "--labels", tmp_path / "labels.csv", "--overwrite", "--out", tmp_path / "queue.csv"]
    assert "32 of 36" in morphoscope("suggest", "random", rendered / "images", *words).err
    assert "36 of 36" in morphoscope("suggest", "random", rendered / "images", *words, "--tasks", "Structure").err


def test_an_encoder_of_ones_own_stands_in_place_of_default(morphoscope, rendered: Path, tmp_path: Path) -> None:
    quick = ["side=64", "views.side=48", "learning.batch_size=8"]
    encoder = tmp_path / "encoder"
    pretrain(rendered / "images", encoder, epochs=1, settings=quick)
    out = ["--count", 4, "--overwrite", "--out", tmp_path / "queue.csv"]
    for model in (encoder, encoder / "encoder.safetensors"):
        said = morphoscope("suggest", model, rendered / "images", *out)
        assert said.code == 0, said.err
        assert len(pd.read_csv(tmp_path / "queue.csv")) == 4
    words = ["--strategy", "uncertainty", *out]
    assert "encoder is an encoder and answers nothing" in morphoscope("suggest", encoder, rendered / "images", *words).sentence
    assert "no model here" in morphoscope("suggest", tmp_path, rendered / "images", *out).sentence


def test_copies_of_one_picture_give_a_queue_and_no_warning(morphoscope, rendered: Path, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    first = min((rendered / "images").iterdir())
    for number in range(12):
        shutil.copy(first, tmp_path / "copies" / f"{number}{first.suffix}")
    said = morphoscope("suggest", "default", tmp_path / "copies", "--count", 5, "--out", tmp_path / "queue.csv")
    assert (said.code, "Warning" in said.err) == (0, False), said.err
    assert pd.read_csv(tmp_path / "queue.csv")["path"].nunique() == 5


def test_a_data_set_means_its_images(morphoscope, masked: Path, tmp_path: Path) -> None:
    """Its instance maps are no pictures, and a sheet is matched to its images."""
    queue, features, half = tmp_path / "queue.csv", tmp_path / "features.csv", tmp_path / "half.csv"
    pd.read_csv(masked / "labels.csv").head(6).to_csv(half, index=False)
    images = {str(path) for path in (masked / "images").iterdir()}
    said = morphoscope("suggest", "default", masked, "--count", 99, "--out", queue)
    assert "is a data set: its images were taken from" in said.err
    assert "labels were taken" not in said.err
    assert set(pd.read_csv(queue)["path"]) == images
    said = morphoscope("suggest", "default", masked, "--labels", half, "--count", 99, "--overwrite", "--out", queue)
    assert "6 of 12 pictures to label next, 6 labelled" in said.err
    said = morphoscope("embed", "default", masked, "--out", features)
    assert "is a data set: its images were taken from" in said.err
    assert set(pd.read_csv(features)["path"]) == images


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
