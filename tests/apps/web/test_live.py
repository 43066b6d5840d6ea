"""Watching from the page: what may be watched, what a page hears, alerts that pin by themselves, and the map of one picture."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from fastapi.testclient import TestClient
from PIL import Image

from morphoscope.apps.web.settings import Token

FRAMES = 12
NEVER_UNSURE: dict[str, Any] = {"find": "Morphology=Rod", "threshold": 0.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server may watch: a video, and an empty folder."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "session").mkdir()
    writer = cv2.VideoWriter(str(folder / "tour.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 72), False)
    rng = np.random.default_rng(0)
    for _ in range(FRAMES):
        writer.write(rng.integers(0, 255, (72, 96), np.uint8))
    writer.release()
    return folder


@pytest.fixture(scope="module")
def live(served, model: Path, data: Path) -> TestClient:
    """A server that may watch."""
    return served(model=model, data=(data,))


def begun(client: TestClient, source: str, **order: Any) -> str:
    answer = client.post("/api/live", json={"source": source, **order})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def told(client: TestClient, identity: str) -> Iterator[tuple[str, Any]]:
    """The events of a watch, until it ends."""
    with client.stream("GET", f"/api/live/{identity}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        kind = "message"
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            if line.startswith("data: "):
                data = line.removeprefix("data: ")
                yield kind, json.loads(data) if kind == "message" else data


def test_a_video_is_told_frame_by_frame_until_it_ends(live: TestClient, data: Path) -> None:
    identity = begun(live, "tour.avi", pixel_size_nm=2.0)
    events = list(told(live, identity))
    assert events[-1] == ("end", "The source has ended.")
    seen = [event for _, event in events[:-1]]
    assert [event["frame"] for event in seen] == sorted({event["frame"] for event in seen}) and seen[-1]["frame"] == FRAMES
    last = seen[-1]
    assert len(seen) <= FRAMES and 0 <= last["dropped"] < FRAMES
    assert last["latency_ms"] > 0 and last["error"] is last["alert"] is None
    assert {task["task"] for task in last["prediction"]["tasks"]} == {"Morphology", "Count"}
    assert last["prediction"]["row"]["pixel_size_nm"] == 2.0
    with Image.open(BytesIO(live.get(f"/api/live/{identity}/frame.webp").content)) as frame:
        assert frame.size == (96, 72)
    pinned = live.post(f"/api/live/{identity}/pin").json()
    assert live.get(f"/api/pictures/{pinned['key']}").json()["width"] == 96
    assert live.delete(f"/api/live/{identity}").status_code == 204
    assert live.get(f"/api/live/{identity}/frame.webp").status_code == 404


def test_a_target_raises_an_alert_pins_and_shows_where(live: TestClient, data: Path) -> None:
    identity = begun(live, "session", **NEVER_UNSURE)
    assert [watch["find"] for watch in live.get("/api/live").json()] == ["Morphology=Rod"]
    tifffile.imwrite(data / "session" / "large.tif", np.random.default_rng(0).integers(0, 60000, (600, 900), np.uint16))
    _, event = next(told(live, identity))
    assert event["name"] == "large.tif" and event["alert"].startswith("Morphology=Rod ")
    tiles = event["tiles"]
    assert len(tiles["p"]) == tiles["rows"] and {len(row) for row in tiles["p"]} == {tiles["columns"]}
    assert live.get(f"/api/pictures/{event['pinned']['key']}").json()["dtype"] == "uint16"
    live.delete(f"/api/live/{identity}")


def test_an_alert_waits_for_a_page_that_comes_late(live: TestClient) -> None:
    identity = begun(live, "tour.avi", **NEVER_UNSURE)
    time.sleep(2)
    first = next(event for kind, event in told(live, identity) if kind == "message")
    assert first["frame"] == 1 and first["alert"]
    live.delete(f"/api/live/{identity}")


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("/etc", 403, "not open to be watched"),
        ("../", 403, "not open to be watched"),
        ("no such folder", 403, "not open to be watched"),
        ("tour\0.avi", 403, "not open to be watched"),
        ("rtsp://ada:secret@10.0.0.5/live", 403, "--allow-rtsp"),
        ("http://example.org/", 403, "not open to be watched"),
        ("999", 422, "expected a number below"),
    ],
)
def test_what_is_not_open_is_a_sentence(source: str, status: int, said: str, live: TestClient) -> None:
    answer = live.post("/api/live", json={"source": source})
    assert answer.status_code == status and said in answer.json()["detail"] and "secret" not in answer.text


def test_a_link_out_of_the_folder_is_not_followed(live: TestClient, data: Path, tmp_path: Path) -> None:
    (data / "way out").symlink_to(tmp_path)
    assert live.post("/api/live", json={"source": "way out"}).status_code == 403
    (data / "way out").unlink()


def test_what_is_open_is_told(live: TestClient, data: Path) -> None:
    assert live.get("/api/live/sources").json() == {"folders": [str(data)], "rtsp": False}


def test_a_wrong_target_and_too_many_watches_are_sentences(live: TestClient) -> None:
    wrong = live.post("/api/live", json={"source": "session", "find": "Morphology=Rood"})
    assert wrong.status_code == 422 and "Did you mean 'Rod'" in wrong.json()["detail"]
    running = [begun(live, "session") for _ in range(4)]
    full = live.post("/api/live", json={"source": "session"})
    assert full.status_code == 503 and full.headers["Retry-After"]
    for identity in running:
        assert live.delete(f"/api/live/{identity}").status_code == 204
    assert live.get("/api/live").json() == []


def test_viewers_hear_and_annotators_begin(served, model: Path, data: Path) -> None:
    words = {"viewer": "v" * 20, "annotator": "a" * 20}
    tokens = tuple(Token(secret, role, role) for role, secret in words.items())  # type: ignore[arg-type]
    client = served(model=model, data=(data,), tokens=tokens)
    as_viewer, as_annotator = ({"Authorization": f"Bearer {secret}"} for secret in words.values())
    order = {"source": "session"}
    assert client.post("/api/live", json=order).status_code == 401
    assert client.post("/api/live", json=order, headers=as_viewer).status_code == 403
    identity = client.post("/api/live", json=order, headers=as_annotator).json()["id"]
    assert len(client.get("/api/live", headers=as_viewer).json()) == 1
    assert client.delete(f"/api/live/{identity}", headers=as_viewer).status_code == 403
    assert client.delete(f"/api/live/{identity}", headers=as_annotator).status_code == 204


def test_a_class_is_found_in_parts_of_a_picture(live: TestClient, micrograph_file: Path) -> None:
    (upload,) = live.post("/api/uploads", files=[("files", ("g.tif", micrograph_file.read_bytes()))]).json()
    answer = live.post(f"/api/pictures/{upload['key']}/find", json={"find": "rod", "side": 64})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["target"], found["tile_px"], found["rows"], found["columns"]) == ("Morphology=Rod", 64, 2, 3)
    assert found["tops"] == [14, 42] and found["lefts"] == [16, 48, 80]
    assert np.array(found["p"]).shape == np.array(found["found"]).shape == (2, 3)
    assert np.min(found["p"]) >= 0 and np.max(found["p"]) <= 1
    row, column = found["best"]
    assert found["p"][row][column] == np.max(found["p"]) or found["found"][row][column]
    wrong = live.post(f"/api/pictures/{upload['key']}/find", json={"find": "Rood"})
    assert wrong.status_code == 422 and "Did you mean 'Rod'" in wrong.json()["detail"]
