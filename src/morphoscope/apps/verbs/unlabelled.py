"""Pictures that are looked at without their labels: of files, folders and data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from morphoscope.apps.verbs.arguments import Say
from morphoscope.data.label_table import data_set_layout
from morphoscope.io.find import find_micrographs


def picture_places(paths: Sequence[Path], say: Say) -> list[Path]:
    """The files and folders themselves, of a data set (`images/` beside `labels.csv` or `instance_maps/`) its images, which is said."""
    places, _, _ = data_set_layout(paths, ())
    # Not the notes of the layout: they also tell of sheets, which nobody reads here.
    for path, place in zip(paths, places, strict=True):
        if path != place:
            say(f"{path} is a data set: its images were taken from {place}.")
    return places


def unlabelled_pictures(paths: Sequence[Path], say: Say) -> list[Path]:
    """What find_micrographs finds there. Raises ReadError."""
    return find_micrographs(picture_places(paths, say))
