"""One picture on the page: its scale, objects, heat map and tiles."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from tests.apps.web.conftest import Serve, sent


def picture_of(answer: Response) -> np.ndarray:
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp", answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


@pytest.fixture
def fresh(client: TestClient, micrograph_file: Path) -> str:
    """An upload of its own, for tests that change it."""
    return str(client.post("/api/uploads", files=sent(micrograph_file)).json()[0]["key"])


def test_a_person_sets_the_scale_by_the_bar(client: TestClient, fresh: str) -> None:
    where = f"/api/pictures/{fresh}"
    assert client.get(f"{where}/scale").json()["origin"] == "header"
    told = client.put(f"{where}/scale", json={"x0": 130.5, "x1": 30.5, "y": 100, "value": 0.5, "unit": "µm"}).json()
    assert told["pixel_size_nm"] == {"x": 5, "y": 5} and told["origin"] == "user"
    assert "header: ImageJ" in " ".join(told["conflicts"])
    assert client.get(where).json()["pixel_size_origin"] == "user"
    assert client.get(f"{where}/prediction").json()["row"]["pixel_size_nm"] == 5
    assert client.put(f"{where}/scale", json={"pixel_size_nm": 3}).json()["pixel_size_nm"]["x"] == 3
    assert client.put(f"{where}/scale", json={}).json()["origin"] == "header"


@pytest.mark.parametrize(
    "drawn",
    [
        {"x0": 1, "x1": 1, "value": 5},
        {"x0": 1, "value": 5},
        {"x0": 1, "x1": 50, "value": 5, "unit": "furlong"},
        {"x0": 1, "x1": 50, "value": -5},
        {"pixel_size_nm": 0},
        {"pixel_size_nm": 1e300},
        {"x0": "left"},
    ],
)
def test_a_bar_that_makes_no_scale_is_told(client: TestClient, uploaded: str, drawn: dict[str, object]) -> None:
    answer = client.put(f"/api/pictures/{uploaded}/scale", json=drawn)
    assert answer.status_code == 422 and "expected" in answer.json()["detail"].lower()


def test_objects_have_outlines_in_pixels_and_sizes_in_nm(client: TestClient, uploaded: str) -> None:
    found = client.get(f"/api/pictures/{uploaded}/objects").json()
    assert len(found["outlines"]) == len(found["objects"]) > 0
    for ring, row in zip(found["outlines"], found["objects"], strict=True):
        x, y = np.array(ring).T
        assert x.min() <= row["centroid_x_px"] <= x.max() and y.min() <= row["centroid_y_px"] <= y.max()
        assert row["equivalent_circular_diameter_nm"] == pytest.approx(2 * row["equivalent_circular_diameter_px"])
    assert found["summary"]["n_objects"] == len(found["objects"])
    assert found["histogram"]["unit"] == "nm" and len(found["histogram"]["edges"]) == len(found["histogram"]["counts"]) + 1


def test_a_heat_map_lies_over_the_whole_picture(client: TestClient, uploaded: str) -> None:
    heat = picture_of(client.get(f"/api/pictures/{uploaded}/heat-map.webp", params={"task": "Count"}))
    assert heat.shape == (120, 160, 4)
    answer = client.get(f"/api/pictures/{uploaded}/heat-map.webp", params={"task": "Cuont"})
    assert answer.status_code == 404 and "Did you mean 'Count'?" in answer.json()["detail"]


def test_tiles_make_up_the_picture_at_its_depth(client: TestClient, tmp_path: Path) -> None:
    rows, columns = np.mgrid[:700, :900]
    pixels = (1000 + 30 * rows + 20 * columns).astype(np.uint16)
    path = tmp_path / "ramp.tif"
    tifffile.imwrite(path, pixels)
    key = client.post("/api/uploads", files=sent(path)).json()[0]["key"]
    where = f"/api/pictures/{key}/tiles"
    info = client.get(where).json()
    assert (info["width"], info["height"], info["levels"], info["tile_size"]) == (900, 700, 11, 256)
    assert (info["minimum"], info["maximum"]) == (pixels.min(), pixels.max())
    assert info["minimum"] <= info["low"] < info["high"] <= info["maximum"] and sum(info["histogram"]) == pixels.size
    window = {"low": 10_000.0, "high": 20_000.0}
    tile = picture_of(client.get(f"{where}/10/3_2.webp", params=window))[..., 0].astype(float)
    assert tile.shape == (700 - 512, 900 - 768)
    expected = np.clip((pixels[512:, 768:] - 10_000.0) / 10_000 * 255, 0, 255)
    assert np.abs(tile - expected).mean() < 3
    assert picture_of(client.get(f"{where}/0/0_0.webp")).shape[:2] == (1, 1)
    for bad in ("11/0_0", "10/4_0", "10/0_9"):
        assert client.get(f"{where}/{bad}.webp").status_code == 404
    assert client.get(f"{where}/10/0_0.webp", params={"low": 5, "high": 5}).status_code == 422


def test_the_reading_of_the_drawn_bar_may_wait(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.random.default_rng(2).integers(0, 255, (100, 140)).astype(np.uint8))
    key = client.post("/api/uploads", files=sent(path)).json()[0]["key"]
    quick = client.get(f"/api/pictures/{key}/prediction", params={"quick": True}).json()
    assert not quick["is_final"]
    final = client.get(f"/api/pictures/{key}/prediction").json()
    assert final["is_final"] and final["tasks"] == quick["tasks"]
    assert client.get(f"/api/pictures/{key}/prediction", params={"quick": True}).json()["is_final"]


def test_attention_is_told_of_transformers_alone(
    served: Serve, client: TestClient, uploaded: str, vit: Path, micrograph_file: Path
) -> None:
    assert client.get("/api/model").json()["explanations"] == ["heat-map"]
    refused = client.get(f"/api/pictures/{uploaded}/attention.webp")
    assert refused.status_code == 404 and "no attention to show; expected a transformer" in refused.json()["detail"]
    attentive = served(model=vit)
    assert attentive.get("/api/model").json()["explanations"] == ["heat-map", "attention"]
    (upload,) = attentive.post("/api/uploads", files=sent(micrograph_file)).json()
    shown = attentive.get(f"/api/pictures/{upload['key']}/attention.webp").raise_for_status()
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert picture.size == (160, 120) and picture.mode == "RGBA"
    heat = attentive.get(f"/api/pictures/{upload['key']}/heat-map.webp", params={"task": "Count"}).raise_for_status()
    assert heat.content != shown.content
