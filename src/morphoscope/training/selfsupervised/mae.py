"""Masked autoencoder: a transformer sees a quarter of the patches, and a small one draws the others (He et al., CVPR 2022)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from morphoscope.errors import MorphoscopeError
from morphoscope.models.branches.image import ImageBranch
from morphoscope.training.selfsupervised.method import SelfSupervisedMethod


def masked_patch_loss(drawn: Tensor, patches: Tensor, is_masked: Tensor, normalise: bool = True) -> Tensor:
    """Mean square error of the masked patches alone, each pixel the same weight. drawn, patches: (B, N, P) pixels of N patches;
    is_masked: (B, N) bool. normalise: every true patch has its own mean taken off and is divided by its own standard deviation,
    as the authors' code has it."""
    drawn, patches = drawn.float(), patches.float()
    if normalise:
        patches = (patches - patches.mean(2, keepdim=True)) / (patches.var(2, keepdim=True) + 1e-6).sqrt()
    error = (drawn - patches).square().mean(2)
    return (error * is_masked).sum() / is_masked.sum().clamp(min=1)


def to_patches(pictures: Tensor, height: int, width: int) -> Tensor:
    """(B, 1, Y, X) to (B, N, height · width): patches row by row, pixels row by row; what does not fill a patch is left out."""
    rows, columns = pictures.shape[2] // height, pictures.shape[3] // width
    whole = pictures[:, 0, : rows * height, : columns * width]
    return whole.unflatten(2, (columns, width)).unflatten(1, (rows, height)).transpose(2, 3).flatten(3).flatten(1, 2)


class MaskedAutoencoder(SelfSupervisedMethod):
    """The encoder's blocks see what is not masked; the decoder sees their output and, at every masked place, one learned token.

    Of each picture one view is used. Positions of the decoder are sines and cosines, so that views may have any size."""

    n_views = 1
    usual: ClassVar[dict[str, Any]] = {
        "backbone": "vit_tiny_patch16_224",
        # Cropping and turning only, as in the paper: what noise adds to a patch can't be foretold.
        "views": {"tone": 0.0, "blur": 0.0, "noise": 0.0},
    }

    def __init__(
        self,
        width: int,
        *,
        masked: float = 0.75,
        decoder_width: int = 128,
        decoder_depth: int = 2,
        decoder_heads: int = 4,
        normalise: bool = True,
    ) -> None:
        """width: of the encoder's tokens. masked: share of the patches."""
        super().__init__()
        self._masked, self._normalise, self._width = masked, normalise, decoder_width
        self.to_decoder = nn.Linear(width, decoder_width)
        self.token = nn.Parameter(torch.randn(1, 1, decoder_width) * 0.02)
        blocks = [Block(decoder_width, decoder_heads) for _ in range(decoder_depth)]
        self.decoder = nn.Sequential(*blocks, nn.LayerNorm(decoder_width))
        self.to_pixels: nn.Module = nn.Identity()

    def follow(self, encoder: nn.Module) -> None:
        """Takes the size of the encoder's patches. Raises MorphoscopeError for an encoder that has none to leave out."""
        height, width = transformer_of(encoder).patch_embed.patch_size
        self.to_pixels = nn.Linear(self._width, height * width)

    @classmethod
    def check(cls, encoder: nn.Module, side: int) -> None:
        height, width = transformer_of(encoder).patch_embed.patch_size
        if side % (patch := math.lcm(height, width)):
            raise MorphoscopeError(
                f"--method mae: views.side is {side} px, the encoder's patches are {height} × {width} px; expected whole patches. "
                f"Add --set views.side={patch * max(1, math.ceil(32 / patch), round(side / patch))}."
            )

    def loss(self, encoder: nn.Module, first: Tensor, second: Tensor) -> Tensor:
        transformer = transformer_of(encoder)
        embedded = transformer.patch_embed(encoder.standardised(first))  # type: ignore[operator]
        rows, columns = embedded.shape[1:3]
        tokens = transformer._pos_embed(embedded)
        prefix, places = tokens[:, : transformer.num_prefix_tokens], tokens[:, transformer.num_prefix_tokens :]
        count = rows * columns
        order = torch.rand(len(first), count, device=first.device).argsort(1)
        seen = order[:, : max(1, round((1 - self._masked) * count))]
        visible = places.gather(1, seen[..., None].expand(-1, -1, places.shape[2]))
        known = transformer.norm(transformer.blocks(transformer.norm_pre(torch.cat([prefix, visible], 1))))
        drawn = self._drawn(known, transformer.num_prefix_tokens, seen, (rows, columns))
        is_masked = torch.ones_like(order, dtype=torch.bool).scatter(1, seen, False)
        with torch.autocast(first.device.type, enabled=False):
            patches = to_patches(first, *transformer.patch_embed.patch_size)
            return masked_patch_loss(drawn, patches, is_masked, self._normalise)

    def _drawn(self, known: Tensor, n_prefix: int, seen: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, N, P) pixels of all patches, from what is known of the picture as a whole, in the first tokens of (B, n, F), and of
        the places that were seen (B, n - n_prefix)."""
        known = self.to_decoder(known)
        whole, patches = known[:, :n_prefix], known[:, n_prefix:]
        tokens = self.token.to(known).expand(len(known), grid[0] * grid[1], -1)
        tokens = tokens.scatter(1, seen[..., None].expand(-1, -1, known.shape[2]), patches)
        places = build_sincos2d_pos_embed(list(grid), self._width, device=known.device)
        return self.to_pixels(self.decoder(torch.cat([whole, tokens + places.to(known)], 1))[:, n_prefix:])


def transformer_of(encoder: nn.Module) -> VisionTransformer:
    """The encoder's vision transformer. Raises MorphoscopeError where it is none."""
    if isinstance(encoder, ImageBranch) and isinstance(encoder.backbone, VisionTransformer):
        return encoder.backbone
    name = encoder.name if isinstance(encoder, ImageBranch) else type(encoder).__name__
    raise MorphoscopeError(
        f"--method mae: {name} is no vision transformer, so it has no patches to leave out; expected one such as "
        "vit_tiny_patch16_224. Add --backbone vit_tiny_patch16_224."
    )
