"""Reading a folder once: the cache, what is left out, and that a cached picture is the picture."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from morphoscope.data.cache import PictureCache
from morphoscope.data.preparation import FolderReader, OutOfTimeError
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import MorphoscopeError

WORKING = Preprocessing(48, 64, working_side=128)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for i in range(4):
        tifffile.imwrite(tmp_path / "pictures" / f"p{i}_x{i + 1}0k.tif", rng.integers(0, 4000, (90, 150), np.uint16))
    (tmp_path / "pictures" / "bad.tif").write_text("no picture", encoding="utf-8")
    return tmp_path


def reader(folder: Path) -> FolderReader:
    paths = sorted((folder / "pictures").iterdir())
    return FolderReader(paths, [{}] * len(paths), PictureCache(folder / "cache"))


def test_the_second_reading_comes_from_the_cache_and_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = reader(folder).prepare_all(WORKING)
    monkeypatch.setattr("morphoscope.data.readings.resolve", None)  # a decoded file would now fail
    second = reader(folder).prepare_all(WORKING)
    assert second.hashes == first.hashes
    assert np.array_equal(second.textures, first.textures)
    assert np.array_equal(second.signatures, first.signatures)
    assert [m.acquisition for m in second.micrographs] == [m.acquisition for m in first.micrographs]
    assert second.micrographs[0].pixels.shape == (90, 150)
    assert second.micrographs[0].acquisition.value("magnification") == 10_000


def test_unreadable_files_are_named_and_the_rest_kept(folder: Path) -> None:
    prepared = reader(folder).prepare_all(WORKING)
    assert prepared.kept.tolist() == [1, 2, 3, 4]
    assert "bad.tif" in prepared.unreadable[0]


def test_a_new_sidecar_or_another_name_is_noticed(folder: Path) -> None:
    before = reader(folder).prepare_all(WORKING).micrographs[0]
    old = folder / "pictures" / "p0_x10k.tif"
    old.rename(old.with_name("p0_x70k.tif"))
    after = reader(folder).prepare_all(WORKING).micrographs[0]
    assert before.acquisition.value("magnification") != after.acquisition.value("magnification") == 70_000


def test_canvases_are_the_door_that_prediction_uses(folder: Path) -> None:
    folder_reader = reader(folder)
    prepared = folder_reader.prepare_all(WORKING)
    canvases = folder_reader.canvases(WORKING, prepared.kept)
    assert canvases.shape == (4, 48, 64)
    assert np.array_equal(canvases[2], WORKING.canvas(folder_reader.working_copy(WORKING, 3)))


def test_a_damaged_cache_entry_counts_as_absent_and_the_bound_holds(folder: Path) -> None:
    expected = reader(folder).prepare_all(WORKING).textures
    for entry in (folder / "cache").rglob("*.npz"):
        entry.write_bytes(entry.read_bytes()[:100])
    assert np.array_equal(reader(folder).prepare_all(WORKING).textures, expected)
    small = PictureCache(folder / "cache", max_bytes=1)
    small.shrink()
    assert not list((folder / "cache").rglob("*.npz"))


def test_nothing_readable_is_an_error(folder: Path) -> None:
    bad = folder / "pictures" / "bad.tif"
    with pytest.raises(MorphoscopeError, match="None of 1 files"):
        FolderReader([bad], [{}], PictureCache(folder / "cache")).prepare_all(WORKING)


def test_reading_scales_ends_when_its_time_is_over(folder: Path) -> None:
    with pytest.raises(OutOfTimeError):
        reader(folder).prepare_all(WORKING, until=time.monotonic())
    paths = sorted((folder / "pictures").iterdir())
    told = FolderReader(paths, [{"pixel_size_nm": "3"}] * len(paths), PictureCache(folder / "cache"))
    assert len(told.prepare_all(WORKING, until=time.monotonic()).kept) == 4, "nothing was left to read from the pixels"
