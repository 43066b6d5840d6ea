"""An archive of pictures that exist only as rows: fast, and every value known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from morphoscope.archive import (
    Archive,
    Entry,
    FileState,
    ModelIdentity,
    record_embeddings,
    record_model,
    record_pictures,
    record_predictions,
)
from morphoscope.micrograph import Acquisition, Evidence, Micrograph, PixelSize, Sourced
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema, Task

MORPHOLOGY = Task("Morphology", ("Cube", "Fibres/Polymer", "Rod"))
SYSTEM = Task("Crystal system", ("Cubic", "Hexagonal"))
SCHEMA = Schema((MORPHOLOGY, SYSTEM))
MODEL = ModelIdentity("ab" * 32, "run", "/models/run", SCHEMA)
N = 12


def written(folder: Path, name: str, content: bytes = b"") -> FileState:
    """A file with bytes of its own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or name.encode())
    return FileState.of(path)


def micrograph(path: Path, pixel_size_nm: float | None = None, hv_kv: float | None = None) -> Micrograph:
    """What a file might say."""
    size = pixel_size_nm and PixelSize(pixel_size_nm, pixel_size_nm, "header", (Evidence("header: FEI", pixel_size_nm),))
    settings = Acquisition(hv_kv=Sourced(hv_kv, "header") if hv_kv else None)
    pixels = np.broadcast_to(np.zeros((), np.uint16), (30, 40))
    return Micrograph(path, pixels, "tiff (FEI)" if size else "png", size or None, settings)


def answered(probabilities: np.ndarray, task: Task, sure: float = 0.8) -> ClassPrediction:
    """A prediction whose set holds what is above a fifth."""
    return ClassPrediction(task, probabilities, probabilities > 0.2, probabilities.max(1) >= sure)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A new one."""
    with Archive.open(tmp_path / "lab.archive") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name holds no word that a test looks for."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture
def filled(archive: Archive, folder: Path) -> Archive:
    """Twelve pictures 1 … 12: classes in turn, confidence that rises, pixel size = number where it is even, 200 kV below the
    seventh, features on a quarter circle; the last one can't be read."""
    entries = []
    for number in range(1, N):
        file = written(folder, f"{'gold' if number < 6 else 'silver'}_{'rods' if number % 2 else 'cubes'}_{number:02}.tif")
        told = micrograph(file.path, float(number) if number % 2 == 0 else None, 200.0 if number < 7 else 300.0)
        entries.append(Entry(file, told, sample=f"S{number % 3}", notes="annealed" if number == 3 else ""))
    entries.append(Entry(written(folder, "broken.tif"), error="broken.tif: it is no picture."))
    ids = record_pictures(archive, entries)
    model = record_model(archive, MODEL)
    confidence = np.linspace(0.5, 0.95, N - 1)
    shape = np.zeros((N - 1, 3))
    shape[np.arange(N - 1), np.arange(N - 1) % 3] = confidence
    shape[np.arange(N - 1), (np.arange(N - 1) + 1) % 3] = 1 - confidence
    system = np.stack([1 - confidence, confidence], 1)
    record_predictions(
        archive, model, ids[:-1], [answered(shape, MORPHOLOGY), answered(system, SYSTEM)], np.linspace(0, 1, N - 1)
    )
    angle = np.linspace(0, np.pi / 2, N - 1)
    record_embeddings(archive, model, ids[:-1], np.stack([np.cos(angle), np.sin(angle), np.zeros(N - 1)], 1))
    return archive
