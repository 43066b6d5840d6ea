"""The archive through the API: search, lists, facets, annotation and export."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from tests.apps.web.conftest import Serve, sent

from morphoscope.apps.verbs.index import index
from morphoscope.synthesis import write_dataset


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archived")
    write_dataset("particles", 4, folder, size=(72, 96), seed=3)
    return folder / "images"


@pytest.fixture(scope="module")
def archive(model: Path, pictures: Path) -> Path:
    path = pictures.parent / "lab.archive"
    index([pictures], archive=path, model=str(model))
    return path


@pytest.fixture(scope="module")
def lab(served: Serve, model: Path, archive: Path) -> TestClient:
    return served(model=model, archive=archive)


def test_search_facets_and_lists_agree(lab: TestClient) -> None:
    found = lab.get("/api/archive/search", params={"limit": 3}).json()
    assert found["total"] == 4 and len(found["hits"]) == 3
    hit = found["hits"][0]
    assert hit["key"] == "a1" and set(hit["classes"]) == {"Morphology", "Count"} and not hit["missing"]
    assert lab.get("/api/archive/facets").json()["total"] == 4
    listed = lab.post("/api/archive/hits", json={"keys": ["a3", "a999", "u1", "a1"]}).json()["hits"]
    assert [one["key"] for one in listed] == ["a3", "a1"]
    answer = lab.get("/api/archive/search", params={"q": "Morfology=Rod"})
    assert answer.status_code == 422 and "Did you mean 'Morphology'?" in answer.json()["detail"]


def test_an_upload_finds_itself_in_the_archive(lab: TestClient, pictures: Path) -> None:
    second = sorted(pictures.iterdir())[1]
    key = lab.post("/api/uploads", files=sent(second)).json()[0]["key"]
    similar = lab.get(f"/api/pictures/{key}/similar", params={"count": 2}).json()
    assert similar[0]["name"] == second.name and similar[0]["score"] == pytest.approx(1, abs=0.01)
    found = lab.get("/api/archive/search", params={"like": key}).json()
    assert found["hits"][0]["name"] == second.name
    others = lab.get(f"/api/pictures/{similar[0]['key']}/similar").json()
    assert similar[0]["key"] not in [one["key"] for one in others]


def test_an_archived_picture_needs_no_decoding(lab: TestClient) -> None:
    known = lab.get("/api/pictures/a2").json()
    assert known["prediction"]["is_final"] and known["prediction"]["seconds"] == 0
    assert known["prediction"]["row"]["path"] == known["path"]
    assert lab.get("/api/pictures/a2/prediction").json() == known["prediction"]
    assert lab.get("/api/pictures/a2/thumbnail.webp").status_code == 200
    assert lab.get("/api/pictures/a77").status_code == 404


def test_answers_are_given_undone_and_settled(lab: TestClient) -> None:
    tasks = {task["name"]: [one["name"] for one in task["classes"]] for task in lab.get("/api/annotation/tasks").json()}
    assert tasks["Morphology"] == ["Cube", "Rod", "Sphere"]
    say = {"key": "a1", "task": "Morphology"}
    first = lab.post("/api/annotation/answers", json=say | {"class": "Rod", "annotator": "Ada"}).json()
    assert first["guess"]["task"] == "Morphology"
    second = lab.post("/api/annotation/answers", json=say | {"class": "Cube", "annotator": "Ben"}).json()
    (dispute,) = lab.get("/api/annotation/disagreements", params={"task": "Morphology"}).json()
    assert dispute["key"] == "a1" and {vote["annotator"]: vote["class"] for vote in dispute["votes"]} == {
        "Ada": "Rod",
        "Ben": "Cube",
    }
    assert lab.delete(f"/api/annotation/answers/{second['id']}").status_code == 204
    assert lab.delete(f"/api/annotation/answers/{second['id']}").status_code == 422
    assert lab.get("/api/annotation/disagreements", params={"task": "Morphology"}).json() == []
    lab.post("/api/annotation/adjudications", json=say | {"class": "Sphere", "annotator": "Cy"}).raise_for_status()
    labels = [one["label"] for one in lab.get("/api/pictures/a1").json()["annotations"]]
    assert labels == ["Rod", "Sphere"]
    wrong = lab.post("/api/annotation/answers", json=say | {"class": "Rood", "annotator": "Ada"})
    assert wrong.status_code == 422 and "Did you mean 'Rod'?" in wrong.json()["detail"]


def test_annotators_are_queued_and_compared(lab: TestClient) -> None:
    asked = {"task": "Count", "order": "audit", "annotator": "Dee"}
    queued = lab.get("/api/annotation/queue", params=asked).json()
    assert sorted(one["key"] for one in queued) == ["a1", "a2", "a3", "a4"] and all(list(one) == ["key"] for one in queued)
    for key, classes in (("a1", ("Few", "Few")), ("a2", ("Many", "Many")), ("a3", ("Few", "Many"))):
        for name, chosen in zip(("Dee", "Eve"), classes, strict=True):
            sheet = {"key": key, "task": "Count", "class": chosen, "annotator": name}
            lab.post("/api/annotation/answers", json=sheet).raise_for_status()
    assert [one["key"] for one in lab.get("/api/annotation/queue", params=asked).json()] == ["a4"]
    agreement = lab.get("/api/annotation/agreement", params={"task": "Count"}).json()
    (pair,) = [pair for pair in agreement["pairs"] if {pair["a"], pair["b"]} == {"Dee", "Eve"}]
    assert pair["n"] == 3 and pair["kappa"] == pytest.approx(0.4)
    assert set(agreement["per_class"]) == {"Few", "Many"}
    assert lab.get("/api/annotation/agreement", params={"task": "Cuont"}).status_code == 422


def test_the_map_has_a_place_for_every_picture(lab: TestClient) -> None:
    places = lab.get("/api/archive/map", params={"task": "Count"}).json()
    assert places["keys"] == ["a1", "a2", "a3", "a4"] and len(places["x"]) == len(places["y"]) == 4
    assert set(places["class"]) <= {"Few", "Many"}
    chosen = places["class"][0]
    fewer = lab.get("/api/archive/map", params={"q": f"Count={chosen}"}).json()
    assert fewer["keys"] == [key for key, name in zip(places["keys"], places["class"], strict=True) if name == chosen]


def test_classes_change_and_answers_follow(lab: TestClient) -> None:
    def change(**asked: object) -> list[str]:
        tasks = lab.put("/api/annotation/tasks", json={"task": "Growth", **asked}).raise_for_status().json()
        return next([one["name"] for one in task["classes"]] for task in tasks if task["name"] == "Growth")

    assert change(change="add", name="Faceted", definition="flat sides", examples=["a2"]) == ["Faceted"]
    assert change(change="add", name="Round") == ["Faceted", "Round"]
    lab.post("/api/annotation/answers", json={"key": "a2", "task": "Growth", "class": "Round", "annotator": "Ada"})
    assert change(change="rename", name="Round", to=["Spheroidal"]) == ["Faceted", "Spheroidal"]
    assert "Spheroidal" in [one["label"] for one in lab.get("/api/pictures/a2").json()["annotations"]]
    assert change(change="split", name="Faceted", to=["Cubic", "Octahedral"]) == ["Spheroidal", "Cubic", "Octahedral"]
    assert lab.put("/api/annotation/tasks", json={"task": "Growth", "change": "rename", "name": "x"}).status_code == 422


def test_a_question_may_take_several_classes(lab: TestClient) -> None:
    for name in ("Particles", "Nanowires", "Film"):
        change = {"task": "Content", "change": "add", "name": name, "multi_label": True}
        tasks = lab.put("/api/annotation/tasks", json=change).raise_for_status().json()
    assert next(one for one in tasks if one["name"] == "Content")["multi_label"]
    say = {"key": "a2", "task": "Content", "annotator": "Ada"}
    lab.post("/api/annotation/answers", json=say | {"class": "Nanowires|Particles"}).raise_for_status()
    lab.post("/api/annotation/answers", json=say | {"class": "Particles|Film", "annotator": "Ben"}).raise_for_status()
    (dispute,) = lab.get("/api/annotation/disagreements", params={"task": "Content"}).json()
    assert [vote["class"] for vote in dispute["votes"]] == ["Particles|Nanowires", "Particles|Film"]
    agreement = lab.get("/api/annotation/agreement", params={"task": "Content"}).json()
    assert agreement["pairs"][0]["n"] == 1 and set(agreement["per_class"]) == {"Particles", "Nanowires", "Film"}
    lab.post("/api/annotation/adjudications", json=say | {"class": "Nanowires|Particles", "annotator": "Cy"}).raise_for_status()
    sheet = pd.read_csv(io.StringIO(lab.get("/api/annotation/sheet.csv").text))
    assert sheet["Content"].dropna().tolist() == ["Particles|Nanowires"]
    lab.put("/api/annotation/tasks", json={"task": "Content", "change": "several"}).raise_for_status()
    wrong = lab.post("/api/annotation/answers", json=say | {"class": "Particles|Film"})
    assert wrong.status_code == 422 and "names 2 classes of 'Content'; expected one" in wrong.json()["detail"]


def test_what_was_found_can_be_taken_home(lab: TestClient) -> None:
    rows = pd.read_csv(io.StringIO(lab.get("/api/archive/export", params={"format": "csv"}).text))
    assert len(rows) == 4 and "Morphology.best" in rows
    parquet = lab.get("/api/archive/export", params={"format": "parquet"})
    assert len(pd.read_parquet(io.BytesIO(parquet.content))) == 4
    lab.post("/api/annotation/answers", json={"key": "a4", "task": "Count", "class": "Few", "annotator": "Ada"})
    sheet = pd.read_csv(io.StringIO(lab.get("/api/annotation/sheet.csv").text))
    assert "filename" in sheet and "Count" in sheet and len(sheet)
