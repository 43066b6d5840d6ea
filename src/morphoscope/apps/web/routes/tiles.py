"""Deep zoom: tiles at the stored depth, stretched as the person chooses."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from morphoscope.apps.web.answers.pictures import TileSource
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.routes.keys import Key
from morphoscope.apps.web.services import ServicesOf
from morphoscope.apps.web.webp import WEBP, webp
from morphoscope.apps.web.workers.pyramid import TILE_PX

router = APIRouter(prefix="/api/pictures/{key}/tiles", tags=["pictures"], dependencies=[Depends(Needs("viewer"))])

QUALITY = 90
Level = Annotated[int, Path(ge=0, le=40)]
Place = Annotated[int, Path(ge=0, le=10_000_000)]


@router.get("")
def tiles(services: ServicesOf, key: Key) -> TileSource:
    """What a deep-zoom viewer needs to know. The first call makes the tiles."""
    info = services.desk.pyramid(key)[1]
    return TileSource(tile_size=TILE_PX, overlap=0, **info)


@router.get("/{level}/{x}_{y}.webp", response_class=Response, responses=WEBP)
def tile(
    services: ServicesOf,
    key: Key,
    level: Level,
    x: Place,
    y: Place,
    low: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    high: Annotated[float | None, Query(allow_inf_nan=False)] = None,
) -> Response:
    """One tile. low, high: the grey levels, of the stored ones, that are shown as black and as white."""
    name, info = services.desk.pyramid(key)
    window = (info["low"] if low is None else low, info["high"] if high is None else high)
    if not window[1] > window[0] and not (low is None and high is None):
        raise RefusalError(422, f"low is {window[0]:g}, high {window[1]:g}; expected low below high. Turn them round.")
    if not all(math.isfinite(end) and abs(end) < 1e38 for end in window):
        raise RefusalError(422, "low and high are too large; expected grey levels of the picture.")
    return webp(services.pyramids.tile(name, info, level, x, y, window), max_age=600, quality=QUALITY)
