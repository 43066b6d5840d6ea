"""`segment` from files to instance maps, and bad input as sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from morphoscope.apps.verbs.segment import segment
from morphoscope.errors import MorphoscopeError
from morphoscope.measure.instance_map import read_instance_map
from morphoscope.synthesis import write_dataset


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    write_dataset("sizes", 2, folder, size=(150, 210), seed=8, difficulty=0.2)
    (folder / "images" / "deeper").mkdir()
    first = next((folder / "images").glob("*.tif"))
    (folder / "images" / "deeper" / first.name).write_bytes(first.read_bytes())
    return folder / "images"


def test_maps_have_the_picture_s_size_and_stem(rendered: Path, tmp_path: Path) -> None:
    out = segment(rendered, tmp_path / "maps", overlay=True)
    table = pd.read_csv(out / "segmentation.csv")
    assert table["status"].eq("ok").all()
    assert sorted(table["map"]) == sorted(
        path.relative_to(rendered).with_suffix(".png").as_posix() for path in rendered.rglob("*.tif")
    )
    for place, count in zip(table["map"], table["objects"], strict=True):
        numbers = read_instance_map(out / place)
        assert (numbers.dtype, numbers.shape) == (np.uint16, (150, 210))
        assert sorted(np.unique(numbers)) == list(range(count + 1))
        assert (out / "overlays" / place).with_suffix(".jpg").is_file()


def test_a_broken_file_is_an_error_row(rendered: Path, tmp_path: Path) -> None:
    good = next(rendered.glob("*.tif"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.tif").write_bytes(good.read_bytes())
    (tmp_path / "in" / "bad.tif").write_bytes(good.read_bytes()[:200])
    said: list[str] = []
    table = pd.read_csv(segment(tmp_path / "in", tmp_path / "maps", say=said.append) / "segmentation.csv").set_index("status")
    assert "bad.tif" in table.loc["error", "error"]
    assert any("bad.tif" in line for line in said)
    (tmp_path / "in" / "good.tif").unlink()
    with pytest.raises(MorphoscopeError, match=r"bad\.tif"):
        segment(tmp_path / "in", tmp_path / "none")


def test_a_data_set_stands_for_its_pictures(tmp_path: Path) -> None:
    write_dataset("particles", 2, tmp_path / "set", size=(64, 64), seed=1)
    segment(tmp_path / "set", tmp_path / "maps")
    pictures = sorted(path.stem for path in (tmp_path / "set" / "images").iterdir())
    assert sorted(path.stem for path in (tmp_path / "maps").rglob("*.png")) == pictures


def test_nothing_is_replaced_unasked(rendered: Path, tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    Image.fromarray(np.zeros((40, 50), np.uint8)).save(picture)
    with pytest.raises(MorphoscopeError, match="no map replaces one"):
        segment(picture, tmp_path)
    segment(picture, tmp_path / "maps")
    with pytest.raises(MorphoscopeError, match="earlier results"):
        segment(picture, tmp_path / "maps")
    segment(picture, tmp_path / "maps", overwrite=True)


def test_pictures_of_one_stem_have_two_maps(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp"):
        Image.fromarray(np.zeros((40, 50), np.uint8)).save(tmp_path / name)
    table = pd.read_csv(segment(tmp_path, tmp_path / "maps") / "segmentation.csv")
    assert table["map"].nunique() == 2


def test_a_folder_without_a_segmenter_is_a_sentence(rendered: Path, tmp_path: Path) -> None:
    with pytest.raises(MorphoscopeError, match=r"found no segmenter\.safetensors"):
        segment(rendered, tmp_path / "maps", model=tmp_path)
