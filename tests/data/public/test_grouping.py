"""What belongs together, told by names and by views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from morphoscope.data.public.grouping import named_copies, numbered, rotated_copies, view_groups
from morphoscope.data.public.virus import session
from morphoscope.synthesis import render


def names_of(pairs: list[tuple[int, int]], names: list[str]) -> set[tuple[str, str]]:
    return {(names[a], names[b]) for a, b in pairs}


def test_a_name_that_extends_another_is_a_copy() -> None:
    names = [
        "w/1.png",
        "w/1_90.png",
        "w/1_90_flip.png",
        "w/1 (2).png",
        "w/12.png",
        "w/12-copy.tif",
        "v/1_7.png",
        "w/img_3.png",
        "w/img_4.png",
    ]
    assert names_of(named_copies(names), names) == {
        ("w/1.png", "w/1_90.png"),
        ("w/1_90.png", "w/1_90_flip.png"),
        ("w/1.png", "w/1 (2).png"),
        ("w/12.png", "w/12-copy.tif"),
    }


def test_names_that_differ_in_their_turn_are_copies_and_numbers_alone_are_not() -> None:
    names = ["a_rot90.png", "a_rot180.png", "a rotated 270.png", "b_flip.png", "b.png", "c_1.png", "c_2.png", "rot90.png"]
    assert names_of(rotated_copies(names), names) == {
        ("a_rot90.png", "a_rot180.png"),
        ("a_rot90.png", "a rotated 270.png"),
        ("b_flip.png", "b.png"),
    }


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("train/Adenovirus/A4-65k-071120_2_0.tif", "071120 65k"),
        ("A4-65k-071120_9_12.tif", "071120 65k"),
        ("x_20080304_29.5K_1_3.tif", "20080304 29.5k"),
        ("E1-080304_7_0.tif", "E1-080304_7"),
        ("65kinase_4.tif", "65kinase"),
    ],
)
def test_a_session_is_date_and_magnification_or_else_the_micrograph(name: str, group: str) -> None:
    assert session(name) == group


def test_groups_are_numbered_as_they_are_met() -> None:
    assert numbered([7, 2, 7, 0]) == ["view-00001", "view-00002", "view-00001", "view-00003"]


def test_views_are_found_under_an_information_bar_and_unreadable_files_stand_alone(tmp_path: Path) -> None:
    first, second = (picture.pixels for picture in render("sem10", 2, size=(192, 256), seed=9, bar=0))
    bar = np.zeros((24, 256), np.uint8)
    bar[8:16, 20:90] = 255
    pictures = {"a.png": first, "b.png": np.vstack([np.rot90(first, 2), bar]), "c.png": second}
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "d.png").write_bytes(b"no picture")
    seen: list[int] = []
    groups = view_groups(tmp_path, ["a.png", "b.png", "c.png", "d.png"], lambda done, total: seen.append(done))
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
    assert seen == [1, 2, 3, 4]
