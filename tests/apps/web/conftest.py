"""A small untrained model, and the server in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from fastapi.testclient import TestClient

from morphoscope.apps.web.app import create_app
from morphoscope.apps.web.settings import Limits, Settings
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema, Task

LIMITS = Limits(upload_bytes=8 * 2**20, json_bytes=2**16, decoders=1, decode_bytes=2**30, max_pixels=3_000_000)

Serve = Callable[..., TestClient]


def sent(*paths: Path) -> list[tuple[str, tuple[str, bytes]]]:
    """Files as a form sends them."""
    return [("files", (path.name, path.read_bytes())) for path in paths]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model of two tasks; its weights are random, and always the same."""
    torch.manual_seed(0)
    tasks = (Task("Morphology", ("Cube", "Rod", "Sphere")), Task("Count", ("Few", "Many")))
    network = MultimodalNetwork(NetworkSpec({"image": {"backbone": "resnet10t"}}, Schema(tasks)))
    confidence = tuple(TaskConfidence(1.0, 0.1, 0.5, 100) for _ in tasks)
    looks = np.random.default_rng(0).normal(size=(8, 1024)).astype(np.float32)
    bundle = Bundle(network, Preprocessing(64, 64), MetadataEncoder(), confidence, NoveltyReference.fit(looks, looks))
    folder = tmp_path_factory.mktemp("run") / "model"
    bundle.save(folder, "# A model for tests")
    return folder


@pytest.fixture(scope="session")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small vision transformer of one task, with random weights."""
    torch.manual_seed(0)
    tasks = (Task("Count", ("Few", "Many")),)
    tiny = {"depth": 2, "embed_dim": 32, "num_heads": 2, "patch_size": 8, "img_size": 64}
    network = MultimodalNetwork(NetworkSpec({"image": {"backbone": "vit_tiny_patch16_224", **tiny}}, Schema(tasks)))
    looks = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    confidence = (TaskConfidence(1.0, 0.1, 0.5, 100),)
    bundle = Bundle(network, Preprocessing(64, 64), MetadataEncoder(), confidence, NoveltyReference.fit(looks, looks))
    folder = tmp_path_factory.mktemp("vit") / "model"
    bundle.save(folder, "# A transformer for tests")
    return folder


@pytest.fixture(scope="session")
def micrograph_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 16-bit TIFF, 120 rows of 160, with a scale of 2 nm in its header."""
    path = tmp_path_factory.mktemp("pictures") / "gold_20kX.tif"
    rows, columns = np.mgrid[:120, :160]
    disc = ((rows - 60) ** 2 + (columns - 50) ** 2 < 400) | ((rows - 50) ** 2 + (columns - 110) ** 2 < 300)
    noise = np.random.default_rng(1).normal(0, 200, disc.shape)
    pixels = (8000 + 20000 * disc + noise).astype(np.uint16)
    # ImageJ's way to say 2 nm a pixel
    tifffile.imwrite(path, pixels, imagej=True, resolution=(0.5, 0.5), metadata={"unit": "nm"})
    return path


@pytest.fixture(scope="session")
def served() -> Iterator[Serve]:
    """Starts servers; `served(model=…)` is a client of one, `is_admin` without tokens."""
    with ExitStack() as stack:
        yield lambda **asked: stack.enter_context(_client(**asked))


def _client(**asked: Any) -> TestClient:
    app = create_app(Settings(**{"limits": LIMITS, **asked}))
    return TestClient(app, base_url="http://127.0.0.1:8765", raise_server_exceptions=False)


@pytest.fixture(scope="session")
def client(served: Serve, model: Path) -> TestClient:
    """A server with the model."""
    return served(model=model)


@pytest.fixture(scope="session")
def uploaded(client: TestClient, micrograph_file: Path) -> str:
    """The key of the micrograph."""
    (upload,) = client.post("/api/uploads", files=sent(micrograph_file)).json()
    key: str = upload["key"]
    return key
