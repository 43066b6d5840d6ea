"""Predict: label a folder with a bundle, one row a file, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.overlay import label_lines, labelled_copy
from morphoscope.reporting.predictions_table import PredictionsTable, Row, error_row, prediction_columns, prediction_rows
from morphoscope.reporting.workbook import write_workbook


def predict(
    model: Path,
    paths: Sequence[Path],
    out: Path,
    *,
    overlay: Path | None = None,
    metadata: Path | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Writes predictions.csv (and its .xlsx twin) as batches come in, and labelled copies where `overlay` is given.

    A file that can't be read gives an error row. Raises MorphoscopeError where no file could be read, or the output can't
    be written; rows written until then are kept.
    """
    claim_file(out, overwrite)
    bundle = Bundle.load(model)
    files = find_micrographs(paths)
    cells = metadata_rows(metadata, files) if metadata else {}
    done = failed = 0
    first_failure = ""
    with PredictionsTable(out, prediction_columns(bundle.schema)) as table, bar("Predicting", len(files)) as progress:
        for batch in Predictor(bundle, max_pixels).predict(files, cells):
            table.write(_rows(batch))
            if overlay:
                _write_copies(batch, overlay)
            for path, sentence in batch.failed.items():
                say(f"Error row for {path.name}: {sentence}")
                first_failure = first_failure or sentence
            failed += len(batch.failed)
            done += len(batch.paths)
            progress(done)
    if failed == done:
        raise MorphoscopeError(
            f"None of {done} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. {out} says why for "
            f"each. The first one: {first_failure}"
        )
    write_workbook(out, bundle.schema)
    say(f"{done - failed} pictures labelled, {failed} error rows: {out}")
    return out


def _rows(batch: Predicted) -> list[Row]:
    """Rows in the order of the files, whether they could be read or not."""
    sizes = [one.micrograph.pixel_size for one in batch.seen]
    readable = iter(prediction_rows([one.micrograph.path for one in batch.seen], batch.predictions, sizes, batch.novelty))
    return [error_row(path, batch.failed[path]) if path in batch.failed else next(readable) for path in batch.paths]


def _write_copies(batch: Predicted, folder: Path) -> None:
    for row, one in enumerate(batch.seen):
        size = one.micrograph.pixel_size
        shrunk = one.micrograph.specimen().shape[1] / one.working.shape[1]
        shown = size.scaled(size.x_nm * shrunk / size.y_nm, shrunk) if size else None
        picture = labelled_copy(one.working, label_lines(batch.predictions, row), shown)
        target = folder / f"{one.micrograph.path.stem}.png"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(_free_name(target, one.micrograph.path))
        except OSError as error:
            raise OutputError(
                f"--overlay {folder}: {target.name} can't be written ({error.strerror or error}); expected a writable folder with room. "
                "Choose another --overlay."
            ) from error


def _free_name(target: Path, source: Path) -> Path:
    """Two pictures of the same stem from different folders or formats must not overwrite each other."""
    if not target.exists():
        return target
    return target.with_name(f"{source.parent.name}_{source.name.replace('.', '_')}.png")
