"""Predict: label a folder with a bundle, one row a file, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.copies import CopyFolder, ExplainedCopies, LabelledCopies
from morphoscope.apps.verbs.further_inputs import SheetOptions, further_inputs
from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.unlabelled import picture_places
from morphoscope.calibration.resolve import Scale, conflicts
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.predictions_table import PredictionsTable, Row, error_row, prediction_columns, prediction_rows
from morphoscope.reporting.workbook import write_workbook

MAX_NOTES = 40


def predict(
    model: PathLike,
    paths: Paths,
    out: PathLike = "predictions.csv",
    *,
    overlay: PathLike | None = None,
    explain: PathLike | None = None,
    metadata: PathLike | None = None,
    channels: Sequence[str] = (),
    lost_files: Literal["absent", "error"] = "absent",
    scale: Scale = "auto",
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Say = silent,
) -> Path:
    """Labels pictures with a trained model; writes predictions.csv as batches come in, and its .xlsx twin at the end.

        morphoscope.predict("run", "new_images", "predictions.csv")

    The options are those of `morphoscope predict`. overlay: a folder for labelled copies; explain: one for heat maps. metadata: a
    sheet of settings, and of the files of the model's channels. A row has for each task T its class `T` (empty where the model
    abstains), `T.best`, `T.confidence` (0 to 1), `T.set` and `T.p[CLASS]`; a file that can't be read gives an error row. Returns
    the table's path. Raises MorphoscopeError, whose text is meant to be shown, where no file could be read or the output can't be
    written; rows written until then are kept. `inference.predictor.Predictor` gives the same answers as arrays.
    """
    table_path = Path(out)
    _claim(table_path, overwrite)
    bundle = Bundle.load(Path(model))
    named = as_paths(paths)
    places = picture_places(named, say)
    files = find_micrographs(places)
    copies = _copies(bundle, files, overlay, explain, overwrite)
    given = further_inputs(bundle, files, [*places, *named], SheetOptions(metadata, channels, lost_files), "predict", say)
    notes = _Notes(say)
    failures: dict[Path, str] = {}
    done = 0
    with PredictionsTable(table_path, prediction_columns(bundle.schema)) as table, bar("Predicting", len(files)) as progress:
        for batch in Predictor(bundle, max_pixels, scale).predict(files, given.rows, given.files):
            table.write(_rows(batch))
            for kind in copies:
                kind.write(batch)
            notes.tell(batch)
            failures |= batch.failed
            done += len(batch.paths)
            progress(done)
    notes.tell_how_many_more()
    if len(failures) == done:
        raise MorphoscopeError(
            f"None of {done} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. "
            f"{table_path} says why for each. The first one: {next(iter(failures.values()))}"
        )
    _write_twin(table_path, bundle, say)
    say(f"{done - len(failures)} pictures labelled, {len(failures)} error rows: {table_path}")
    return table_path


def _claim(table: Path, overwrite: bool) -> None:
    if table.suffix.lower() in (".xlsx", ".xlsm"):
        raise OutputError(
            f"--out {table}: it is to be a workbook; expected a name that ends in .csv, beside which the workbook is written. "
            f"Write --out {table.with_suffix('.csv')}."
        )
    claim_file(table, overwrite)


def _copies(
    bundle: Bundle, files: Sequence[Path], overlay: PathLike | None, explain: PathLike | None, overwrite: bool
) -> list[LabelledCopies | ExplainedCopies]:
    if overlay and explain and Path(overlay).resolve() == Path(explain).resolve():
        raise OutputError(
            f"--explain {explain}: the folder is that of --overlay, whose copies have the same names; expected another one. "
            "Choose another --explain."
        )
    copies: list[LabelledCopies | ExplainedCopies] = []
    if overlay:
        copies.append(LabelledCopies(CopyFolder("--overlay", Path(overlay), files, overwrite)))
    if explain:
        copies.append(ExplainedCopies(CopyFolder("--explain", Path(explain), files, overwrite), bundle))
    return copies


class _Notes:
    """What is wrong or odd about files, told as it comes until it would fill the terminal."""

    def __init__(self, say: Say) -> None:
        self._say, self._count = say, 0

    def tell(self, batch: Predicted) -> None:
        lines = [f"Error row for {path.name}: {sentence}" for path, sentence in batch.failed.items()]
        for one in batch.seen:
            micrograph = one.micrograph
            notes = (*one.notes, *micrograph.warnings, *conflicts(micrograph.pixel_size))
            lines += [f"Note on {micrograph.path.name}: {note}" for note in notes]
        for line in lines[: max(0, MAX_NOTES - self._count)]:
            self._say(line)
        self._count += len(lines)

    def tell_how_many_more(self) -> None:
        if self._count > MAX_NOTES:
            self._say(f"And {self._count - MAX_NOTES} notes more; the table holds every error.")


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
