"""Products of float16 rows with a vector: several times faster than through NumPy's conversion, and on one thread.

A matrix product by BLAS would wake its other threads for a millisecond of work, and they spin for many more after it.
"""

from __future__ import annotations

import numpy as np

BLOCK_ROWS = 128
"""Of a thousand features they stay in the processor's cache while they become float32."""
_MANTISSA_SHIFT = 13
_SIGN_AND_REST = np.uint32(0x8FFFE000).view(np.int32)
_EXPONENT_SCALE = np.float32(2.0**112)
"""float16's bits at float32's places read as the number times 2⁻¹¹²: the exponents' biases differ by 127 - 15."""


def half_products(matrix: np.ndarray, rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """(R,) float32: the products of finite float16 rows of a matrix (M, F) with a float32 vector (F,), each below 2¹⁵."""
    found = np.empty(len(rows), np.float32)
    scaled = vector.astype(np.float32) * _EXPONENT_SCALE
    bits = np.empty((min(BLOCK_ROWS, len(rows)), matrix.shape[1]), np.int32)
    for start in range(0, len(rows), BLOCK_ROWS):
        some = matrix[rows[start : start + BLOCK_ROWS]].view("<i2")
        block = bits[: len(some)]
        np.copyto(block, some)  # the sign fills the upper half
        np.left_shift(block, _MANTISSA_SHIFT, out=block)
        np.bitwise_and(block, _SIGN_AND_REST, out=block)
        np.vecdot(block.view(np.float32), scaled, out=found[start : start + len(some)])
    return found
