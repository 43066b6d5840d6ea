"""Which pictures of a data set show one thing and so must never straddle a split: near-duplicates, and copies told by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from morphoscope.data.duplicates import connected_groups, near_duplicate_pairs, perceptual_hash
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError

WORKERS = 2
_LOOKING = Preprocessing(height=224, width=224)
_SUFFIX = re.compile(r"(?<=[^\s_\-(])[\s_\-(]+[^\s_\-(]*$")
"""The last part of a name after a separator, and the separator."""


def view_groups(
    folder: Path,
    names: Sequence[str],
    progress: Callable[[int, int], None],
    further_pairs: Sequence[tuple[int, int]] = (),
) -> list[str]:
    """A group a picture, `view-00001` and so on: pictures share one where a chain of near-duplicates or further pairs joins them.

    The information bar is left out of the comparison. An unreadable picture stands alone.
    """
    hashes = np.zeros((len(names), *_blank().shape), np.int8)
    is_readable = np.zeros(len(names), bool)

    def look(index: int) -> None:
        try:
            micrograph = read_calibrated(folder / names[index], scale="header")
        except MorphoscopeError:
            return
        hashes[index] = perceptual_hash(_LOOKING.working_copy(micrograph))
        is_readable[index] = True

    with ThreadPoolExecutor(WORKERS) as pool:
        for done, _ in enumerate(pool.map(look, range(len(names))), start=1):
            progress(done, len(names))
    readable = np.flatnonzero(is_readable)
    pairs = readable[near_duplicate_pairs(hashes[readable])]
    return numbered(connected_groups(len(names), np.concatenate([pairs, _as_pairs(further_pairs)])))


def numbered(groups: Sequence[int] | np.ndarray, label: str = "view") -> list[str]:
    """`view-00001` for the first group met, and so on."""
    order = {group: number for number, group in enumerate(dict.fromkeys(int(group) for group in groups), start=1)}
    return [f"{label}-{order[int(group)]:05d}" for group in groups]


def named_copies(names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of a picture and a copy of it: in one folder, the copy's name is the picture's with something after a separator
    (`wire3.png` and `wire3_90.png`, `wire3 (2).png`)."""
    stems = {str(Path(name).with_suffix("")): index for index, name in enumerate(names)}
    pairs = []
    for stem, index in stems.items():
        shorter = _SUFFIX.sub("", stem)
        while shorter != stem:
            if shorter in stems:
                pairs.append((stems[shorter], index))
                break
            stem, shorter = shorter, _SUFFIX.sub("", shorter)
    return pairs


def rotated_copies(names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of copies whose names differ only in what says how they were turned: `wire3_rot90.png` and `wire3_rot180.png`."""
    marker = re.compile(r"[\s_\-(]*(rot(at(ed|ion))?|turn(ed)?|flip(ped)?|mirror(ed)?)[\s_\-]*\d*\)?(deg)?$", re.IGNORECASE)
    first: dict[str, int] = {}
    pairs = []
    for index, name in enumerate(names):
        base = marker.sub("", str(Path(name).with_suffix("")))
        if first.setdefault(base, index) != index:
            pairs.append((first[base], index))
    return pairs


def _blank() -> np.ndarray:
    return perceptual_hash(np.zeros((8, 8), np.uint8))


def _as_pairs(pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)
