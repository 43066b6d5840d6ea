"""Pictures become an archive: everything once, nothing lost, nothing read twice."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from morphoscope.apps.verbs.index import index
from morphoscope.apps.verbs.search import search
from morphoscope.archive import (
    Archive,
    add_task,
    count_pictures,
    give_answer,
    known_models,
    picture_at,
    prediction_of,
    thumbnail_of,
)
from morphoscope.archive.planning import plan
from morphoscope.errors import MorphoscopeError, ReadError


@pytest.fixture(scope="module")
def indexed(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All rendered pictures, with the sheet's samples."""
    path = tmp_path_factory.mktemp("indexed") / "lab.archive"
    done = index(rendered / "images", path, metadata=rendered / "labels.csv")
    assert (done.read, done.failed, done.total) == (36, 0, 36)
    return path


def test_scale_sample_and_thumbnail_are_kept(indexed: Path, rendered: Path) -> None:
    truth = pd.read_csv(rendered / "truth.csv").set_index("filename")
    samples = pd.read_csv(rendered / "labels.csv").set_index("filename")["Sample"]
    with Archive.open(indexed) as archive:
        for path in sorted((rendered / "images").iterdir()):
            known = picture_at(archive, path)
            assert known is not None and known.sample == str(samples[path.name])
            expected = truth.loc[path.name, ["pixel_size_nm", "pixel_height_nm"]].astype(float).mean()
            assert known.pixel_size_nm == pytest.approx(expected, rel=0.01)
            image = thumbnail_of(archive, known.id)
            assert image is not None and image.startswith(b"\xff\xd8")


def test_a_picture_is_most_like_itself_whether_in_the_archive_or_a_copy_outside(
    indexed: Path, rendered: Path, tmp_path: Path
) -> None:
    first = min((rendered / "images").iterdir())
    assert search(str(first), indexed, count=1)[0].path == first
    copy = shutil.copy(first, tmp_path / "copy.tif")
    (hit,) = search(f'like:"{copy}"', indexed, count=1)
    assert hit.path == first and hit.score == pytest.approx(1, abs=0.01)


def test_what_is_unchanged_is_not_read_again(rendered: Path, tmp_path: Path) -> None:
    images = shutil.copytree(rendered / "images", tmp_path / "images")
    first, second, *rest = sorted(images.iterdir())
    for path in rest[3:]:
        path.unlink()
    archive = tmp_path / "lab.archive"
    assert index(images, archive).read == 5
    assert (done := index(images, archive)).read == 0 and done.unchanged == 5
    Image.open(second).rotate(180).save(first)
    shutil.move(second, images / "moved.tif")
    rest[0].unlink()
    done = index(images, archive)
    assert (done.read, done.unchanged, done.missing, done.total) == (2, 2, 1, 5)
    assert [hit.name for hit in search("state=missing", archive)] == [rest[0].name]


def test_a_bad_file_is_a_row_with_its_sentence(rendered: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(min((rendered / "images").iterdir()), tmp_path / "in")
    (tmp_path / "in" / "notes.tif").write_text("no picture", encoding="utf-8")
    archive, said = tmp_path / "lab.archive", list[str]()
    done = index(tmp_path / "in", archive, say=said.append)
    assert (done.read, done.failed) == (1, 1) and "notes.tif" in said[0]
    (hit,) = search("state=error", archive)
    assert hit.name == "notes.tif"
    assert index(tmp_path / "in", archive).failed == 0, "known to fail, and not tried again"
    assert index(tmp_path / "in", archive, retry=True).failed == 1
    (tmp_path / "only").mkdir()
    shutil.copy(tmp_path / "in" / "notes.tif", tmp_path / "only")
    with pytest.raises(MorphoscopeError, match="None of 1 files could be read"):
        index(tmp_path / "only", archive)
    with pytest.raises(ReadError, match="found no such file"):
        index(tmp_path / "nowhere", archive)


def test_a_models_answers_are_those_of_predict(trained: Path, rendered: Path, tmp_path: Path) -> None:
    from morphoscope.apps.verbs.predict import predict

    archive, table = tmp_path / "lab.archive", tmp_path / "table.csv"
    index(rendered / "images", archive, model=trained)
    predict(trained, rendered / "images", table)
    with Archive.open(archive) as opened:
        (model,) = known_models(opened)
        for _, row in pd.read_csv(table, keep_default_na=False).iterrows():
            known = picture_at(opened, Path(row["path"]))
            stored = prediction_of(opened, known.id, model) if known else None
            assert stored is not None and stored.novelty == pytest.approx(float(row["novelty"]), abs=1e-4)
            for answer in stored.answers:
                for name, probability in zip(answer.task.classes, answer.probabilities[0], strict=True):
                    assert probability == pytest.approx(float(row[f"{answer.task.name}.p[{name}]"]), abs=1e-4)
    task = model.schema.tasks[0]
    hits = search(f'"{task.name}"="{task.classes[0]}"', archive, count=100)
    assert {hit.classes[task.name].best for hit in hits} <= {task.classes[0]}


def test_objects_are_measured_once(rendered: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in sorted((rendered / "images").iterdir())[:2]:
        shutil.copy(path, tmp_path / "in")
    archive = tmp_path / "lab.archive"
    index(tmp_path / "in", archive)
    done = index(tmp_path / "in", archive, measure=True)
    assert (done.read, done.measured) == (0, 2)
    assert index(tmp_path / "in", archive, measure=True).measured == 0
    assert [hit.n_objects is not None for hit in search("n_objects>=0", archive)] == [True, True]


WRITE = "import sys; from morphoscope.apps.verbs.index import index; index(sys.argv[1], sys.argv[2])"


def test_a_killed_run_loses_nothing_and_goes_on(rendered: Path, tmp_path: Path) -> None:
    archive = tmp_path / "lab.archive"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", WRITE, str(rendered / "images"), str(archive)], env=environment)
        before = _rows(archive)
        deadline = time.monotonic() + 60
        while _rows(archive) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        written = _rows(archive)
        process.kill() if os.name == "nt" else process.send_signal(signal.SIGKILL)
        process.wait()
        assert written and _rows(archive) >= written
    done = index(rendered / "images", archive)
    assert done.total == 36
    with Archive.open(archive) as opened:
        for sql in (
            "SELECT count(DISTINCT path) FROM picture",
            "SELECT count(*) FROM embedding",
            "SELECT count(*) FROM thumbnail",
        ):
            assert opened.connection.execute(sql).fetchone() == (36,)
        assert opened.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        model = known_models(opened)[0].id
        assert (
            len(plan(opened, sorted((rendered / "images").iterdir()), model=model, answers=False, measure=False, cells={})) == 0
        )
        assert count_pictures(opened) == 36


def _rows(archive: Path) -> int:
    if not archive.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=5) as connection:
            return int(connection.execute("SELECT count(*) FROM picture").fetchone()[0])
    except sqlite3.OperationalError:  # not yet made
        return 0


@pytest.mark.slow
def test_a_model_is_trained_on_what_people_said_of_what_was_found(rendered: Path, tmp_path: Path) -> None:
    from morphoscope.apps.verbs.train import train

    archive, sheet = tmp_path / "lab.archive", tmp_path / "labels.csv"
    index(rendered / "images", archive, metadata=rendered / "labels.csv")
    truth = pd.read_csv(rendered / "labels.csv", keep_default_na=False).set_index("filename")
    with Archive.open(archive) as opened:
        add_task(opened, "Modality", sorted(set(truth["Modality"]) - {""}), "ann")
        for path in sorted((rendered / "images").iterdir()):
            known = picture_at(opened, path)
            if known and truth.loc[path.name, "Modality"]:
                give_answer(opened, known.id, "Modality", str(truth.loc[path.name, "Modality"]), "ann")
    said: list[str] = []
    search("Modality.label=known", archive, sheet=sheet, say=said.append)
    assert f"morphoscope train {rendered / 'images'} --labels {sheet}" in said[-1]
    run = tmp_path / "run"
    small = ["model.backbone=resnet10t", "model.image_size=64"]
    train(rendered / "images", labels=sheet, group="Sample", out=run, epochs=1, settings=small)
    assert (run / "model" / "bundle.json").is_file()
