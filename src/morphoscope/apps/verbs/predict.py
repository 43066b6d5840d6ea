"""Predict: label a folder with a bundle, one row a file, nothing lost."""

from __future__ import annotations

from pathlib import Path

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_path, as_paths, silent
from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.micrograph import Micrograph
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.overlay import label_lines, labelled_copy
from morphoscope.reporting.predictions_table import PredictionsTable, Row, error_row, prediction_columns, prediction_rows
from morphoscope.reporting.workbook import write_workbook


def predict(
    model: PathLike,
    paths: Paths,
    out: PathLike = "predictions.csv",
    *,
    overlay: PathLike | None = None,
    metadata: PathLike | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Say = silent,
) -> Path:
    """Labels pictures with a trained model; writes predictions.csv as batches come in, and its .xlsx twin at the end.

        morphoscope.predict("run", "new_images", "predictions.csv")

    The options are those of `morphoscope predict`. overlay: a folder for labelled copies. A file that can't be read gives an
    error row. Returns the table's path. Raises MorphoscopeError, whose text is meant to be shown, where no file could be read
    or the output can't be written; rows written until then are kept.
    """
    table_path, folder = Path(out), as_path(overlay)
    _claim(table_path, overwrite)
    predictor_bundle = Bundle.load(Path(model))
    files = find_micrographs(as_paths(paths))
    cells = metadata_rows(Path(metadata), files) if metadata else {}
    failures: dict[Path, str] = {}
    done = 0
    columns = prediction_columns(predictor_bundle.schema)
    with PredictionsTable(table_path, columns) as table, bar("Predicting", len(files)) as progress:
        for batch in Predictor(predictor_bundle, max_pixels).predict(files, cells):
            table.write(_rows(batch))
            if folder:
                _write_copies(batch, folder)
            for path, sentence in batch.failed.items():
                say(f"Error row for {path.name}: {sentence}")
            for one in batch.seen:
                _say_warnings(one.micrograph, say)
            failures |= batch.failed
            done += len(batch.paths)
            progress(done)
    if len(failures) == done:
        raise MorphoscopeError(
            f"None of {done} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
            f"{table_path} says why for each. The first one: {next(iter(failures.values()))}"
        )
    _write_twin(table_path, predictor_bundle, say)
    say(f"{done - len(failures)} pictures labelled, {len(failures)} error rows: {table_path}")
    return table_path


def _claim(table: Path, overwrite: bool) -> None:
    if table.suffix.lower() in (".xlsx", ".xlsm"):
        raise OutputError(
            f"--out {table}: it is to be a workbook; expected a name that ends in .csv, beside which the workbook is written. "
            f"Write --out {table.with_suffix('.csv')}."
        )
    claim_file(table, overwrite)


def _say_warnings(micrograph: Micrograph, say: Say) -> None:
    for warning in micrograph.warnings:
        say(f"Note on {micrograph.path.name}: {warning}")


def _write_twin(table: Path, bundle: Bundle, say: Say) -> None:
    """The workbook is a convenience: where it can't be written, the table is still the result."""
    if not table.is_file():
        return  # a device or a pipe
    try:
        write_workbook(table, bundle.schema)
    except OutputError as error:
        say(f"Note: {error}")


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
                f"--overlay {folder}: {target.name} can't be written ({error.strerror or error}); expected a writable folder "
                "with room. Choose another --overlay; the table holds the rows written so far."
            ) from error


def _free_name(target: Path, source: Path) -> Path:
    """Two pictures of the same stem from different folders or formats must not overwrite each other."""
    if not target.exists():
        return target
    return target.with_name(f"{source.parent.name}_{source.name.replace('.', '_')}.png")
