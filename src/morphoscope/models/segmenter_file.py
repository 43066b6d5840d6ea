"""A segmenter on disk: safetensors for the weights, JSON for what rebuilds the network and where it comes from."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from morphoscope.errors import BundleError
from morphoscope.models.segmenter import Segmenter, SegmenterSpec

WEIGHTS, CARD = "segmenter.safetensors", "segmenter.json"
CONTENT_DIGITS = 16
"""Of the hash of each picture that a card says it has learned from."""
_SHIPPED = files("morphoscope.models.weights")


def save_segmenter(network: Segmenter, folder: Path, card: dict[str, Any]) -> None:
    """Writes the weights in half precision, and the card with the network's spec."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    save_file(state, folder / WEIGHTS)
    document = {"spec": network.spec.to_dict(), **card}
    (folder / CARD).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_segmenter(folder: Path | None = None) -> Segmenter:
    """The segmenter in a folder or in its `model` sub-folder; without one, that which comes with Morphoscope.

    Raises BundleError where it is missing or damaged.
    """
    if folder is None:
        with as_file(_SHIPPED / WEIGHTS) as weights, as_file(_SHIPPED / CARD) as card:
            return _load(weights, card)
    for candidate in (folder, folder / "model"):
        if (candidate / WEIGHTS).is_file():
            return _load(candidate / WEIGHTS, candidate / CARD)
    raise BundleError(
        f"--model {folder}: found no {WEIGHTS}; expected a folder that `morphoscope train --masks` wrote. "
        "Name such a folder, or leave --model out for the segmenter that comes with Morphoscope."
    )


def segmenter_card(folder: Path) -> dict[str, Any]:
    """What the segmenter in a folder or in its `model` sub-folder says of its making; nothing where that can't be read."""
    for candidate in (folder, folder / "model"):
        if (candidate / WEIGHTS).is_file():
            with suppress(OSError, ValueError):
                return dict(json.loads((candidate / CARD).read_text(encoding="utf-8")))
    return {}


def shipped_card() -> dict[str, Any]:
    """What the shipped segmenter was trained on, and what it reached."""
    return json.loads((_SHIPPED / CARD).read_text(encoding="utf-8"))


def _load(weights: Path, card: Path) -> Segmenter:
    try:
        network = Segmenter(SegmenterSpec.from_dict(json.loads(card.read_text(encoding="utf-8"))["spec"]))
        state = load_file(weights)
        network.load_state_dict(
            {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in state.items()}
        )
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(
            f"{weights}: the segmenter can't be loaded ({reason}); expected the untouched files that training wrote. "
            "Copy the folder again from its source."
        ) from error
    return network.eval()
