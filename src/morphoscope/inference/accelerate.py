"""The same network, faster: batch norms folded into their convolutions, memory laid out for the CPU's kernels."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from morphoscope.models.network import MultimodalNetwork


def accelerated(network: MultimodalNetwork) -> MultimodalNetwork:
    """A copy for evaluation on the best device; its outputs differ by rounding only."""
    fast = copy.deepcopy(network).eval()
    for module in list(fast.modules()):
        _fold_batch_norms(module)
    if "image" in network.branches and not _agree(network.branches["image"], fast.branches["image"]):
        fast = copy.deepcopy(network).eval()
    return fast.to(torch.device("cuda" if torch.cuda.is_available() else "cpu")).to(memory_format=torch.channels_last)


def _fold_batch_norms(module: nn.Module) -> None:
    """Folds a plain batch norm into the convolution registered just before it, which in every backbone is the one it follows."""
    for (first, convolution), (second, norm) in pairwise(list(module.named_children())):
        if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            continue
        if type(convolution) is nn.Conv2d and norm.num_features == convolution.out_channels:
            setattr(module, first, fuse_conv_bn_eval(convolution, norm))
            setattr(module, second, getattr(norm, "act", None) or nn.Identity())


@torch.inference_mode()
def _agree(original: nn.Module, folded: nn.Module) -> bool:
    """Whether folding kept the function: a backbone may run its layers in another order than it registers them."""
    pictures = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    expected, found = original.eval()(pictures), folded.eval()(pictures)
    return torch.allclose(expected, found, rtol=1e-3, atol=1e-4)
