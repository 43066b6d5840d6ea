"""Watching from end to end: rows as they come, alerts, pins, going on where an earlier watch ended, and the ways to end."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

import morphoscope as package
from morphoscope.apps.watching.rows_file import WATCH_COLUMNS
from morphoscope.archive import Archive, picture_at, search
from morphoscope.errors import OutputError
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.predictions_table import prediction_columns

POLL: dict[str, Any] = {"poll_s": 0.05, "idle_s": 0.3, "scale": "header"}


@pytest.fixture(scope="module")
def video(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames of rendered pictures."""
    path = tmp_path_factory.mktemp("video") / "tour.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 72), False)
    for picture in sorted((rendered / "images").iterdir())[:12]:
        writer.write(cv2.resize(package.read(picture).pixels, (96, 72)))
    writer.release()
    return path


@pytest.fixture
def session(rendered: Path, tmp_path: Path) -> Path:
    """A folder with three pictures and a file that is none."""
    folder = tmp_path / "session"
    folder.mkdir()
    for picture in sorted((rendered / "images").iterdir())[:3]:
        (folder / picture.name).write_bytes(picture.read_bytes())
    (folder / "zz damaged.tif").write_bytes(b"II*\0 and nothing more")
    return folder


def table_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_rows_are_those_of_predict_and_a_second_watch_repeats_none(trained: Path, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    rows = list(package.watch(session, trained, out=out, existing=True, **POLL))
    table = table_of(out)
    assert list(table) == prediction_columns(Bundle.load(trained).schema) + WATCH_COLUMNS
    assert table["status"].tolist() == ["ok", "ok", "ok", "error"] and "damaged" in table["error"].iloc[3]
    assert [row["path"] for row in rows] == table["path"].tolist()
    package.predict(trained, session, tmp_path / "predicted.csv", scale="header")
    predicted = table_of(tmp_path / "predicted.csv")
    confidence = [name for name in predicted if name.endswith(".confidence")]
    same = [name for name in predicted if name.endswith(".best")]
    assert table[same].equals(predicted[same])
    assert table[confidence][:3].astype(float).to_numpy() == pytest.approx(
        predicted[confidence][:3].astype(float).to_numpy(), abs=1e-4
    )
    assert not list(package.watch(session, trained, out=out, existing=True, **POLL))
    changed = session / table_name(table, 0)
    tifffile.imwrite(changed, np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8))
    assert [Path(row["path"]).name for row in package.watch(session, trained, out=out, **POLL)] == [changed.name]
    assert len(table_of(out)) == 5


def table_name(table: pd.DataFrame, row: int) -> str:
    return Path(table["path"].iloc[row]).name


def test_a_half_written_row_is_written_again(trained: Path, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    list(package.watch(session, trained, out=out, existing=True, **POLL))
    whole = out.read_bytes()
    lines = whole.splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:-2]) + lines[-2][:40])
    again = list(package.watch(session, trained, out=out, existing=True, **POLL))
    assert len(again) == 2 and len(table_of(out)) == 4


def test_a_table_of_another_model_is_not_gone_on_with(trained: Path, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    out.write_text("path,Mood\nx,good\n", encoding="utf-8")
    with pytest.raises(OutputError, match="other columns"):
        package.watch(session, trained, out=out)
    assert out.read_text(encoding="utf-8") == "path,Mood\nx,good\n"


def test_a_target_is_told_pinned_and_shown_on_a_map(trained: Path, tmp_path: Path) -> None:
    folder, pins, told = tmp_path / "in", tmp_path / "pins", []
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 60000, (300, 420), np.uint16)
    tifffile.imwrite(folder / "large.tif", pixels)
    task = Bundle.load(trained).schema.task("Morphology")
    options: dict[str, Any] = {"find": f"Morphology={task.classes[0]}", "find_threshold": 0.0, "pins": pins, "tile_px": 96}
    (row,) = package.watch(folder, trained, existing=True, alert=told.append, **POLL, **options)
    assert row["found"] == f"Morphology={task.classes[0]}" and 0 <= float(row["found_p"]) <= 1
    assert len(told) == 1 and "large.tif at x " in told[0] and str(pins / "large.png") in told[0]
    with Image.open(pins / "large.png") as pinned:
        assert np.array_equal(np.asarray(pinned), pixels)
        assert pinned.info["Morphoscope found"] == row["found"]
    with Image.open(pins / "large.map.png") as overlay:
        assert overlay.mode == "RGB" and overlay.width == 420 and overlay.height > 300


def test_the_archive_takes_files_where_they_lie_and_frames_that_are_pinned(
    trained: Path, session: Path, video: Path, tmp_path: Path
) -> None:
    place = tmp_path / "lab.archive"
    list(package.watch(session, trained, archive=place, existing=True, **POLL))
    list(package.watch(video, trained, archive=place, every=6, find="Morphology=Rod", find_threshold=0.0))
    with Archive.open(place) as archive:
        hits = {hit.path.name: hit for hit in search(archive, "").hits}
        pinned = picture_at(archive, tmp_path / "lab-pins" / "tour_frame0000001.png")
    assert len(hits) == 4 and {path.name for path in session.iterdir() if "damaged" not in path.name} < set(hits)
    assert all(hit.classes["Morphology"].best for hit in hits.values())
    assert pinned is not None and pinned.notes.startswith(f"pinned from {video}, frame 1, at 0.0 s")


def test_no_alert_without_the_target(trained: Path, session: Path) -> None:
    told: list[str] = []
    rows = list(
        package.watch(session, trained, find="Morphology=Rod", find_threshold=1.0, existing=True, alert=told.append, **POLL)
    )
    assert told == [] and {row.get("found", "") for row in rows} == {""}


def test_a_video_ends_by_itself_and_is_gone_on_with(trained: Path, video: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "rows.csv", []
    rows = list(package.watch(video, trained, out=out, every=3, pixel_size_nm=1.5, say=told.append, find="Modality=SEM"))
    assert [row["frame"] for row in rows] == ["1", "4", "7", "10"]
    assert [row["seconds"] for row in rows] == ["0.000", "0.300", "0.600", "0.900"]
    assert {row["pixel_size_nm"] for row in rows} == {"1.5"} and rows[0]["path"] == str(video)
    assert told[-1].startswith("4 pictures answered, 0 error rows, 0 frames dropped, Modality=SEM seen")
    assert [row["frame"] for row in package.watch(video, trained, out=out)] == ["11", "12"]
    assert len(table_of(out)) == 6


def test_quick_answers_have_their_own_confidence(trained: Path, video: Path) -> None:
    bundle = Bundle.load(trained)
    assert len(bundle.quick_confidence) == (len(bundle.schema.tasks) if "shape" in bundle.network.spec.branches else 0)
    quick, full = (list(package.watch(video, trained, inputs=inputs, every=6)) for inputs in ("quick", "all"))  # type: ignore[arg-type]
    assert [row["frame"] for row in quick] == [row["frame"] for row in full] == ["1", "7"]
    assert quick[0]["novelty"] == full[0]["novelty"]


def test_closing_the_iterator_ends_the_watch(trained: Path, session: Path, tmp_path: Path) -> None:
    told: list[str] = []
    rows = package.watch(session, trained, out=tmp_path / "rows.csv", existing=True, poll_s=0.05, scale="header", say=told.append)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert told[-1].startswith("1 pictures answered") and len(table_of(tmp_path / "rows.csv")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no such folder or file"),
        (["SESSION", "--find", "Morphology=Rood"], "Did you mean 'Rod'"),
        (["SESSION", "--find-threshold", "0.5"], "there is no --find"),
        (["SESSION", "--out", "SESSION"], "it is a folder"),
    ],
)
def test_bad_usage_is_one_sentence(words: list[str], said: str, morphoscope, trained: Path, session: Path) -> None:
    placed = [str(session) if word == "SESSION" else word for word in words]
    assert said in morphoscope("watch", *placed, "--model", trained).sentence


def test_the_command_line_tells_what_it_finds(morphoscope, trained: Path, video: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    find = ["--find", "Morphology=Rod", "--find-threshold", "0", "--pins", tmp_path / "pins"]
    said = morphoscope("watch", video, "--model", trained, "--out", out, "--every", "5", *find)
    assert said.code == 0 and said.out == ""
    assert "FOUND Morphology=Rod" in said.err and "Morphology=Rod seen 1 times" in said.err
    assert [path.name for path in (tmp_path / "pins").iterdir()] == ["tour_frame0000001.png"]
    assert len(table_of(out)) == 3


@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_it_with_its_summary(sent: signal.Signals, start, trained: Path, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    words = ("--out", out, "--existing", "--poll", "0.05", "--scale", "header")
    process = start("watch", session, "--model", trained, *words)
    until = time.monotonic() + 300
    while time.monotonic() < until and (not out.is_file() or out.read_text(encoding="utf-8").count("\n") < 4):
        time.sleep(0.05)
    process.send_signal(sent)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0 and "Traceback" not in said
    assert said.splitlines()[-1].endswith(f"rows, 0 frames dropped: {out}")
