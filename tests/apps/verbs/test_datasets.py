"""`morphoscope datasets` as a person meets it: what goes wrong is a sentence, and the next try goes on where it stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from archives import tar_of
from local_server import Repository, Served
from published_layouts import Layout, serve_nffa

import morphoscope as package
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError
from morphoscope.synthesis import render

Morphoscope = Callable[..., Any]
FIBRES = "b2share.eudat.eu/records/zja8y-53j14/files/Fibres.tar?download=1"
RESULTS = {"images", "catalogue.csv", "contents.csv", "manifest.json"}


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    return [picture.pixels for picture in render("sem10", 20, size=(72, 96), seed=6)]


@pytest.fixture
def repository() -> Iterator[Repository]:
    running = Repository()
    yield running
    running.stop()


@pytest.fixture
def layout(repository: Repository, drawn: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The ten classes of NFFA, served; whoever asks loses patience fast."""
    monkeypatch.setattr("morphoscope.apps.verbs.datasets.Web", partial(Web, timeout_s=(2, 1), tries=2, pause_s=0))
    return serve_nffa(repository, monkeypatch, iter(drawn))


@pytest.fixture
def fetch(morphoscope: Morphoscope, repository: Repository, layout: Layout, tmp_path: Path) -> Callable[..., object]:
    """Runs `datasets fetch nffa` against the local repository."""

    def run(*words: object, licence: str = "--yes") -> object:
        options = [word for word in (licence,) if word]
        return morphoscope(
            "datasets", "fetch", "nffa", "--to", tmp_path / "nffa", "--mirror", repository.address, *options, *words
        )

    return run


def content(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_list_names_every_data_set_with_its_licence(morphoscope: Morphoscope) -> None:
    said = morphoscope("datasets")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split() == ["name", "images", "GB", "licence", "what", "it", "is"]
    assert any(line.startswith("nffa ") and "21,169" in line and "CC BY 4.0" in line for line in lines)
    assert len(lines) == 1 + len(package.datasets())
    assert morphoscope("datasets", "list").out == said.out


def test_a_fetched_data_set_is_complete_and_said_so(fetch: Morphoscope, repository: Repository, tmp_path: Path) -> None:
    said = fetch()
    assert said.code == 0, said.err
    assert content(tmp_path / "nffa") == RESULTS
    for sentence in (
        "licence: CC BY 4.0",
        "cite: Aversa",
        "checksum known to morphoscope",
        "21 images in 20 groups",
        "Next: morphoscope train",
    ):
        assert sentence in said.err
    assert said.err.index("licence: CC BY") < said.err.index("Fibres.tar: ")
    repository.asked.clear()
    again = fetch()
    assert again.code == 0
    assert "holds it already, complete: 21 images" in again.err
    assert not repository.asked


def test_nothing_is_fetched_before_the_licence_is_accepted(fetch: Morphoscope, repository: Repository) -> None:
    said = fetch(licence="")
    assert said.sentence.startswith("NFFA-EUROPE SEM, 100 % validated: its licence was not accepted; expected --accept-licence.")
    assert "licence: CC BY 4.0" in said.err
    assert not repository.asked


def test_from_python_the_caller_may_be_asked(repository: Repository, layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="licence was not accepted"):
        package.fetch("nffa", tmp_path, mirror=repository.address)
    heard: list[str] = []
    found = package.fetch("nffa", tmp_path, mirror=repository.address, accept_licence=lambda: bool(heard), say=heard.append)
    assert found.manifest.catalogue["counts"]["Fibres"] == 3


def test_a_dry_run_tells_sizes_and_trust_and_writes_nothing(fetch: Morphoscope, repository: Repository, tmp_path: Path) -> None:
    said = fetch("--dry-run", "--part", "Fibres", licence="")
    assert said.code == 0
    assert "Fibres.tar: " in said.err and " bytes, checksum known to morphoscope; https://b2share.eudat.eu/" in said.err
    assert "Powder.tar" not in said.err
    assert not repository.asked
    assert not (tmp_path / "nffa").exists()


def test_a_download_that_breaks_at_70_percent_is_resumed_by_the_same_command(
    fetch: Morphoscope, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("morphoscope.data.public.download.PACKET", 64)
    repository.files[FIBRES].breaks = [0.7] * 3
    sentence = fetch().sentence
    assert sentence.startswith("Fibres.tar: the connection broke after ") and "(70%)" in sentence
    assert "run the same command again" in sentence
    assert "images" not in content(tmp_path / "nffa"), "nothing half-written is to be taken for the data set"
    assert "catalogue.csv" not in content(tmp_path / "nffa")
    repository.asked.clear()
    assert fetch().code == 0
    assert content(tmp_path / "nffa") == RESULTS
    assert not repository.ranges_of("Biological.tar"), "what was there is not fetched again"
    (begin,) = repository.ranges_of("Fibres.tar")
    total = len(repository.files[FIBRES].body)
    assert 0.7 * total - 64 <= int(begin.removeprefix("bytes=").removesuffix("-")) <= 0.7 * total


def test_a_wrong_checksum_stops_before_unpacking(fetch: Morphoscope, repository: Repository, tmp_path: Path) -> None:
    served = repository.files[FIBRES]
    served.body = served.body[:2000] + bytes([served.body[2000] ^ 1]) + served.body[2001:]
    assert "Fibres.tar: it has MD5 " in fetch().sentence
    assert "images" not in content(tmp_path / "nffa")
    served.body = served.body[:2000] + bytes([served.body[2000] ^ 1]) + served.body[2001:]
    assert fetch().code == 0


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("Fibres/evil.jpg", None, "can't be unpacked"),
        ("../evil.jpg", b"evil", "expected names inside the folder"),
        ("Fibres/notes.txt", b"text", "nothing in it is laid out as published"),
    ],
)
def test_a_broken_or_hostile_archive_leaves_nothing(
    name: str,
    body: bytes | None,
    said: str,
    fetch: Morphoscope,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from morphoscope.data.public import nffa

    archive = tar_of({name: body}) if body else tar_of({name: bytes(9000)})[:3000]
    repository.files[FIBRES] = Served(archive)
    monkeypatch.setitem(nffa.ARCHIVES, "Fibres", (3, None, ""))
    assert said in fetch("--part", "Fibres").sentence
    assert not list(tmp_path.rglob("*.jpg"))
    assert "catalogue.csv" not in content(tmp_path / "nffa")


def test_other_counts_than_published_are_refused_until_accepted(
    fetch: Morphoscope, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dataclasses import replace

    from morphoscope.data.public import nffa

    monkeypatch.setattr(nffa, "NFFA", replace(nffa.NFFA, counts=nffa.NFFA.counts | {"Fibres": 150}))
    sentence = fetch("--part", "Fibres").sentence
    assert "counted Fibres 3 in place of 150; expected the published numbers" in sentence and "--accept-changes" in sentence
    assert "images" not in content(tmp_path / "nffa")
    repository.asked.clear()
    assert fetch("--part", "Fibres", "--accept-changes").code == 0
    assert not repository.asked, "what was fetched is not fetched again"
    manifest = json.loads((tmp_path / "nffa" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["catalogue"]["differs"] == ["Fibres 3 in place of 150"]


def test_further_parts_join_those_that_are_there(fetch: Morphoscope, repository: Repository, tmp_path: Path) -> None:
    assert fetch("--part", "Fibres").code == 0
    assert len(pd.read_csv(tmp_path / "nffa" / "catalogue.csv")) == 3
    repository.asked.clear()
    said = fetch("--part", "Fibres", "--part", "Powder")
    assert said.code == 0, said.err
    assert not repository.ranges_of("Fibres.tar")
    assert len(pd.read_csv(tmp_path / "nffa" / "catalogue.csv")) == 5
    assert content(tmp_path / "nffa" / "images") == {"Fibres", "Powder"}
    assert fetch().code == 0
    assert len(pd.read_csv(tmp_path / "nffa" / "catalogue.csv")) == 21


def test_an_archive_that_was_downloaded_by_hand_is_taken(fetch: Morphoscope, repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "nffa" / "downloads").mkdir(parents=True)
    (tmp_path / "nffa" / "downloads" / "Fibres.tar").write_bytes(repository.files.pop(FIBRES).body)
    assert fetch("--part", "Fibres", "--keep-archives").code == 0
    assert not repository.asked
    assert content(tmp_path / "nffa" / "downloads") == {"Fibres.tar"}


def test_a_later_run_notices_that_files_are_gone(fetch: Morphoscope, repository: Repository, tmp_path: Path) -> None:
    assert fetch("--part", "Fibres").code == 0
    lost = tmp_path / "nffa" / "images" / "Fibres" / "L1_copy.jpg"
    lost.unlink()
    sentence = fetch("--part", "Fibres").sentence
    assert "1 of its files are gone or changed, images/Fibres/L1_copy.jpg among them" in sentence
    assert fetch("--part", "Fibres", "--overwrite").code == 0
    assert lost.is_file()


def test_a_folder_with_other_things_is_left_alone(fetch: Morphoscope, morphoscope: Callable[..., object], tmp_path: Path) -> None:
    mine = tmp_path / "nffa" / "images" / "mine.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    for words in ([], ["--overwrite"]):
        assert "it holds images, which no fetch wrote; expected an empty folder. Choose another --to." in fetch(*words).sentence
    assert mine.read_bytes() == b"mine"
    shutil.rmtree(mine.parent)
    assert fetch("--part", "Fibres").code == 0
    other = morphoscope("datasets", "fetch", "emps", "--to", tmp_path / "nffa", "--yes").sentence
    assert "it holds NFFA-EUROPE SEM, 100 % validated; expected an empty folder or EMPS" in other


def test_a_disk_without_room_is_noticed_before_anything_is_fetched(
    fetch: Morphoscope, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 1000))
    sentence = fetch().sentence
    assert "1,000 bytes are free; expected 67," in sentence and "fetch only a --part" in sentence
    assert not repository.asked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fetch", "nfa", "--to", "x"], "There is no data set called 'nfa'; expected one of nffa, nffa-majority"),
        (["fetch", "nfa", "--to", "x"], "Did you mean 'nffa'?"),
        (["fetch"], "NAME is missing"),
        (["fetch", "nffa"], "--to DIR is missing"),
        (["fetch", "nffa", "--to", "x", "--yes", "--part", "Fibers"], "has no part 'Fibers'; expected one of Biological, Fibres"),
        (["fetch", "mnp", "--to", "x", "--yes", "--part", "a"], "expected none: this data set comes as a whole"),
        (["fetch", "warwick", "--to", "x"], "can't be fetched by a program"),
    ],
)
def test_bad_usage_is_one_sentence(
    words: list[str], said: str, morphoscope: Morphoscope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in morphoscope("datasets", *words).sentence


def test_a_record_that_is_gone_or_lists_nothing_is_one_sentence(
    morphoscope: Morphoscope, repository: Repository, layout: Layout, tmp_path: Path
) -> None:
    words = ["datasets", "fetch", "mnp", "--to", tmp_path / "mnp", "--yes", "--mirror", repository.address]
    assert "the server answered 404" in morphoscope(*words).sentence
    record = "zenodo.org/api/records/7025602"
    repository.files[record] = Served(b"<html>maintenance</html>", "text/html")
    assert "expected the record as JSON" in morphoscope(*words).sentence
    for listed in ({"files": []}, {"files": [{"key": "2022-AutoDetect-mNP-morphology.zip", "size": 5}]}):
        repository.files[record] = Served(json.dumps(listed).encode(), "application/json")
        repository.files[f"{record}/files"] = Served(b"{}", "application/json")
        sentence = morphoscope(*words).sentence
        assert "changed" in sentence
    assert "5 bytes; expected 1,571,757,800 bytes" in sentence
