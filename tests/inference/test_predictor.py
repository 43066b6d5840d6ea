"""A picture in memory is answered as the same picture in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.readings import read_calibrated
from morphoscope.inference.predictor import Predictor
from morphoscope.measure.texture import texture_descriptors
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema, Task
from morphoscope.synthesis import write_dataset

TASK = Task("Shape", ("Rod", "Sphere", "Cube"))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    width = len(texture_descriptors(np.zeros((64, 64), np.uint8)))
    branches = {"image": {"backbone": "resnet10t"}, "texture": {"width": width}}
    network = MultimodalNetwork(NetworkSpec(branches, Schema((TASK,)))).eval()
    looks = np.random.default_rng(0).normal(size=(8, 1024)).astype(np.float32)
    confidence = (TaskConfidence(1.0, 0.1, 0.5, 100),)
    return Predictor(Bundle(network, Preprocessing(64, 64), MetadataEncoder(), confidence, NoveltyReference.fit(looks, looks)))


def test_memory_and_files_give_the_same_answers(predictor: Predictor, tmp_path: Path) -> None:
    write_dataset("particles", 3, tmp_path, size=(72, 96), seed=5)
    files = sorted((tmp_path / "images").iterdir())
    of_files = [row for batch in predictor.predict(files) for row in batch.predictions[0].probabilities]
    answered = predictor.predict_micrographs([read_calibrated(path) for path in files])
    assert answered.paths == files and not answered.failed
    assert answered.predictions[0].probabilities == pytest.approx(np.stack(of_files), abs=1e-5)
    assert answered.novelty.shape == (3,)


def test_no_picture_is_an_empty_batch(predictor: Predictor) -> None:
    answered = predictor.predict_micrographs([])
    assert answered.paths == [] and answered.predictions[0].probabilities.shape == (0, 3)
