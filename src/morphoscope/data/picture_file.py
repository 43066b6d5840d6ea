"""A folder of pictures as one file of equal canvases, mapped from disk: a row of memory a picture, however many there are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from morphoscope.calibration.resolve import resolve
from morphoscope.data.preprocessing import Preprocessing, common_canvas, resample
from morphoscope.errors import MorphoscopeError
from morphoscope.io.read import MAX_PIXELS, read

WORKERS, AHEAD = 2, 32
ASPECT_SAMPLE = 48
"""Pictures, evenly spread over the folder, whose median aspect the canvas takes."""
TABLE = "pictures.csv"
_CANVASES = "pictures.npy"
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class PictureFile:
    """canvases: (N, Y, X) uint8, mapped; each picture once. paths: (N,). pixel_size_nm: (N,) of a canvas's pixel, nan where
    unknown. unreadable: sentences. copies: files left out since their pixels are another's."""

    canvases: np.ndarray
    paths: list[Path]
    pixel_size_nm: np.ndarray
    unreadable: list[str]
    copies: int

    def __len__(self) -> int:
        return len(self.paths)


def write_picture_file(
    paths: Sequence[Path], folder: Path, side: int, progress: Callable[[int], None] = lambda done: None
) -> PictureFile:
    """Reads every file once and writes the canvases of about `side`² px under `folder`.

    A canvas is filled: the specimen without its information bar, scaled until it covers the canvas, its middle kept.
    Unreadable files and exact copies are left out. Raises MorphoscopeError when nothing is left, OSError on a full disk.
    """
    preprocessing = _preprocessing(paths, side)
    shape = (preprocessing.height, preprocessing.width)
    folder.mkdir(parents=True, exist_ok=True)
    stack = np.lib.format.open_memmap(folder / _CANVASES, mode="w+", dtype=np.uint8, shape=(len(paths), *shape))
    kept: list[tuple[Path, float]] = []
    seen: set[bytes] = set()
    unreadable: list[str] = []
    for done, (path, outcome) in enumerate(zip(paths, _covered(paths, preprocessing), strict=True), 1):
        progress(done)
        if isinstance(outcome, MorphoscopeError):
            unreadable.append(str(outcome))
            continue
        canvas, pixel_size_nm = outcome
        digest = hashlib.blake2b(canvas.tobytes(), digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            stack[len(kept)] = canvas
            kept.append((path, pixel_size_nm))
    stack.flush()
    if not kept:
        raise MorphoscopeError(
            f"None of {len(paths)} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
            f"The first one: {unreadable[0]}"
        )
    table = pd.DataFrame({"path": [str(path) for path, _ in kept], "pixel_size_nm": [size for _, size in kept]})
    table.to_csv(folder / TABLE, index=False)
    return _opened(folder, table, unreadable, len(paths) - len(kept) - len(unreadable))


def open_picture_file(folder: Path) -> PictureFile | None:
    """The file that an interrupted run wrote; None where there is none."""
    if not all((folder / name).is_file() for name in (TABLE, _CANVASES)):
        return None
    return _opened(folder, pd.read_csv(folder / TABLE, keep_default_na=False, na_values={"pixel_size_nm": [""]}), [], 0)


def delete_canvases(folder: Path) -> None:
    """The table stays."""
    (folder / _CANVASES).unlink(missing_ok=True)


def _opened(folder: Path, table: pd.DataFrame, unreadable: list[str], copies: int) -> PictureFile:
    canvases = np.load(folder / _CANVASES, mmap_mode="r")[: len(table)]
    sizes = table["pixel_size_nm"].to_numpy(float)
    return PictureFile(canvases, [Path(path) for path in table["path"]], sizes, unreadable, copies)


def _preprocessing(paths: Sequence[Path], side: int) -> Preprocessing:
    """A canvas of the pictures' usual aspect, from working copies large enough to cover it."""
    some = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, ASPECT_SAMPLE).astype(int))]
    working = Preprocessing(0, 0, max(512, 3 * side))
    shapes = [
        outcome.shape for outcome in _mapped(some, lambda path: _working(path, working)[0]) if isinstance(outcome, np.ndarray)
    ]
    aspects = np.array([rows / columns for rows, columns in shapes] or [1.0])
    height, width = common_canvas(aspects, side, multiple=8)
    return Preprocessing(height, width, working.working_side)


def _working(path: Path, preprocessing: Preprocessing) -> tuple[np.ndarray, float]:
    """The working copy (Y, X) and the nm of its pixel, nan where unknown."""
    micrograph = resolve(read(path, max_pixels=MAX_PIXELS), {})
    working = preprocessing.working_copy(micrograph)
    size = micrograph.pixel_size
    return working, size.x_nm * micrograph.pixels.shape[1] / working.shape[1] if size else float("nan")


def _covered(paths: Sequence[Path], preprocessing: Preprocessing) -> Iterator[tuple[np.ndarray, float] | MorphoscopeError]:
    def one(path: Path) -> tuple[np.ndarray, float]:
        working, pixel_size_nm = _working(path, preprocessing)
        zoom = max(preprocessing.height / working.shape[0], preprocessing.width / working.shape[1])
        shape = [max(least, round(zoom * length)) for least, length in zip(_shape(preprocessing), working.shape, strict=True)]
        grey = resample(working, (shape[0], shape[1]))
        top, left = (shape[0] - preprocessing.height) // 2, (shape[1] - preprocessing.width) // 2
        canvas = grey[top : top + preprocessing.height, left : left + preprocessing.width]
        return np.ascontiguousarray(canvas), pixel_size_nm / zoom

    return _mapped(paths, one)


def _shape(preprocessing: Preprocessing) -> tuple[int, int]:
    return preprocessing.height, preprocessing.width


def _mapped(paths: Sequence[Path], function: Callable[[Path], T]) -> Iterator[T | MorphoscopeError]:
    """The function of every file, in order, by a few threads that never run far ahead."""

    def safely(path: Path) -> T | MorphoscopeError:
        try:
            return function(path)
        except MorphoscopeError as error:
            return error

    with ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(paths), AHEAD):
            yield from pool.map(safely, paths[start : start + AHEAD])
