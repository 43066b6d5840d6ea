"""The bundle: a folder with everything that prediction needs, and the only thing that training hands over.

    model/  weights.safetensors   the network
            novelty.safetensors   training features that novelty is measured against
            bundle.json           format, network, preprocessing, encoders, confidence, provenance, checksums
            MODEL_CARD.md         for people

Nothing in it is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

from morphoscope.data.cache import content_hash
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import BundleError
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.channels import Channel
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema

FORMAT = 2
"""1: novelty measured in standardised features."""
_WEIGHTS, _NOVELTY, _DOCUMENT, _CARD = "weights.safetensors", "novelty.safetensors", "bundle.json", "MODEL_CARD.md"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A trained model. provenance: plain JSON for people and reports (versions, data, figures, pixel-size range). channels: further
    inputs, each with the branch of its name."""

    network: MultimodalNetwork
    preprocessing: Preprocessing
    metadata_encoder: MetadataEncoder
    confidence: tuple[TaskConfidence, ...]
    novelty: NoveltyReference
    provenance: dict[str, Any] = field(default_factory=dict)
    quick_confidence: tuple[TaskConfidence, ...] = ()
    """Of answers without the branches that take long, a task's each; none where there are no such branches."""
    channels: tuple[Channel, ...] = ()

    @property
    def schema(self) -> Schema:
        return self.network.spec.schema

    def save(self, folder: Path, card: str) -> None:
        """Writes the folder; `card` is the text of the model card."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        save_file(state, folder / _WEIGHTS)
        save_arrays({"references": self.novelty.references, "usual": np.array([self.novelty.usual])}, folder / _NOVELTY)
        document = {
            "format": FORMAT,
            "network": self.network.spec.to_dict(),
            "schema_hash": self.schema.hash,
            "preprocessing": self.preprocessing.to_dict(),
            "metadata_encoder": self.metadata_encoder.to_dict(),
            "channels": {channel.name: channel.to_dict() for channel in self.channels},
            "confidence": [one.to_dict() for one in self.confidence],
            "quick_confidence": [one.to_dict() for one in self.quick_confidence],
            "provenance": self.provenance,
            "sha256": {name: content_hash(folder / name) for name in (_WEIGHTS, _NOVELTY)},
        }
        (folder / _DOCUMENT).write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
        (folder / _CARD).write_text(card, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """The bundle in a folder, or in its `model` sub-folder. Raises BundleError where it is missing, damaged or too new."""
        folder = bundle_folder(folder)
        try:
            document = json.loads((folder / _DOCUMENT).read_text(encoding="utf-8"))
            if document["format"] != FORMAT:
                raise BundleError(
                    f"{folder}: the model has format {document['format']}; this version of Morphoscope reads format {FORMAT}. "
                    "Update Morphoscope, or train the model again from its recipe.toml."
                )
            _verify(folder, document["sha256"])
            network = MultimodalNetwork(NetworkSpec.from_dict(document["network"]))
            network.load_state_dict(load_file(folder / _WEIGHTS))
            arrays = load_arrays(folder / _NOVELTY)
        except (OSError, KeyError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise BundleError(
                f"{folder}: the model can't be loaded ({type(error).__name__}: {error}); expected the untouched folder that "
                "`morphoscope train` wrote. Copy it again, or train again from its recipe.toml."
            ) from error
        return cls(
            network.eval(),
            Preprocessing(**document["preprocessing"]),
            MetadataEncoder.from_dict(document["metadata_encoder"]),
            tuple(TaskConfidence.from_dict(one) for one in document["confidence"]),
            NoveltyReference(arrays["references"], float(arrays["usual"][0])),
            document["provenance"],
            tuple(TaskConfidence.from_dict(one) for one in document.get("quick_confidence", ())),
            tuple(Channel.from_dict(name, each) for name, each in document.get("channels", {}).items()),
        )


def bundle_identity(folder: Path) -> tuple[Path, str]:
    """The folder that holds a model's files, and the SHA-256 of its weights, which tells it from any other. Raises BundleError."""
    place = bundle_folder(folder)
    return place, content_hash(place / _WEIGHTS)


def bundle_folder(folder: Path) -> Path:
    """The folder itself or its `model` sub-folder, whichever holds a model. Raises BundleError where neither does."""
    for candidate in (folder, folder / "model"):
        if (candidate / _DOCUMENT).is_file():
            return candidate
    raise BundleError(
        f"{folder}: no model here; expected a folder with {_DOCUMENT} and {_WEIGHTS}. "
        "Give the folder that `morphoscope train --out` wrote, or its `model` sub-folder."
    )


def _verify(folder: Path, checksums: dict[str, str]) -> None:
    for name, expected in checksums.items():
        if content_hash(folder / name) != expected:
            raise BundleError(
                f"{folder / name}: the file differs from the one that training wrote (its SHA-256 is another). "
                "Copy the model folder again from its source."
            )
