"""Arrays as WebP answers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from fastapi import Response
from PIL import Image

QUALITY = 80
_JPEG = b"\xff\xd8"
WEBP: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}, "image/jpeg": {}}, "description": "A picture"}}
"""For a route's `responses`."""


def webp(picture: np.ndarray, *, max_age: int = 0, quality: int = QUALITY) -> Response:
    """(Y, X) grey, (Y, X, 3) or (Y, X, 4) uint8 as an answer. max_age: seconds that the browser may keep it."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=2)
    return webp_bytes(buffer.getvalue(), max_age=max_age)


def webp_bytes(encoded: bytes, *, max_age: int) -> Response:
    """The same of what is encoded already: WebP, or a JPEG, which the archive keeps since it costs indexing a fortieth."""
    cache = f"private, max-age={max_age}" if max_age else "no-store"
    kind = "image/jpeg" if encoded.startswith(_JPEG) else "image/webp"
    return Response(encoded, media_type=kind, headers={"Cache-Control": cache})
