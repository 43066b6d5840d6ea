"""Arrays as WebP answers."""

from __future__ import annotations

import io

import numpy as np
from fastapi import Response
from PIL import Image

QUALITY = 80


def webp(picture: np.ndarray, *, max_age: int = 0, quality: int = QUALITY) -> Response:
    """(Y, X) grey, (Y, X, 3) or (Y, X, 4) uint8 as an answer. max_age: seconds that the browser may keep it."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=2)
    cache = f"private, max-age={max_age}" if max_age else "no-store"
    return Response(buffer.getvalue(), media_type="image/webp", headers={"Cache-Control": cache})
