"""Whether this machine computes in bfloat16 faster than in float32."""

from __future__ import annotations

from functools import cache

import torch


@cache
def bf16_is_native() -> bool:
    """Of the GPU where there is one, else of the processor."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported()
