"""Where in a picture a class lies: its tiles cut by a worker, answered by the model."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from morphoscope.apps.watching.answering import can_be_quick
from morphoscope.apps.web.answers.live import FindOrder, TiledMap
from morphoscope.data.record import micrograph_from_record
from morphoscope.data.tiles import TypicalView, tiles_of
from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.inference.tiling import map_of_copies
from morphoscope.models.bundle import Bundle

if TYPE_CHECKING:
    from morphoscope.apps.web.services import Services


def found_in(services: Services, key: str, order: FindOrder) -> TiledMap:
    """The map of a picture. Raises RefusalError (404) for an unknown key, MorphoscopeError for an unknown class."""
    began = time.perf_counter()
    desk = services.desk
    bundle = desk.needed_classifier().bundle
    target = Target.parse(order.find, bundle.schema, order.threshold)
    source = desk.source(key)
    view = TypicalView.of(bundle.provenance, bundle.preprocessing)
    answer = services.decoders.ask(
        {
            "verb": "parts",
            "path": str(source.path),
            "name": source.name,
            "user": desk.user_row(key),
            "max_pixels": services.settings.limits.max_pixels,
            "preprocessing": bundle.preprocessing.to_dict(),
            "side": order.side,
            "view": {"side_px": view.side_px, "side_nm": view.side_nm},
        }
    )
    micrograph = micrograph_from_record(answer.document["record"], source.path)
    tiles = tiles_of(micrograph, answer.document["side"])
    found = map_of_copies(_tiler(bundle), micrograph, target, tiles, answer.arrays["copies"])
    places = found.places
    return TiledMap(
        target=str(target),
        rows=places.grid[0],
        columns=places.grid[1],
        p=found.p.round(4).tolist(),
        found=found.is_found.tolist(),
        tile_px=places.width,
        tops=list(places.tops),
        lefts=list(places.lefts),
        best=found.best,
        seconds=time.perf_counter() - began,
    )


@lru_cache(maxsize=2)
def _tiler(bundle: Bundle) -> Predictor:
    return Predictor(bundle, quick=can_be_quick(bundle))
