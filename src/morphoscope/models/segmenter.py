"""The network that finds objects: a U-Net whose maps say where an object is, how deep inside it a pixel lies, and how far its centre is.

The encoder is a timm backbone on one grey channel, the decoder that of segmentation-models-pytorch (Ronneberger et al. 2015;
attention after Roy et al. 2018, which tells every pixel what fills the whole field). Maps come at half the input's resolution:
twice as fast, and resampled they place an outline to a fraction of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from morphoscope.data.preprocessing import GREY_MEAN, GREY_STD

MAPS = ("foreground", "edge", "depth", "size", "centre_y", "centre_x")
"""Channels of the output. foreground, edge: logits. depth: distance to the object's edge over its largest, logit of [0, 1].
size: log2 of the square root of the object's area in px over SIZE_UNIT. centre: offset of the object's centre of mass, in sizes."""
STRIDE = 32
"""Sides of the input are multiples of this."""
MAP_STRIDE = 2
SIZE_UNIT = 32.0
Upsampling = Literal["unet", "transposed"]


@dataclass(frozen=True)
class SegmenterSpec:
    """All that rebuilds the network. decoder: channels from the coarsest level to half resolution. upsampling: how it rises:
    a U-Net's blocks with attention, or one transposed convolution a level, as Lu et al. 2022 have it."""

    backbone: str = "resnet10t"
    decoder: tuple[int, ...] = (160, 96, 64, 48)
    upsampling: Upsampling = "unet"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SegmenterSpec:
        return cls(data["backbone"], tuple(data["decoder"]), data.get("upsampling", "unet"))


class Segmenter(nn.Module):
    """(B, 1, Y, X) display values in [0, 1], sides multiples of STRIDE, to (B, len(MAPS), Y/2, X/2) maps."""

    def __init__(self, spec: SegmenterSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = smp.encoders.get_encoder(f"tu-{spec.backbone}", in_channels=1, depth=5, weights=None)
        if spec.upsampling == "transposed":
            self.decoder = TransposedDecoder(self.encoder.out_channels[1:], spec.decoder)
        else:
            self.decoder = smp.decoders.unet.decoder.UnetDecoder(
                encoder_channels=(0, *self.encoder.out_channels[1:]),
                decoder_channels=spec.decoder,
                n_blocks=len(spec.decoder),
                attention_type="scse",
            )
        self.head = nn.Conv2d(spec.decoder[-1], len(MAPS), 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        levels = self.encoder((pictures - GREY_MEAN) / GREY_STD)
        return self.head(self.decoder(levels)).float()


class TransposedDecoder(nn.Module):
    """Level by level from the coarsest: a transposed convolution (4 x 4, stride 2), batch normalisation and ReLU, then the encoder's
    features of that level beside it; those of the last level are folded in by a 1 x 1 convolution."""

    def __init__(self, levels: Sequence[int], widths: Sequence[int]) -> None:
        """levels: channels of the encoder from half resolution to the coarsest. widths: of each rise."""
        super().__init__()
        *skips, before = levels
        self.rises = nn.ModuleList()
        for width, skip in zip(widths, reversed(skips), strict=True):
            rise = nn.ConvTranspose2d(before, width, 4, stride=2, padding=1, bias=False)
            self.rises.append(nn.Sequential(rise, nn.BatchNorm2d(width), nn.ReLU()))
            before = width + skip
        self.fold = nn.Conv2d(before, widths[-1], 1)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """levels: (B, C, y, x) from full resolution, of no account, to the coarsest."""
        *skips, found = levels[1:]
        for rise, skip in zip(self.rises, reversed(skips), strict=True):
            found = torch.cat([rise(found), skip], 1)
        return self.fold(found)


def read_out(maps: Tensor) -> Tensor:
    """The network's maps in plain units: probabilities, depth in [0, 1], size in px, offsets in px (all of the input's pixels)."""
    foreground, edge, depth, size, *centre = maps.unbind(1)
    size = SIZE_UNIT * torch.exp2(size.clamp(-5, 6))
    return torch.stack([foreground.sigmoid(), edge.sigmoid(), depth.sigmoid(), size, *(part * size for part in centre)], 1)
