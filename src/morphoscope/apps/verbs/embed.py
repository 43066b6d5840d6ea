"""Embed: a row of features a picture, for anyone's own analysis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.output import claim_file, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.unlabelled import unlabelled_pictures
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.inference.embedding import Embedded, Embedder
from morphoscope.io.read import MAX_PIXELS


def embed(
    model: PathLike,
    paths: Paths,
    out: PathLike = "features.parquet",
    *,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Say = silent,
) -> Path:
    """Writes the features of pictures by a model, an encoder's folder, or `default`: columns path, status, error,
    pixel_size_nm, pixel_size_origin and f0, f1, …

        morphoscope.embed("default", "images", "features.parquet")

    The options are those of `morphoscope embed`. A file that can't be read gives an error row. Returns the table's path.
    Raises MorphoscopeError, whose text is meant to be shown, where no file could be read.
    """
    table = Path(out)
    if table.suffix.lower() not in _TABLES:
        raise OutputError(
            f"--out {table}: it ends in '{table.suffix}'; expected {' or '.join(_TABLES)}. Write --out {table.with_suffix('.parquet')}."
        )
    claim_file(table, overwrite)
    embedder = Embedder.load(str(model))
    files = unlabelled_pictures(as_paths(paths), say)
    failures: dict[Path, str] = {}
    done = 0
    with (
        writing(table, "Make room there."),
        _TABLES[table.suffix.lower()](table) as rows,
        bar("Embedding", len(files)) as progress,
    ):
        for batch in embedder.embed(files, max_pixels):
            rows.write(_frame(batch, embedder.width))
            failures |= batch.failed
            done += len(batch.paths)
            progress(done)
    for sentence in list(failures.values())[:20]:
        say(f"Error row: {sentence}")
    if len(failures) == done:
        raise MorphoscopeError(
            f"None of {done} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. {table} says why "
            f"for each. The first one: {next(iter(failures.values()))}"
        )
    say(f"{done - len(failures)} pictures, {embedder.width} features each, {len(failures)} error rows: {table}")
    return table


def _frame(batch: Embedded, width: int) -> pd.DataFrame:
    """A batch as rows in the order of the files; features of an error row are missing."""
    is_read = np.array([path not in batch.failed for path in batch.paths])
    features = np.full((len(batch.paths), width), np.nan, np.float32)
    features[is_read] = batch.features
    sizes = iter([one.pixel_size for one in batch.micrographs])
    size_of = [next(sizes) if ok else None for ok in is_read]
    head = pd.DataFrame(
        {
            "path": [str(path) for path in batch.paths],
            "status": np.where(is_read, "ok", "error"),
            "error": [batch.failed.get(path, "") for path in batch.paths],
            "pixel_size_nm": [size.x_nm if size else np.nan for size in size_of],
            "pixel_size_origin": [size.origin if size else "" for size in size_of],
        }
    )
    return pd.concat([head, pd.DataFrame(features, columns=[f"f{number}" for number in range(width)])], axis=1)


class _Rows(Protocol):
    def write(self, frame: pd.DataFrame) -> None: ...


class _CsvRows:
    def __init__(self, path: Path) -> None:
        self._path, self._begun = path, False

    def write(self, frame: pd.DataFrame) -> None:
        frame.to_csv(self._path, index=False, mode="a" if self._begun else "w", header=not self._begun)
        self._begun = True


class _ParquetRows:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(frame, preserve_index=False)
        self._writer = self._writer or pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table.cast(self._writer.schema))

    def close(self) -> None:
        if self._writer:
            self._writer.close()


@contextmanager
def _csv(path: Path) -> Iterator[_Rows]:
    yield _CsvRows(path)


@contextmanager
def _parquet(path: Path) -> Iterator[_Rows]:
    rows = _ParquetRows(path)
    try:
        yield rows
    finally:
        rows.close()


_TABLES = {".parquet": _parquet, ".csv": _csv}
