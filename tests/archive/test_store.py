"""An archive opens where it can, refuses what it can't be, and keeps what files and models say."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from morphoscope.archive import (
    Archive,
    Entry,
    FileState,
    check_files,
    count_pictures,
    describe,
    known_models,
    picture,
    picture_at,
    prediction_of,
    record_pictures,
    search,
)
from morphoscope.archive.files import file_status
from morphoscope.archive.tables import MIGRATIONS, migrate
from morphoscope.errors import ArchiveError


def test_a_folder_a_text_and_another_database_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="it is a folder"):
        Archive.open(tmp_path)
    (tmp_path / "notes.txt").write_text("hello, world, this is text", encoding="utf-8")
    with pytest.raises(ArchiveError, match="it is no SQLite file"):
        Archive.open(tmp_path / "notes.txt")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(ArchiveError, match="a database of another program"):
        Archive.open(tmp_path / "other.db")
    with pytest.raises(ArchiveError, match="there is no such file"):
        Archive.open(tmp_path / "missing.archive", must_exist=True)
    assert not (tmp_path / "missing.archive").exists()


def test_a_network_share_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = [
        SimpleNamespace(mountpoint="/", fstype="ext4", opts="rw"),
        SimpleNamespace(mountpoint=str(tmp_path), fstype="nfs4", opts="rw"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: share)  # noqa: A006
    with pytest.raises(ArchiveError, match=r"network share \(nfs4 at .*local disk"):
        Archive.open(tmp_path / "lab.archive")
    assert not (tmp_path / "lab.archive").exists()


def test_a_later_format_is_refused_and_an_older_one_led_on(tmp_path: Path) -> None:
    path = tmp_path / "lab.archive"
    Archive.open(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    later = [*MIGRATIONS, "ALTER TABLE picture ADD COLUMN stage TEXT;\nCREATE TABLE more (x);\n"]
    migrate(connection, str(path), later)
    migrate(connection, str(path), later)
    connection.execute("SELECT stage FROM picture")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, str(path), [*later, "CREATE TABLE even_more (x);\nCREATE TABLE more (x);\n"])
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'even_more'").fetchone(), "all or nothing"
    connection.close()
    with pytest.raises(ArchiveError, match=rf"has format {len(later)}.*Update Morphoscope"):
        Archive.open(path)


def test_a_picture_keeps_its_number_and_what_it_says(filled: Archive, tmp_path: Path) -> None:
    known = picture(filled, 2)
    assert (known.pixel_size_nm, known.pixel_size_origin, known.sample) == (2.0, "header", "S2")
    assert known.micrograph is not None and known.micrograph.acquisition.value("hv_kv") == 200
    assert known.metadata["acquisition"]["hv_kv"] == {"value": 200.0, "origin": "header"}
    again = record_pictures(filled, [Entry(FileState.of(known.path), known.micrograph)])
    assert again == [2] and picture(filled, 2).sample == "S2"
    assert count_pictures(filled) == 12
    assert picture(filled, 12).error and picture(filled, 12).micrograph is None
    with pytest.raises(ArchiveError, match="no picture number 99"):
        picture(filled, 99)


def test_predictions_come_back_as_they_were(filled: Archive) -> None:
    (model,) = known_models(filled)
    stored = prediction_of(filled, 9, model)
    assert stored is not None and stored.is_current
    morphology, system = stored.answers
    assert morphology.probabilities[0] == pytest.approx([0.14, 0, 0.86], abs=1e-6)
    assert morphology.in_set[0].tolist() == [False, False, True] and morphology.is_sure[0]
    assert system.task.classes == ("Cubic", "Hexagonal")
    assert stored.novelty == pytest.approx(0.8)
    assert prediction_of(filled, 12, model) is None


def test_missing_changed_and_moved_files_are_noticed(filled: Archive) -> None:
    first, second, third = (picture(filled, number).path for number in (1, 2, 3))
    first.unlink()
    second.write_bytes(b"other")
    third.rename(third.with_name("moved.tif"))
    found = check_files(filled)
    assert found["missing"] == [1, 3] and found["changed"] == [2]
    assert [picture(filled, number).state for number in (1, 2, 3, 4)] == ["missing", "changed", "missing", "ok"]
    assert [hit.id for hit in search(filled, "state=missing|changed").hits] == [1, 2, 3]
    moved = FileState.of(third.with_name("moved.tif"))
    assert record_pictures(filled, [Entry(moved, picture(filled, 3).micrograph)]) == [3]
    assert picture(filled, 3).notes == "annealed" and picture(filled, 3).name == "moved.tif"
    assert [hit.id for hit in search(filled, "moved").hits] == [3]
    (model,) = known_models(filled)
    record_pictures(filled, [Entry(FileState.of(second), picture(filled, 2).micrograph)])
    stale = prediction_of(filled, 2, model)
    assert stale is not None and not stale.is_current, "an answer about other bytes is not this file's"
    assert not [hit for hit in search(filled, "Morphology=Fibres").hits if hit.id == 2]


def test_time_and_size_decide_and_the_hash_where_they_leave_doubt(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"one")
    os.utime(path, (1e9, 1e9))
    known = FileState.of(path)
    assert file_status(path, known) == "unchanged"
    os.utime(path, (2e9, 2e9))
    assert file_status(path, known) == "touched"
    path.write_bytes(b"two")
    assert file_status(path, known) == "changed"
    fresh = FileState.of(path)
    stat = path.stat()
    path.write_bytes(b"six")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_status(path, fresh) == "changed", "written twice within a tick of the clock"
    assert file_status(tmp_path / "b.tif", None) == "missing"


def test_what_a_person_says_is_found_at_once_by_another_reader(filled: Archive) -> None:
    with Archive.open(filled.path) as other:
        assert search(other, "spherical").total == 0
        describe(filled, 5, notes="spherical after all", sample="S9")
        assert [hit.id for hit in search(other, "spherical").hits] == [5]
        assert [hit.id for hit in search(other, "sample=S9").hits] == [5]


def test_a_file_name_that_is_no_text_is_kept(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"rods_\xff.tif")
    try:
        path.write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only text")
    (number,) = record_pictures(archive, [Entry(FileState.of(path))])
    assert picture(archive, number).path == path and picture_at(archive, path) is not None
    assert search(archive, "rods").hits[0].path.exists()


def test_a_transaction_is_all_or_nothing(filled: Archive) -> None:
    before = filled.revision
    with pytest.raises(RuntimeError), filled.writing() as connection:
        connection.execute("UPDATE picture SET notes = 'lost'")
        raise RuntimeError
    assert filled.revision == before and search(filled, "lost").total == 0


def test_refreshed_columns_are_those_of_a_fresh_reader(filled: Archive) -> None:
    search(filled, "like:3")
    describe(filled, 4, notes="x")
    record_pictures(filled, [Entry(FileState.of(picture(filled, 1).path), error="spoilt")])
    with Archive.open(filled.path) as fresh:
        for query in ("", "Morphology=Cube", "pixel_size_nm<5", "state=error", "like:3", "x"):
            kept, new = search(filled, query), search(fresh, query)
            assert [hit.id for hit in kept.hits] == [hit.id for hit in new.hits]
            scores = [[np.nan if hit.score is None else hit.score for hit in one.hits] for one in (kept, new)]
            np.testing.assert_allclose(*scores, atol=1e-6)


def test_a_damaged_file_is_a_sentence(filled: Archive) -> None:
    filled.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filled.close()
    content = bytearray(filled.path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    filled.path.write_bytes(content)
    with pytest.raises(ArchiveError, match="the file can't be used"), Archive.open(filled.path) as spoilt:
        search(spoilt, "gold")
