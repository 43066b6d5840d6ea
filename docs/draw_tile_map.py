"""Draws docs/images/tile-map.jpg: python docs/draw_tile_map.py RUN, a model of rods and spheres, trained as benchmarks/live.py says."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from needle import haystack

from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.inference.tiling import map_of
from morphoscope.io.display import to_display
from morphoscope.micrograph import Micrograph
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.tile_picture import tile_picture

PICTURE = Path(__file__).with_name("images") / "tile-map.jpg"
SIDE, QUALITY = 720, 85

if __name__ == "__main__":
    model = Bundle.load(Path(sys.argv[1]))
    pixels, _ = haystack(0)
    predictor = Predictor(model, quick=bool(model.quick_confidence))
    found = map_of(predictor, Micrograph(Path("haystack"), pixels, "drawn"), Target.parse("Morphology=Rod", model.schema))
    tile_picture(to_display(pixels), found, SIDE).save(PICTURE, quality=QUALITY)
