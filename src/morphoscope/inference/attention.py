"""What the global features of a transformer look at: attention rollout (Abnar & Zuidema, ACL 2020).

Layer after layer, attention, averaged over its heads, mixes what the places of a picture know. Half of each layer's input goes round
attention, as the residual path does; the product over the layers says how much of each place has come to the token, or the mean
over tokens, that the features are read from. It is about the features, whatever the answer: beside it, the heat map of a task
says what speaks for that answer. Windowed transformers such as Swin have no such product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from morphoscope.inference.predictor import Seen, as_batch
from morphoscope.models.branches.autoencoder import AutoencoderBranch, TransformerAutoencoder
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.bundle import Bundle
from morphoscope.models.network import reads


class AttentionReader:
    """A bundle whose transformers tell what their global features look at."""

    def __init__(self, bundle: Bundle) -> None:
        self._network, self._preprocessing = bundle.network.eval(), bundle.preprocessing

    def look(self, seen: Sequence[Seen]) -> list[dict[str, np.ndarray]]:
        """For each picture, branch to (Y, X) float32 in [0, 1] over its working copy: 0 where a place has no more than an even share,
        1 where it has most, and at least twice that. Empty where no branch is such a transformer."""
        batch = as_batch(seen)
        found: list[dict[str, np.ndarray]] = [{} for _ in seen]
        for name, branch in self._network.branches.items():
            maps = rollout_of(branch, batch.inputs[reads(name, branch)])
            for one, row, places in zip(found, seen, [] if maps is None else maps.cpu().numpy(), strict=False):
                one[name] = self._preprocessing.from_canvas(beyond_even(places), row.working.shape)
        return found


def beyond_even(shares: np.ndarray) -> np.ndarray:
    """(y, x) in [0, 1] of shares (y, x) that sum to one: by how much they exceed an even share, the most being 1 where it is twice
    the even one or more. So what looks everywhere alike stays dark, and is not stretched into a pattern."""
    excess = shares * shares.size - 1
    return (excess / max(float(excess.max()), 1.0)).clip(0, 1)


def is_attentive(branch: nn.Module) -> bool:
    """Whether a branch is a transformer of global attention, for which there is a rollout."""
    if isinstance(branch, ImageBranch):
        return isinstance(branch.backbone, VisionTransformer)
    return isinstance(branch, AutoencoderBranch) and isinstance(branch.autoencoder, TransformerAutoencoder)


@torch.inference_mode()
def rollout_of(branch: nn.Module, pictures: Tensor) -> Tensor | None:
    """(B, y, x) share of each place of the pictures (B, 1, Y, X) in the features of a branch, each map's sum one; None for a
    branch that is no transformer of global attention."""
    if isinstance(branch, ImageBranch) and isinstance(branch.backbone, VisionTransformer):
        transformer = branch.backbone
        patch = transformer.patch_embed.patch_size
        grid = (-(-pictures.shape[2] // patch[0]), -(-pictures.shape[3] // patch[1]))
        prefix, pooled_from_token = transformer.num_prefix_tokens, transformer.global_pool == "token"
        blocks = list(transformer.blocks)
    elif isinstance(branch, AutoencoderBranch) and isinstance(branch.autoencoder, TransformerAutoencoder):
        blocks, grid = list(branch.autoencoder.blocks), branch.autoencoder.grid
        prefix, pooled_from_token = 1, True
    else:
        return None
    with _attention_of(blocks) as layers:
        branch(pictures)
    joined = rollout(layers)
    read = joined[:, 0] if pooled_from_token else joined[:, prefix:].mean(1)
    places = read[:, prefix:]
    return (places / places.sum(1, keepdim=True)).unflatten(1, grid)


def rollout(layers: Sequence[Tensor]) -> Tensor:
    """(B, N, N) how much of each token has come to each, rows that sum to one, from the attention (B, heads, N, N) of the
    layers, first to last: the product of 0.5 · attention + 0.5 · identity (equation 1 of the paper)."""
    joined = torch.eye(layers[0].shape[-1], device=layers[0].device).expand(len(layers[0]), -1, -1)
    for attention in layers:
        mixed = 0.5 * attention.float().mean(1) + 0.5 * torch.eye(attention.shape[-1], device=attention.device)
        joined = (mixed / mixed.sum(-1, keepdim=True)) @ joined
    return joined


@contextmanager
def _attention_of(blocks: Sequence[Any]) -> Iterator[list[Tensor]]:
    """The attention (B, heads, N, N) of the blocks, filled while a picture goes through them."""
    found: list[Tensor] = []
    modules = [block.attn for block in blocks]
    was_fused = [module.fused_attn for module in modules]
    handles = [module.attn_drop.register_forward_hook(lambda _, __, output: found.append(output)) for module in modules]
    try:
        for module in modules:
            module.fused_attn = False  # the fused kernel keeps no attention to look at
        yield found
    finally:
        for module, fused, handle in zip(modules, was_fused, handles, strict=True):
            module.fused_attn = fused
            handle.remove()
