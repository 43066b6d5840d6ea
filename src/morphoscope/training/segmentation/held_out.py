"""The one look at held-out pictures: the trained segmenter beside what a user would have without training it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.data.masks import MaskedFolder
from morphoscope.inference.instances import find_instances
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.inference.shapes import is_picture_of_shipped_segmenter
from morphoscope.io.display import to_display
from morphoscope.measure.otsu import otsu_watershed
from morphoscope.micrograph import Micrograph
from morphoscope.models.encoders import RANDOM
from morphoscope.models.segmenter import Segmenter
from morphoscope.models.segmenter_file import CONTENT_DIGITS, load_segmenter, segmenter_card
from morphoscope.models.segmenter_start import SHIPPED_SEGMENTER, is_whole_start
from morphoscope.scores.instances import PictureScore, score_picture

TRAINED, SHIPPED, OTSU = "trained", "shipped_segmenter", "otsu_watershed"

Find = Callable[[Micrograph], np.ndarray]


@dataclass(frozen=True, eq=False)
class Tested:
    """scores: of each held-out picture, in order. seconds: the median a picture, from pixels to objects."""

    scores: list[PictureScore]
    seconds: float


Look = Callable[[int, Micrograph, np.ndarray, np.ndarray, PictureScore], None]
"""Takes what was found in a picture: its row, the picture, the true and the found map, and the score."""


def tested(
    folder: MaskedFolder,
    rows: Sequence[int] | np.ndarray,
    network: Segmenter,
    look: Look = lambda *_: None,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Tested]:
    """TRAINED, SHIPPED and OTSU to their scores on pictures at their own resolution. look: hears of TRAINED's."""
    methods = finders(network)
    scores: dict[str, list[PictureScore]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for done, row in enumerate(rows, start=1):
        micrograph, true = folder.read(int(row))
        for name, find in methods.items():
            began = time.perf_counter()
            found = find(micrograph)
            seconds[name].append(time.perf_counter() - began)
            scores[name].append(score_picture(true, found))
            if name == TRAINED:
                look(int(row), micrograph, true, found, scores[name][-1])
        progress(done)
    return {name: Tested(scores[name], float(np.median(seconds[name]))) for name in methods}


def finders(network: Segmenter) -> dict[str, Find]:
    """Method to what finds the objects of a micrograph."""
    return {TRAINED: by_network(network), SHIPPED: by_network(load_segmenter()), OTSU: by_otsu}


def by_network(network: Segmenter) -> Find:
    """What a segmenter finds."""
    finder = ObjectFinder(network)
    return lambda micrograph: find_instances(micrograph, finder)


def n_known_to_shipped(folder: MaskedFolder, rows: Sequence[int] | np.ndarray) -> int:
    """How many of the pictures trained the shipped segmenter: its figures on them, and those of what began with it, flatter."""
    return int(known_to(SHIPPED_SEGMENTER, folder, rows).sum())


def known_to(start: str, folder: MaskedFolder, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """(N,) bool: pictures that a resolved whole start, or what that began with, has learned from. No other start knows a mask."""
    pictures, known, asked = [folder.pictures[int(row)] for row in rows], np.zeros(len(rows), dtype=bool), set[str]()
    while is_whole_start(start) and start not in asked:  # a folder may have been trained on in its place
        asked.add(start)
        if start == SHIPPED_SEGMENTER:
            return known | np.array([is_picture_of_shipped_segmenter(picture.signature) for picture in pictures], dtype=bool)
        card = segmenter_card(Path(start))
        learned = set(card.get("pictures", ()))
        known |= np.array([picture.content[:CONTENT_DIGITS] in learned for picture in pictures], dtype=bool)
        start = str(card.get("start", RANDOM))
    return known


def by_otsu(micrograph: Micrograph) -> np.ndarray:
    """What Otsu's threshold and a watershed find in the specimen; the information bar holds no object."""
    instance_map = np.zeros(micrograph.pixels.shape, np.int32)
    specimen, bar = micrograph.specimen(), micrograph.information_bar
    top = 0 if bar is None or len(specimen) == bar.top else bar.top + bar.height
    instance_map[top : top + len(specimen)] = otsu_watershed(to_display(specimen))
    return instance_map
