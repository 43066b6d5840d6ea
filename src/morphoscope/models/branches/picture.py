"""A further picture of the same place as a branch: another detector (BSE, in-lens), another magnification, an element map.

It goes through the same preprocessing as the picture itself, and through a network of the same backbone and start of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Generator, Tensor

from morphoscope.data.augmentation import Augmentation
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.readings import read_calibrated
from morphoscope.models.branches.channel import ChannelBranch, ChannelEncoder, Reading
from morphoscope.models.branches.image import ImageBranch

WORKING_SIDE = 512


@dataclass(frozen=True)
class PictureEncoder(ChannelEncoder):
    """The canvas of `Preprocessing`."""

    dtype: ClassVar[type[np.generic]] = np.uint8

    height: int
    width: int
    stretch: bool = False

    @staticmethod
    def read(path: Path) -> Reading:
        working = Preprocessing(0, 0, WORKING_SIDE).working_copy(read_calibrated(path, scale="header"))
        return Reading(path, {"working": working}, {})

    @classmethod
    def fit(cls, facts: Sequence[Mapping[str, Any]], preprocessing: Preprocessing) -> PictureEncoder:
        return cls(preprocessing.height, preprocessing.width, preprocessing.stretch)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.height, self.width

    def encode(self, reading: Reading) -> np.ndarray:
        """(Y, X) uint8."""
        return Preprocessing(self.height, self.width, stretch=self.stretch).canvas(reading.arrays["working"])


class PictureBranch(ChannelBranch):
    """(B, Y, X) uint8, or display values in [0, 1], to the pooled features of an image branch."""

    encoder = PictureEncoder

    def __init__(self, shape: Sequence[int], **image: Any) -> None:
        """image: arguments of `ImageBranch`."""
        super().__init__()
        self.image = ImageBranch(**image)
        self.out_features = self.image.out_features

    @staticmethod
    def arguments(encoder: ChannelEncoder, image: Mapping[str, Any]) -> dict[str, Any]:
        return {"shape": list(encoder.shape), **image, "auxiliary": False}

    def forward(self, pictures: Tensor) -> Tensor:
        values = _display_values(pictures)[:, None]
        if self.training and len(values) == 1:  # batch normalisation has no spread of one picture that shrank to one place
            return self.image(values.expand(2, -1, -1, -1))[:1]
        return self.image(values)

    def augmented(self, values: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
        """Another view, as of the picture itself; both are pooled over the picture, so they need not turn together."""
        return augmentation(_display_values(values)[:, None], generator)[0][:, 0]


def _display_values(pictures: Tensor) -> Tensor:
    return pictures.float() / 255 if pictures.dtype == torch.uint8 else pictures
