"""Where the image branch starts: random weights, the encoder that comes with Morphoscope, or a model of the user's."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from morphoscope.errors import MorphoscopeError, did_you_mean
from morphoscope.models.branches.image import ImageBranch

RANDOM, DEFAULT, AUTO, IMAGENET = "random", "default", "auto", "imagenet"
ENCODER_WEIGHTS, ENCODER_DOCUMENT = "encoder.safetensors", "encoder.json"
"""What `morphoscope pretrain` writes, and what is shipped."""
_SHIPPED = files("morphoscope.models.weights")
_PREFIX = "branches.image.backbone."
_MOST_OF_A_REASON = 200


def resolved_encoder(name: str, backbone: str) -> str:
    """`auto` is the shipped encoder where it fits the backbone, else random weights. Raises MorphoscopeError at once for an
    encoder that can't be had, so that no run ever starts from random weights unasked."""
    if name == AUTO:
        return DEFAULT if backbone == shipped_backbone() else RANDOM
    if name == DEFAULT and backbone != shipped_backbone():
        raise MorphoscopeError(
            f"--encoder default: it is a {shipped_backbone()}, the recipe's backbone is {backbone}; expected the same. "
            f"Add --set backbone={shipped_backbone()}, or --encoder random."
        )
    if name == IMAGENET:
        raise imagenet_is_missing()
    if name in (RANDOM, DEFAULT):
        return name
    if not Path(name).exists():
        raise MorphoscopeError(
            f"--encoder {name}: found neither an encoder of that name nor a file; expected {RANDOM}, {DEFAULT}, a model "
            f"folder or a .safetensors file.{did_you_mean(name, [RANDOM, DEFAULT])} Add --encoder random to start from random weights."
        )
    return name


def imagenet_is_missing() -> MorphoscopeError:
    """What to say where ImageNet's weights are asked for."""
    return MorphoscopeError(
        "--encoder imagenet: the recipe or the option asks for ImageNet's weights, which are not on this machine, and Morphoscope "
        "fetches none; expected random, default, the folder of a model or a .safetensors file of timm's weights. Add --encoder "
        "random to start from random weights."
    )


def shipped_backbone() -> str:
    """The timm name of the shipped encoder's architecture."""
    return str(json.loads((_SHIPPED / ENCODER_DOCUMENT).read_text(encoding="utf-8"))["backbone"])


def described(encoder: str) -> str:
    """The start of a network in words, for reports."""
    words = {
        RANDOM: "random weights",
        DEFAULT: "the encoder that comes with Morphoscope (learned from rendered micrographs and unlabelled real ones)",
    }
    return words.get(encoder, encoder)


def encoder_branch(encoder: str, backbone: str = "", seed: int = 0) -> ImageBranch:
    """A frozen encoder by name or place. backbone: of random weights, or of a file that does not state its own; the shipped
    encoder's, if left out. Raises MorphoscopeError for one that can't be had."""
    own = shipped_backbone() if encoder == DEFAULT else _backbone_of(encoder)
    chosen = own or backbone or shipped_backbone()
    known = resolved_encoder(encoder, chosen)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        branch = ImageBranch(chosen)
    start_from(known, branch)
    return branch.eval()


def start_from(encoder: str, branch: ImageBranch) -> None:
    """Puts an encoder's weights into the image branch; `random` leaves it as it is. Raises MorphoscopeError if they don't fit."""
    if encoder == RANDOM:
        return
    if (trained := _backbone_of(encoder)) and trained != branch.name:
        raise MorphoscopeError(
            f"--encoder {encoder}: it is a {trained}, the recipe's backbone is {branch.name}; expected the same. "
            f"Add --set backbone={trained}, or --encoder random."
        )
    try:
        branch.backbone.load_state_dict(_fitting(_weights(encoder), branch))
    except (OSError, SafetensorError, RuntimeError) as error:
        # torch names the keys below its headline
        reason = " ".join(line.strip() for line in str(error).splitlines()[:2])[:_MOST_OF_A_REASON]
        raise MorphoscopeError(
            f"--encoder {encoder}: its weights can't be used ({reason}); expected those of the recipe's backbone, one grey "
            "channel. Choose the backbone it was trained with, or add --encoder random."
        ) from error


def encoder_side(encoder: str) -> int | None:
    """Side in px of the views that an encoder's folder says it has learned from; None where it does not say."""
    side = _document(encoder).get("side")
    return side if isinstance(side, int) and side > 0 else None


def _backbone_of(encoder: str) -> str:
    """The timm name of the backbone that an encoder's or model's folder states; empty where none does."""
    stated = _document(encoder)
    branches = stated.get("network", {}).get("branches", {})
    return str(stated.get("backbone") or branches.get("image", {}).get("backbone", ""))


def _document(encoder: str) -> dict[str, Any]:
    """What an encoder's or model's folder says of itself; nothing for names and bare files. Raises MorphoscopeError."""
    folder = Path(encoder)
    for place in (ENCODER_DOCUMENT, "bundle.json", "model/bundle.json"):
        if (folder / place).is_file():
            try:
                return dict(json.loads((folder / place).read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                raise MorphoscopeError(
                    f"--encoder {encoder}: {place} can't be read ({error}); expected what `pretrain` or `train` wrote there. "
                    "Make the encoder again, or add --encoder random."
                ) from error
    return {}


def _fitting(state: dict[str, torch.Tensor], branch: ImageBranch) -> dict[str, torch.Tensor]:
    """The weights of a timm file for grey pictures: without the classifier, the first layer's three channels added up, which is
    what a grey picture in all three would see. Others as they are."""
    known, facts = branch.backbone.state_dict(), getattr(branch.backbone, "pretrained_cfg", {})
    classifiers = facts.get("classifier", ())
    dropped = tuple(f"{name}." for name in ([classifiers] if isinstance(classifiers, str) else classifiers))
    kept = {name: tensor for name, tensor in state.items() if name in known or not name.startswith((*dropped, "AuxLogits."))}
    for name, tensor in kept.items():
        own = known.get(name)
        if own is not None and own.ndim == tensor.ndim == 4 and (own.shape[1], tensor.shape[1]) == (1, 3):
            kept[name] = tensor.sum(1, keepdim=True)
    return kept


def _weights(encoder: str) -> dict[str, torch.Tensor]:
    if encoder == DEFAULT:
        with as_file(_SHIPPED / ENCODER_WEIGHTS) as path:
            state = load_file(path)
    else:
        path = Path(encoder)
        candidates = [path, path / ENCODER_WEIGHTS, path / "weights.safetensors", path / "model" / "weights.safetensors"]
        file = next((file for file in candidates if file.is_file()), None)
        if file is None:
            raise MorphoscopeError(
                f"--encoder {encoder}: found no weights in this folder; expected one that `pretrain` or `train` has finished, with "
                f"{ENCODER_WEIGHTS} or model/weights.safetensors. Name another, or add --encoder random."
            )
        state = load_file(file)
    own = {name.removeprefix(_PREFIX): tensor for name, tensor in state.items() if name.startswith(_PREFIX)}
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in (own or state).items()}
