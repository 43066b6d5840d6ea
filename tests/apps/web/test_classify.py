"""Files in, answers out: the rows of `morphoscope predict`, whatever the file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.apps.web.conftest import Serve, sent

from morphoscope import predict


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "notes.tif"
    path.write_text("no picture", encoding="utf-8")
    return path


def test_rows_are_those_of_predict(
    client: TestClient, model: Path, micrograph_file: Path, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "pictures"
    home.mkdir()
    for file in (micrograph_file, text):
        (home / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(home)
    table = predict(model, [micrograph_file.name, text.name], tmp_path / "predictions.csv")
    rows = client.post("/api/predict", files=sent(micrograph_file, text)).raise_for_status().json()
    with table.open(encoding="utf-8", newline="") as lines:
        expected = list(csv.DictReader(lines))
    assert [list(row) for row in rows] == [list(row) for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        for column, cell in row.items():
            assert (cell if cell is not None else "") == (float(wanted[column]) if isinstance(cell, float) else wanted[column])


def test_an_upload_is_opened_by_its_key(client: TestClient, uploaded: str) -> None:
    picture = client.get(f"/api/pictures/{uploaded}").json()
    assert (picture["width"], picture["height"], picture["dtype"]) == (160, 120, "uint16")
    assert picture["pixel_size_nm"] == {"x": 2, "y": 2}
    assert {"name": "magnification", "value": 20000, "unit": "×", "origin": "filename"} in picture["metadata"]
    prediction = client.get(f"/api/pictures/{uploaded}/prediction").json()
    assert [task["task"] for task in prediction["tasks"]] == ["Morphology", "Count"]
    assert sum(one["p"] for one in prediction["tasks"][0]["classes"]) == pytest.approx(1)
    assert prediction["is_final"]
    thumbnail = client.get(f"/api/pictures/{uploaded}/thumbnail.webp", params={"size": 64})
    assert thumbnail.headers["content-type"] == "image/webp"
    assert client.get(f"/api/pictures/{uploaded}").json()["prediction"] == prediction


def test_what_is_no_picture_gets_a_sentence_and_no_key(client: TestClient, text: Path) -> None:
    (upload,) = client.post("/api/uploads", files=sent(text)).json()
    assert upload["key"] is None and upload["status"] == "error"
    assert upload["error"].startswith("notes.tif: found text; expected a picture")


def test_the_server_runs_without_model_and_page(served: Serve) -> None:
    bare = served()
    assert bare.get("/api/health").json()["model"] is None
    assert bare.get("/api/model").status_code == 404
    assert bare.get("/api/nothing").json()["detail"].startswith("There is nothing at this address")
    assert "api/pictures" in bare.get("/api/reference").text
