"""An encoder as a model that answers nothing: the same one pass over a file as a trained model's, for its features alone."""

from __future__ import annotations

import hashlib

import numpy as np
import torch

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.inference.embedding import CANVAS_PX
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.encoders import encoder_branch, encoder_side
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema


def bare_encoder(encoder: str) -> Bundle:
    """The bundle of an encoder by name (`default`) or folder, without tasks. Raises MorphoscopeError."""
    branch, side = encoder_branch(encoder), encoder_side(encoder) or CANVAS_PX
    network = MultimodalNetwork(NetworkSpec({"image": {"backbone": branch.name}}, Schema(())))
    network.branches["image"] = branch
    with torch.inference_mode():
        width = branch.look(torch.zeros(1, 1, side, side))[1].shape[1]
    nothing = NoveltyReference(np.zeros((1, width), np.float32), 1.0)
    return Bundle(network.eval(), Preprocessing(side, side), MetadataEncoder(), (), nothing)


def weights_sha(bundle: Bundle) -> str:
    """SHA-256 of a network's weights, for one that has no file of its own."""
    digest = hashlib.sha256()
    for name, tensor in sorted(bundle.network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
