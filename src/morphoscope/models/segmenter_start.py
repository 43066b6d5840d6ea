"""Where a segmenter starts before it learns a user's objects: whole weights, an encoder's, or random ones."""

from __future__ import annotations

from pathlib import Path

from morphoscope.errors import MorphoscopeError
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import AUTO, DEFAULT, IMAGENET, RANDOM, imagenet_is_missing, start_from
from morphoscope.models.segmenter import Segmenter, SegmenterSpec
from morphoscope.models.segmenter_file import WEIGHTS, load_segmenter

SHIPPED_SEGMENTER = "default-segmenter"
_WORDS = {
    SHIPPED_SEGMENTER: "the segmenter that comes with Morphoscope",
    DEFAULT: "the encoder that comes with Morphoscope, its decoder random",
    RANDOM: "random weights",
}


def resolved_start(start: str, option: str = "--encoder") -> str:
    """`auto` is the shipped segmenter; a path becomes absolute. Raises MorphoscopeError where there is no such thing."""
    if start == AUTO:
        return SHIPPED_SEGMENTER
    if start in _WORDS:
        return start
    if start == IMAGENET:
        raise imagenet_is_missing()
    if not Path(start).exists():
        raise MorphoscopeError(
            f"{option} {start}: found neither weights of that name nor a file; expected {', '.join(_WORDS)}, a folder that "
            "`train` wrote, or a .safetensors file. Correct the name."
        )
    return str(Path(start).resolve())


def begun_segmenter(start: str, spec: SegmenterSpec | None = None) -> Segmenter:
    """A network with the weights of a resolved start: whole ones for `default-segmenter` and for a segmenter's folder, an
    encoder's for `default`, for a model's folder and for a file. The rest is drawn from torch's generator. spec: of the network;
    left out, that of whole weights, or the usual one.

    Raises MorphoscopeError for weights that don't fit.
    """
    if is_whole_start(start):
        whole = load_segmenter(None if start == SHIPPED_SEGMENTER else Path(start))
        if spec and spec not in (SegmenterSpec(), whole.spec):
            raise MorphoscopeError(
                f"--encoder {start}: it is a whole segmenter on {whole.spec.backbone}, the recipe's is another on "
                f"{spec.backbone}; expected the same. Add --encoder random, or leave --recipe out."
            )
        return whole
    network = Segmenter(spec or SegmenterSpec())
    if start != RANDOM:
        branch = ImageBranch(network.spec.backbone)
        start_from(start, branch)
        network.encoder.model.load_state_dict(branch.backbone.state_dict())
    return network


def is_whole_start(start: str) -> bool:
    """Whether a resolved start has a decoder too, so that it finds objects before it has learned any."""
    return start == SHIPPED_SEGMENTER or any((Path(start) / place / WEIGHTS).is_file() for place in ("", "model"))


def described_start(start: str) -> str:
    """The resolved start in words, for reports."""
    return _WORDS.get(start, start)
