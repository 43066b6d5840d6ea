"""Frozen features of pictures: files in, a row of numbers a picture out, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from morphoscope.calibration.resolve import resolve
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.record import without_pixels
from morphoscope.errors import MorphoscopeError
from morphoscope.io.read import MAX_PIXELS, read
from morphoscope.micrograph import Micrograph
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.bundle import Bundle
from morphoscope.models.encoders import DEFAULT, ENCODER_DOCUMENT, ENCODER_WEIGHTS, RANDOM, encoder_branch, encoder_side

CANVAS_PX = 128
"""Side of the pictures that an encoder looks at which does not say what it has learned from: what the shipped one was trained for."""
BATCH, READERS = 32, 2


@dataclass(frozen=True, eq=False)
class Embedded:
    """A batch in the order of the files. micrographs: the readable ones, without pixels; features: (N, F) float32 of them."""

    paths: list[Path]
    micrographs: list[Micrograph]
    features: np.ndarray
    failed: dict[Path, str]


class Embedder:
    """An encoder with the preprocessing that it expects. is_of_model: whether it learned on a canvas of that very shape, rather
    than on square views, which any shape of about their side does for."""

    def __init__(self, branch: ImageBranch, preprocessing: Preprocessing, *, is_of_model: bool = False) -> None:
        self.branch, self.preprocessing, self.is_of_model = branch.eval(), preprocessing, is_of_model

    @classmethod
    def load(cls, model: str, backbone: str = "", seed: int = 0) -> Embedder:
        """Of a model's folder, of an encoder's, or by name (`default`, `random`). backbone: of random weights, or of a file that
        does not state its own. seed: of random weights. Raises MorphoscopeError."""
        if _is_model(Path(model)):
            bundle = Bundle.load(Path(model))
            branch = dict(bundle.network.branches.items()).get("image")
            if not isinstance(branch, ImageBranch):
                raise MorphoscopeError(
                    f"{model}: the model has no image branch; expected one that looks at pictures. Choose another model, or default."
                )
            return cls(branch, bundle.preprocessing, is_of_model=True)
        side = encoder_side(model) or CANVAS_PX
        return cls(encoder_branch(model, backbone, seed), Preprocessing(side, side))

    @property
    def width(self) -> int:
        """F."""
        return self.branch.out_features

    def embed(self, paths: Sequence[Path], max_pixels: int = MAX_PIXELS) -> Iterator[Embedded]:
        """Features of any number of files, a batch at a time."""

        def seen(path: Path) -> tuple[Micrograph, np.ndarray] | str:
            try:
                micrograph = resolve(read(path, max_pixels=max_pixels), {})
            except MorphoscopeError as error:
                return str(error)
            canvas = self.preprocessing.canvas(self.preprocessing.working_copy(micrograph))
            return without_pixels(micrograph), canvas

        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(paths), BATCH):
                some = list(paths[start : start + BATCH])
                outcomes = list(zip(some, pool.map(seen, some), strict=True))
                read_well = [outcome for _, outcome in outcomes if not isinstance(outcome, str)]
                canvases = np.stack([canvas for _, canvas in read_well]) if read_well else np.zeros((0, 1, 1), np.uint8)
                failed = {path: outcome for path, outcome in outcomes if isinstance(outcome, str)}
                yield Embedded(some, [one for one, _ in read_well], frozen_features(self.branch, canvases), failed)


def is_encoder(model: str) -> bool:
    """Whether it is an encoder, which answers nothing: by name, a file of weights, or a folder that `morphoscope pretrain` wrote."""
    path = Path(model)
    has_weights = any((path / name).is_file() for name in (ENCODER_DOCUMENT, ENCODER_WEIGHTS)) and not _is_model(path)
    return model in (DEFAULT, RANDOM) or has_weights or (path.is_file() and path.suffix.lower() == ".safetensors")


def _is_model(folder: Path) -> bool:
    return any((folder / place).is_file() for place in ("bundle.json", "model/bundle.json"))


@torch.inference_mode()
def frozen_features(branch: ImageBranch, canvases: np.ndarray, batch: int = 64) -> np.ndarray:
    """(N, F) float32 pooled features of canvases (N, Y, X) uint8, on the device of the branch."""
    was_training, device = branch.training, next(branch.parameters()).device
    branch.eval()
    parts = [np.zeros((0, branch.out_features), np.float32)]
    for start in range(0, len(canvases), batch):
        some = torch.from_numpy(np.ascontiguousarray(canvases[start : start + batch]))[:, None].to(device)
        parts.append(branch(some.float() / 255).float().cpu().numpy())
    branch.train(was_training)
    return np.concatenate(parts)
