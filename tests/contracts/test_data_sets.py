"""What every public data set promises, over the registry: served in its own layout, it becomes a catalogue that train takes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from archives import tar_of
from local_server import Repository
from published_layouts import LAYOUTS

from morphoscope.apps.verbs.datasets import fetch
from morphoscope.data.catalogue import load_catalogue
from morphoscope.data.public import DATA_SETS, emps
from morphoscope.data.public.data_set import DataSet
from morphoscope.data.public.web import Web
from morphoscope.synthesis import render

LABELLED = [name for name in LAYOUTS if not name.startswith("cem")]


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    """Rendered pictures that differ."""
    return [picture.pixels for picture in render("sem10", 24, size=(72, 96), seed=6)]


@pytest.fixture
def repository() -> Iterator[Repository]:
    running = Repository()
    yield running
    running.stop()


@pytest.mark.parametrize("name", DATA_SETS.names())
def test_it_says_whose_it_is(name: str) -> None:
    data_set: DataSet = DATA_SETS.load(name)
    assert data_set.name == name
    assert data_set.licence
    assert "https://doi.org/" in data_set.citation
    assert data_set.page.startswith("https://")
    assert data_set.by_hand or name in LAYOUTS, f"tests/contracts/published_layouts.py: how is {name} laid out?"
    if data_set.counts:
        assert sum(data_set.counts.values()) == data_set.n_images


@pytest.mark.parametrize("name", LAYOUTS)
def test_its_layout_becomes_a_catalogue(
    name: str, repository: Repository, drawn: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    layout = LAYOUTS[name](repository, monkeypatch, iter(drawn))
    said: list[str] = []
    web = Web(repository.address, tries=1, pause_s=0)
    fetched = fetch(name, tmp_path, accept_licence=True, say=said.append, web=web)
    assert fetched
    table = pd.read_csv(fetched.catalogue, dtype=str, keep_default_na=False)
    task = DATA_SETS.load(name).task
    names = [path.rpartition("/")[2] for path in table["filename"]]
    assert sorted(names) == sorted(layout.classes)
    for file, row in zip(names, table.to_dict("records"), strict=True):
        assert (tmp_path / "images" / row["filename"]).is_file()
        assert row.get(task, "") == layout.classes[file]
        assert row["group"]
    for members in layout.together:
        assert table["group"][[file in members for file in names]].nunique() == 1, members
    assert table["group"].nunique() == len(names) - sum(len(members) - 1 for members in layout.together)
    for file in layout.further_files:
        assert (tmp_path / file).is_file(), file
    assert not (tmp_path / ".unfinished").exists()
    assert not (tmp_path / "downloads").exists()
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["catalogue"]["images"] == len(names)
    assert all(len(one["sha256"]) == 64 for one in manifest["files"].values())
    assert any("licence: " in line and "cite" not in line for line in said)


@pytest.mark.parametrize("name", LABELLED)
def test_its_catalogue_is_one_that_train_takes(
    name: str, repository: Repository, drawn: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    layout = LAYOUTS[name](repository, monkeypatch, iter(drawn))
    fetch(name, tmp_path, accept_licence=True, web=Web(repository.address, tries=1, pause_s=0))
    catalogue, check = load_catalogue([tmp_path / "images"], labels=[tmp_path / "catalogue.csv"], group="group")
    assert [task.name for task in catalogue.schema.tasks] == [DATA_SETS.load(name).task]
    assert len(catalogue.entries) == len(layout.classes)
    assert not check.images_without_row
    assert not check.ignored_columns
    assert all(entry.group for entry in catalogue.entries)
    sides = [tmp_path / "published-train.csv", tmp_path / "published-test.csv"]
    assert all(side.is_file() == bool(sum(layout.published)) for side in sides)
    if sum(layout.published):
        found = [pd.read_csv(side, dtype=str)["filename"] for side in sides]
        assert not set(found[0]) & set(found[1])
        assert sum(map(len, found)) == len(layout.classes)
        assert tuple(map(len, found)) == layout.published


def test_the_catalogue_of_emps_agrees_with_what_readers_counted(
    repository: Repository, shared_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real pictures of the authors' training side, packed as their repository packs them."""
    sheet = pd.read_csv(shared_data / "emps" / "labels.csv", dtype=str, keep_default_na=False).iloc[::9]
    members = {"emps/metadata.csv": sheet[["filename", "Paper"]].rename(columns={"Paper": "doi"}).to_csv(index=False).encode()}
    for name in sheet["filename"]:
        members[f"emps/images/{name}"] = (shared_data / "emps" / "images" / name).read_bytes()
        members[f"emps/segmaps/{name}"] = (shared_data / "emps" / "instance_maps" / name).read_bytes()
    monkeypatch.setattr(emps, "EMPS", dataclasses.replace(emps.EMPS, n_images=len(sheet)))
    repository.serve({f"codeload.github.com/by256/emps/tar.gz/{emps.COMMIT}": tar_of(members, "w:gz")})
    fetch("emps", tmp_path, accept_licence=True, web=Web(repository.address))
    table = pd.read_csv(tmp_path / "catalogue.csv", dtype=str, keep_default_na=False).set_index("filename")
    assert list(table.loc[sheet["filename"], "Particle count"]) == list(sheet["Particle count"])
    assert list(table.loc[sheet["filename"], "group"]) == list(sheet["Paper"])
