"""sizes: is it a nanomaterial? The pictures look alike at every scale and bear no bar: only the metadata can tell."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from morphoscope.synthesis import exposures
from morphoscope.synthesis.finish import finish
from morphoscope.synthesis.instruments import sem_settings
from morphoscope.synthesis.picture import Draft, Kind, Rendered
from morphoscope.synthesis.scenes.particles import MORPHOLOGIES, Ask, arrangement, populated
from morphoscope.synthesis.sem import secondary_electrons

CLASSES = ("Nano (<100 nm)", "Submicron (100-1000 nm)", "Micron (>1 µm)")
RANGES_NM = ((15, 85), (120, 850), (1200, 12000))
SHAPES = MORPHOLOGIES[:5]


def draw(draft: Draft) -> Rendered:
    """Particles of a size class. The class is that of the median equivalent circular diameter of the visible particles."""
    draft = dataclasses.replace(draft, options=dataclasses.replace(draft.options, bar=0.0))
    low, high = RANGES_NM[draft.turn]
    diameter_nm = math.exp(draft.specimen.uniform(math.log(low), math.log(high)))
    morphology = str(draft.specimen.choice(SHAPES))
    count = "Few (2-10)" if draft.view.random() < 0.3 else "Many (>10)"
    ask = Ask(morphology, "Smooth", arrangement(draft.view, count, morphology), count, is_tem=False, diameter_nm=diameter_nm)
    canvas = populated(draft, ask)
    settings = sem_settings(canvas.field_nm[1], draft.specimen, draft.view)
    grey = exposures.sem_tone(draft).apply(secondary_electrons(canvas, exposures.scan(draft), draft.view))
    labels = {"Size class": "", "Morphology": morphology}
    picture = finish(draft, grey, canvas, settings, labels)
    sizes = [o.ecd_nm for o in picture.objects if o.ecd_nm is not None]
    if sizes:
        labels["Size class"] = CLASSES[int(np.searchsorted([100, 1000], np.median(sizes)))]
    return picture


SIZES = Kind({"Size class": CLASSES, "Morphology": SHAPES}, turns=len(CLASSES), draw=draw)
