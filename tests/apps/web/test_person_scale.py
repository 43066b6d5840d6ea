"""A scale that a person sets: kept by the archive through restarts, indexing and moves; by the server alone for an upload."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from tests.apps.web.conftest import Serve, sent

from morphoscope.apps.verbs.index import index
from morphoscope.archive import Archive, measurement_of, picture, search
from morphoscope.errors import ArchiveError


@pytest.fixture
def folder(micrograph_file: Path, tmp_path: Path) -> Path:
    """One picture of 2 nm a pixel by its header, and the archive that has measured it."""
    (tmp_path / "pictures").mkdir()
    shutil.copy(micrograph_file, tmp_path / "pictures" / "gold.tif")
    return tmp_path


@pytest.fixture
def archive(folder: Path, model: Path) -> Path:
    path = folder / "lab.archive"
    index([folder / "pictures"], path, model=model, measure=True)
    return path


def diameter_nm(archive: Path) -> float | None:
    with Archive.open(archive) as opened:
        found = measurement_of(opened, 1)
        return float(found.summary["d50_nm"]) if found else None


def test_the_archive_keeps_it_with_author_and_time_and_all_nanometres_follow(
    served: Serve, model: Path, archive: Path, folder: Path
) -> None:
    lab, before = served(model=model, archive=archive), diameter_nm(archive)
    assert before is not None
    told = lab.put("/api/pictures/a1/scale", json={"pixel_size_nm": 6, "annotator": "Ada"}).raise_for_status().json()
    assert told["pixel_size_nm"] == {"x": 6, "y": 6} and told["origin"] == "user" and told["kept"] == "archive"
    assert told["set_by"]["annotator"] == "Ada" and told["set_by"]["time"].endswith("Z")
    assert diameter_nm(archive) is None, "what was measured at 2 nm is forgotten"
    objects = lab.get("/api/pictures/a1/objects").raise_for_status().json()
    assert objects["summary"]["d50_nm"] == pytest.approx(3 * before, rel=1e-6)
    assert diameter_nm(archive) == pytest.approx(3 * before, rel=1e-6)
    (hit,) = lab.get("/api/archive/search", params={"q": "pixel_size_nm=6"}).json()["hits"]
    assert hit["median_diameter_nm"] == pytest.approx(3 * before, rel=1e-6)
    row = lab.get("/api/pictures/a1/prediction").json()["row"]
    assert row["pixel_size_nm"] == 6 and row["pixel_size_origin"] == "user"
    lab.post(
        "/api/annotation/answers", json={"key": "a1", "task": "Count", "class": "Few", "annotator": "Ada"}
    ).raise_for_status()
    sheet = pd.read_csv(io.StringIO(lab.get("/api/annotation/sheet.csv").text))
    assert sheet["pixel_size_nm"].tolist() == [6], "training takes the person's word too"

    later = served(model=model, archive=archive)
    assert later.get("/api/pictures/a1/scale").json()["set_by"]["annotator"] == "Ada"
    assert later.get("/api/pictures/a1").json()["pixel_size_origin"] == "user"
    back = later.put("/api/pictures/a1/scale", json={"annotator": "Ben"}).json()
    assert back["pixel_size_nm"]["x"] == pytest.approx(2) and back["origin"] == "header" and back["set_by"] is None
    assert [(one["pixel_size_nm"], one["annotator"]) for one in back["history"]] == [(6, "Ada"), (None, "Ben")]
    later.get("/api/pictures/a1/objects").raise_for_status()
    assert diameter_nm(archive) == pytest.approx(before, rel=1e-6)


def test_indexing_again_moving_and_copying_leave_it(served: Serve, model: Path, archive: Path, folder: Path) -> None:
    served(model=model, archive=archive).put("/api/pictures/a1/scale", json={"pixel_size_nm": 6}).raise_for_status()
    sheet = folder / "metadata.csv"
    sheet.write_text("filename,pixel_size_nm,sample\ngold.tif,5,S1\n")
    told = index([folder / "pictures"], archive, model=model, measure=True, metadata=sheet)
    assert (told.read, told.measured) == (1, 1)
    (folder / "moved").mkdir()
    (folder / "pictures" / "gold.tif").rename(folder / "moved" / "silver.tif")
    index([folder / "moved"], archive, model=model)
    shutil.copy(folder / "moved" / "silver.tif", folder / "moved" / "tin.tif")
    index([folder / "moved"], archive, model=model, measure=True)
    with Archive.open(archive) as opened:
        assert [one.pixel_size_nm for one in search(opened, "").hits] == [6, 6]
        assert picture(opened, 1).path.name == "silver.tif" and picture(opened, 1).pixel_size_origin == "user"
        of_first, of_copy = measurement_of(opened, 1), measurement_of(opened, 2)
        assert of_first is not None and of_copy is not None
        assert of_first.summary["pixel_size_nm"] == of_copy.summary["pixel_size_nm"]


def test_a_word_about_other_bytes_is_no_word(served: Serve, model: Path, archive: Path, folder: Path) -> None:
    lab = served(model=model, archive=archive)
    lab.put("/api/pictures/a1/scale", json={"pixel_size_nm": 6}).raise_for_status()
    content = (folder / "pictures" / "gold.tif").read_bytes()
    (folder / "pictures" / "gold.tif").write_bytes(content + b"\0")
    refused = lab.put("/api/pictures/a1/scale", json={"pixel_size_nm": 7})
    assert refused.status_code == 409 and "changed since it was indexed" in refused.json()["detail"]
    index([folder / "pictures"], archive, model=model)
    with Archive.open(archive) as opened:
        assert picture(opened, 1).pixel_size_nm == pytest.approx(2)


def test_of_an_upload_it_is_kept_for_the_session(client: TestClient, micrograph_file: Path) -> None:
    (upload,) = client.post("/api/uploads", files=sent(micrograph_file)).json()
    where = f"/api/pictures/{upload['key']}/scale"
    told = client.put(where, json={"pixel_size_nm": 3, "annotator": "Ada"}).json()
    assert told["kept"] == "session" and told["set_by"]["annotator"] == "Ada"
    assert client.put(where, json={}).json()["set_by"] is None


def test_an_unknown_picture_gets_no_scale(archive: Path) -> None:
    from morphoscope.archive import set_scale

    with Archive.open(archive) as opened, pytest.raises(ArchiveError, match="no picture number 9"):
        set_scale(opened, 9, 1.0, "ann", None)
