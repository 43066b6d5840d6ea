"""A folder read once: what is known of each picture, its working copy, texture and duplicate signature, cached by content.

Only canvases of the network's size are held together, in memory or, for a large folder, in a file that is mapped.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.calibration.resolve import Scale
from morphoscope.data.cache import PictureCache, cache_folder, content_hash
from morphoscope.data.duplicates import perceptual_hash
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.readings import READING_VERSION, read_calibrated
from morphoscope.data.record import micrograph_from_record, micrograph_to_record
from morphoscope.errors import MorphoscopeError
from morphoscope.io.sidecar import sidecars
from morphoscope.measure.texture import texture_descriptors
from morphoscope.micrograph import Micrograph

CACHE_VERSION = 3
MAX_CANVAS_BYTES_IN_MEMORY = 2 * 2**30
WORKERS = 2

Progress = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class PreparedPicture:
    """micrograph: without its pixels (they are a view on one zero). working (Y, X) uint8. texture (D,) float32."""

    micrograph: Micrograph
    working: np.ndarray
    texture: np.ndarray
    signature: np.ndarray
    content_hash: str


def prepare(
    path: Path, preprocessing: Preprocessing, sheet_row: Mapping[str, str], cache: PictureCache, scale: Scale = "auto"
) -> PreparedPicture:
    """One picture, from the cache where its content was seen before. Raises MorphoscopeError for an unreadable file."""
    digest = _hash_or_raise(path)
    settings: dict[str, Any] = {"version": CACHE_VERSION, "side": preprocessing.working_side, "row": dict(sheet_row)}
    settings |= {"scale": scale, "reading": READING_VERSION}
    settings["percentiles"] = [preprocessing.low_percentile, preprocessing.high_percentile]
    # The name speaks too (its magnification), and so do the files beside the picture.
    beside = [_hash_or_raise(sidecar) for sidecar in sidecars(path)]
    key = hashlib.sha256(json.dumps([digest, path.name, beside, settings], sort_keys=True).encode()).hexdigest()
    stored = cache.get(key)
    if stored is not None:
        arrays, record = stored
        micrograph = micrograph_from_record(record, path)
        return PreparedPicture(micrograph, arrays["working"], arrays["texture"], arrays["signature"], digest)
    micrograph = read_calibrated(path, sheet_row, scale=scale)
    working = preprocessing.working_copy(micrograph)
    arrays = {"working": working, "texture": texture_descriptors(working), "signature": perceptual_hash(working)}
    record = micrograph_to_record(micrograph)
    cache.put(key, arrays, record)
    return PreparedPicture(micrograph_from_record(record, path), working, arrays["texture"], arrays["signature"], digest)


def _hash_or_raise(path: Path) -> str:
    try:
        return content_hash(path)
    except OSError as error:
        raise MorphoscopeError(f"{path}: {error.strerror or error}; expected a readable file. Check its rights.") from error


@dataclass(frozen=True, eq=False)
class PreparedFolder:
    """All readable pictures of a catalogue in its order: `kept` (N,) indices into it. micrographs: without pixels.

    textures (N, D) float32, signatures (N, …), hashes: content. unreadable: index in the catalogue → sentence.
    """

    kept: np.ndarray
    micrographs: list[Micrograph]
    textures: np.ndarray
    signatures: np.ndarray
    hashes: list[str]
    aspects: np.ndarray
    unreadable: dict[int, str]


Outcome = PreparedPicture | MorphoscopeError


class OutOfTimeError(Exception):
    """Reading takes longer than it may."""


class FolderReader:
    """Prepares a catalogue's files with a few threads (decoding and resampling release Python's lock)."""

    def __init__(
        self,
        paths: Sequence[Path],
        sheet_rows: Sequence[Mapping[str, str]],
        cache: PictureCache | None = None,
        scale: Scale = "auto",
    ) -> None:
        self._paths, self._rows, self._scale = list(paths), list(sheet_rows), scale
        self._cache = cache or PictureCache(cache_folder() / "pictures")

    def prepare_all(
        self, preprocessing: Preprocessing, progress: Progress = lambda done: None, until: float = math.inf
    ) -> PreparedFolder:
        """Reads every file. Raises MorphoscopeError when not one is a readable picture, OutOfTimeError where scales are still
        being read from pictures at `until` on time.monotonic(); what was read by then is in the cache."""
        with closing(self._map(preprocessing, range(len(self._paths)))) as outcomes:
            return self._collected(outcomes, progress, until)

    def _collected(self, outcomes: Iterable[Outcome], progress: Progress, until: float) -> PreparedFolder:
        kept, pictures, aspects, unreadable = [], [], [], {}
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, PreparedPicture):
                if time.monotonic() > until and _was_read_for_scale(outcome.micrograph):
                    raise OutOfTimeError
                kept.append(index)
                aspects.append(outcome.working.shape[0] / outcome.working.shape[1])
                # The working copy is let go here and found in the cache again: a large folder does not fit in memory.
                pictures.append((outcome.micrograph, outcome.texture, outcome.signature, outcome.content_hash))
            else:
                unreadable[index] = str(outcome)
            progress(index + 1)
        self._cache.shrink()
        if not pictures:
            first = next(iter(unreadable.values()), "the folder is empty")
            raise MorphoscopeError(
                f"None of {len(self._paths)} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
                f"The first one: {first}"
            )
        micrographs, textures, signatures, hashes = zip(*pictures, strict=True)
        return PreparedFolder(
            np.array(kept),
            list(micrographs),
            np.stack(textures),
            np.stack(signatures),
            list(hashes),
            np.array(aspects),
            unreadable,
        )

    def canvases(self, preprocessing: Preprocessing, kept: np.ndarray, progress: Progress = lambda done: None) -> np.ndarray:
        """(N, Y, X) uint8 network pictures of the kept files: in memory, or mapped from a temporary file when they are many."""
        shape = (len(kept), preprocessing.height, preprocessing.width)
        stack = _room_for(shape)
        for row, outcome in enumerate(self._map(preprocessing, kept)):
            if isinstance(outcome, MorphoscopeError):
                raise outcome  # it was readable a moment ago: the folder changes under us
            stack[row] = preprocessing.canvas(outcome.working)
            progress(row + 1)
        return stack

    def working_copy(self, preprocessing: Preprocessing, index: int) -> np.ndarray:
        """(Y, X) uint8 of one file, for showing it."""
        return prepare(self._paths[index], preprocessing, self._rows[index], self._cache, self._scale).working

    def _map(self, preprocessing: Preprocessing, indices: Sequence[int] | np.ndarray) -> Generator[Outcome, None, None]:
        def one(index: int) -> Outcome:
            try:
                return prepare(self._paths[index], preprocessing, self._rows[index], self._cache, self._scale)
            except MorphoscopeError as error:
                return error

        with ThreadPoolExecutor(WORKERS) as pool:
            # In chunks, so that results do not pile up behind a slow consumer.
            for start in range(0, len(indices), 64):
                yield from pool.map(one, [int(i) for i in indices[start : start + 64]])


def _was_read_for_scale(micrograph: Micrograph) -> bool:
    """Whether its file left the scale open, so that its pixels were searched for a scale bar."""
    return micrograph.pixel_size is None or micrograph.pixel_size.origin == "picture"


def _room_for(shape: tuple[int, int, int]) -> np.ndarray:
    if int(np.prod(shape, dtype=np.int64)) <= MAX_CANVAS_BYTES_IN_MEMORY:
        return np.empty(shape, np.uint8)
    file = tempfile.TemporaryFile(prefix="morphoscope-")  # noqa: SIM115  # the map keeps it open; it vanishes with it
    return np.memmap(file, np.uint8, "w+", shape=shape)
