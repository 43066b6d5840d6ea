"""Vectors kept in a file beside the archive, so that the first search by a picture need not read and standardise them all.

SQLite stays the truth. The file is worked out of one state of the features and names it; where the archive was never in that
state, or the file is not whole, it is as good as absent. It may be deleted at any time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from morphoscope.archive.feature_version import FeatureVersion
from morphoscope.archive.mapped_file import MappedWriter, Shapes, mapped_arrays, mapped_writer
from morphoscope.archive.vectors import Standard, StoredRows, Vectors

FEWEST = 10_000
"""Fewer pictures are read from the tables as fast."""
_LAYOUT = "1"


def vector_path(archive: Path, model_sha: str) -> Path:
    """Where the vectors of a model lie."""
    return archive.with_name(f"{archive.name}.{model_sha[:12]}.vectors")


def kept_vectors(archive: Path, model_sha: str) -> Vectors | None:
    """What a whole file of that model holds, whatever the state of the archive."""
    found = mapped_arrays(vector_path(archive, model_sha))
    if found is None or found[1].get("layout") != _LAYOUT or found[1].get("model") != model_sha:
        return None
    arrays, metadata = found
    try:
        version = FeatureVersion(int(metadata["revision"]), metadata["stamp"])
        standard = Standard(*(np.array(arrays[name]) for name in ("centre", "scale", "axes")))
        stored, ids = StoredRows(arrays["matrix"], arrays["leading"]), np.array(arrays["ids"])
    except (KeyError, ValueError):
        return None
    width, n_axes = standard.axes.shape
    expected: Shapes = _shapes(len(ids), width, n_axes)
    if any((array.shape, array.dtype.str) != expected.get(name) for name, array in arrays.items()):
        return None
    return Vectors(version, ids, np.arange(len(ids)), standard, stored, stored.none(), version)


@contextmanager
def keeping(
    archive: Path, model_sha: str, version: FeatureVersion, ids: np.ndarray, standard: Standard
) -> Iterator[MappedWriter]:
    """A file that takes the matrix, a piece at a time, and then the coordinates. Raises OSError where it can't be kept."""
    shapes = _shapes(len(ids), *standard.axes.shape)
    path = vector_path(archive, model_sha)
    size = sum(np.dtype(code).itemsize * int(np.prod(shape)) for shape, code in shapes.values())
    if shutil.disk_usage(path.parent).free < 2 * size:
        raise OSError("the archive needs the room more")
    metadata = {"layout": _LAYOUT, "model": model_sha, "revision": str(version.revision), "stamp": version.stamp}
    with mapped_writer(path, shapes, metadata) as writer:
        for array in (ids, standard.centre, standard.scale, standard.axes):
            writer.write(array)
        yield writer


def _shapes(count: int, width: int, n_axes: int) -> Shapes:
    return {
        "ids": ((count,), "<i8"),
        "centre": ((width,), "<f4"),
        "scale": ((width,), "<f4"),
        "axes": ((width, n_axes), "<f4"),
        "matrix": ((count, width), "<f2"),
        "leading": ((n_axes + 1, count), "<f4"),
    }
