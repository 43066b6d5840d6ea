"""Folders to lists of micrographs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from morphoscope.errors import ReadError
from morphoscope.io import find_micrographs


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder: Path, **options: bool) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_micrographs([folder], **options)]


def test_natural_order_any_case_and_sub_folders(tmp_path: Path) -> None:
    touch(tmp_path, "img10.tif", "img2.TIF", "Img1.Png", "b/9.jpeg", "b/10.webp", "a 10/x.bmp", "a 9/x.gif")
    assert found(tmp_path) == ["a 9/x.gif", "a 10/x.bmp", "b/9.jpeg", "b/10.webp", "Img1.Png", "img2.TIF", "img10.tif"]
    assert found(tmp_path, recursive=False) == ["Img1.Png", "img2.TIF", "img10.tif"]


def test_what_is_no_picture_is_skipped(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "a.txt", "a.hdr", "labels.csv", "labels.xlsx", ".hidden.tif", "._a.tif", "Thumbs.db", "a")
    touch(tmp_path, "__MACOSX/a.tif", ".cache/b.tif", "model/model.safetensors")
    assert found(tmp_path) == ["a.tif"]


def test_formats_of_the_field_and_what_belongs_to_another_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.dm4", "b.emd", "c.emi", "c_1.ser", "c_2.ser", "d.emi", "e_000.tvips", "e_001.tvips", "f_001.tvips")
    pictures = ["a.dm4", "b.emd", "c_1.ser", "c_2.ser", "d.emi", "e_000.tvips", "f_001.tvips"]
    assert found(tmp_path) == pictures
    assert found(tmp_path, every_file=True) == sorted([*pictures, "c.emi", "e_001.tvips"])
    assert find_micrographs([tmp_path / "c.emi"]) == [tmp_path / "c.emi"]


def test_files_named_are_returned_whatever_they_are(tmp_path: Path) -> None:
    touch(tmp_path, "b.tif", "a.tif", "notes.txt", ".hidden.png")
    named = [tmp_path / "notes.txt", tmp_path / "b.tif", tmp_path / ".hidden.png"]
    assert find_micrographs(named) == named
    assert find_micrographs([tmp_path / "b.tif", tmp_path]) == [tmp_path / "b.tif", tmp_path / "a.tif"]
    assert find_micrographs(str(tmp_path / "b.tif")) == [tmp_path / "b.tif"]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege")
def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.tif", "pictures/own.tif")
    pictures = tmp_path / "pictures"
    for number in range(3):
        (pictures / f"link{number}.tif").symlink_to(tmp_path / "real" / "a.tif")
    (pictures / "folder").symlink_to(tmp_path / "real", target_is_directory=True)
    (pictures / "loop").symlink_to(pictures, target_is_directory=True)
    (pictures / "itself").symlink_to(pictures / "itself")
    (pictures / "broken.tif").symlink_to(tmp_path / "gone.tif")
    assert found(pictures) == ["broken.tif", "folder/a.tif", "link0.tif", "link1.tif", "link2.tif", "own.tif"]


def test_missing_and_empty_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"gone: found no such file or folder; expected pictures\. Check the spelling"):
        find_micrographs([tmp_path / "gone"])
    with pytest.raises(ReadError, match=r"found no picture; expected files that end with .*\.tif"):
        find_micrographs([tmp_path])
    with pytest.raises(ReadError, match="no path: found no picture"):
        find_micrographs([])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions don't bind here")
def test_a_folder_that_can_t_be_listed_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "locked/b.tif")
    (tmp_path / "locked").chmod(0)
    try:
        with pytest.raises(ReadError, match="can't be listed"):
            find_micrographs([tmp_path])
    finally:
        (tmp_path / "locked").chmod(0o755)
