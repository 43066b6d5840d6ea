"""Mixed precision where it is faster, by a rule, so that the same machine always answers the same."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from morphoscope.models.bfloat16 import bf16_is_native

Wanted = Literal["auto", "fp32", "bf16"]


def autocast_precision(wanted: Wanted, network: nn.Module) -> Literal["bf16-mixed", "32-true"]:
    """Lightning's name of the precision. On a CPU bf16 wins where the chip has it and the network's convolutions are dense
    or wide (ResNet 1.6-2.6 times as fast); thin depthwise nets become slower."""
    if wanted == "auto":
        wanted = "bf16" if bf16_is_native() and not _has_thin_groups(network) else "fp32"
    return "bf16-mixed" if wanted == "bf16" else "32-true"


def _has_thin_groups(network: nn.Module) -> bool:
    """Grouped convolutions with kernels under 7 px: memory-bound on a CPU. On a GPU they are fine."""
    if torch.cuda.is_available():
        return False
    return any(isinstance(m, nn.Conv2d) and m.groups > 1 and m.kernel_size[0] < 7 for m in network.modules())
