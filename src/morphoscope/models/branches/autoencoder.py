"""What the whole field shows, as a branch: the code of an autoencoder, beside the local features of a convolutional network.

Biswas (Stanford) concatenates the dense code of an autoencoder with DenseNet's features before the classifier, since a layer that
sees every place at once captures what is global. The publication draws it without widths; those here are ours. A transformer
in its place is what it names as the next step: patches that attend to each other.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from morphoscope.data.preprocessing import GREY_MEAN, GREY_STD

HIDDEN = 512
PATCH_PX, TRANSFORMER_WIDTH, HEADS, ENCODER_DEPTH, DECODER_DEPTH = 8, 192, 3, 4, 2


class AutoencoderBranch(nn.Module):
    """(B, 1, Y, X) display values in [0, 1] to (B, code): what a small copy of the picture can be drawn again from."""

    reads = "image"

    def __init__(self, kind: Literal["dense", "transformer"] = "dense", side: int = 64, code: int = 128) -> None:
        """side: px of the small copy, a multiple of 8 for the transformer."""
        super().__init__()
        self.out_features = code
        self._side = side
        self.autoencoder = TransformerAutoencoder(side, code) if kind == "transformer" else DenseAutoencoder(side, code)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.autoencoder.encode(self._small(pictures))

    def reconstruction_loss(self, code: Tensor, pictures: Tensor) -> Tensor:
        """Mean square error, in standard deviations squared, of the small copies drawn from codes (B, code) of these pictures."""
        return F.mse_loss(self.autoencoder.decode(code).float(), self._small(pictures).float())

    def _small(self, pictures: Tensor) -> Tensor:
        """(B, 1, side, side), standardised; area averages."""
        small = F.interpolate(pictures, (self._side, self._side), mode="bilinear", antialias=True, align_corners=False)
        return (small - GREY_MEAN) / GREY_STD


class DenseAutoencoder(nn.Module):
    """Every pixel to every unit, twice, down to the code; and back."""

    def __init__(self, side: int, code: int) -> None:
        super().__init__()
        self._side, pixels = side, side * side
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, code), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(code, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, pixels))

    def encode(self, small: Tensor) -> Tensor:
        return self.encoder(small)

    def decode(self, code: Tensor) -> Tensor:
        return self.decoder(code).unflatten(1, (1, self._side, self._side))


class TransformerAutoencoder(nn.Module):
    """Patches that attend to each other, gathered by a token whose projection is the code; a shallower one draws them again."""

    def __init__(self, side: int, code: int) -> None:
        super().__init__()
        self.grid = (side // PATCH_PX, side // PATCH_PX)
        tokens, width = math.prod(self.grid), TRANSFORMER_WIDTH
        self.embed = nn.Conv2d(1, width, PATCH_PX, PATCH_PX)
        self.gatherer = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, tokens + 1, width) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, HEADS) for _ in range(ENCODER_DEPTH)])
        self.norm = nn.LayerNorm(width)
        self.to_code = nn.Linear(width, code)
        self.from_code = nn.Linear(code, width)
        self.drawn_places = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
        self.drawing = nn.Sequential(*[Block(width, HEADS) for _ in range(DECODER_DEPTH)], nn.LayerNorm(width))
        self.to_pixels = nn.Linear(width, PATCH_PX**2)

    def encode(self, small: Tensor) -> Tensor:
        patches = self.embed(small).flatten(2).mT  # (B, tokens, width)
        tokens = torch.cat([self.gatherer.expand(len(patches), -1, -1), patches], 1) + self.places
        return self.to_code(self.norm(self.blocks(tokens))[:, 0])

    def decode(self, code: Tensor) -> Tensor:
        tokens = self.from_code(code)[:, None] + self.drawn_places
        patches = self.to_pixels(self.drawing(tokens)).unflatten(2, (PATCH_PX, PATCH_PX))
        rows = patches.unflatten(1, self.grid)  # (B, row, column, y, x)
        return rows.transpose(2, 3).flatten(3).flatten(1, 2)[:, None]  # (B, 1, row y, column x)
