"""The pictures of folders whose labels, if any, are not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from morphoscope.apps.verbs.arguments import Say
from morphoscope.data.label_table import data_set_layout
from morphoscope.io.find import find_micrographs


def unlabelled_pictures(paths: Sequence[Path], say: Say) -> list[Path]:
    """As find_micrographs has it, a rendered data set (`images/` beside `labels.csv` or `instance_maps/`) being its `images/`,
    which is said. Raises ReadError where nothing is found."""
    roots: list[Path] = []
    for path in paths:
        (root,), _, notes = data_set_layout([path], [path])  # a sheet, so that no note speaks of labels
        roots.append(root)
        for note in notes:
            say(note)
    return find_micrographs(roots)
