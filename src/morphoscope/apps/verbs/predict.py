"""Predict: label a folder with a bundle, one row a file, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.copies import CopyFolder, ExplainedCopies, LabelledCopies
from morphoscope.apps.verbs.output import claim_file
from morphoscope.apps.verbs.progress import bar
from morphoscope.calibration.resolve import Scale, conflicts
from morphoscope.data.catalogue import refuse_lost
from morphoscope.data.channel_columns import ChannelColumns, asked_channels
from morphoscope.data.channel_sheet import ChannelFiles, channel_files
from morphoscope.data.metadata_sheet import metadata_rows
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.models.branches import channel_kinds
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

    The options are those of `morphoscope predict`. overlay: a folder for labelled copies; explain: one for heat maps. A file
    that can't be read gives an error row. Returns the table's path. Raises MorphoscopeError, whose text is meant to be shown,
    where no file could be read or the output can't be written; rows written until then are kept.
    """
    table_path = Path(out)
    _claim(table_path, overwrite)
    bundle = Bundle.load(Path(model))
    files = find_micrographs(as_paths(paths))
    copies = _copies(bundle, files, overlay, explain, overwrite)
    cells = metadata_rows(Path(metadata), files) if metadata else {}
    named = _named_files(bundle, files, as_paths(paths), metadata, channels, say)
    if lost_files == "error":
        refuse_lost(named.lost)
    notes = _Notes(say)
    failures: dict[Path, str] = {}
    done = 0
    with PredictionsTable(table_path, prediction_columns(bundle.schema)) as table, bar("Predicting", len(files)) as progress:
        for batch in Predictor(bundle, max_pixels, scale).predict(files, cells, named.files):
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


def _named_files(
    bundle: Bundle, files: Sequence[Path], roots: Sequence[Path], metadata: PathLike | None, asked: Sequence[str], say: Say
) -> ChannelFiles:
    """The channel files that the sheet names, and what to know of them."""
    kinds = channel_kinds()
    usual = {channel.name: channel.column for channel in bundle.channels}
    columns = ChannelColumns(kinds, asked_channels(asked, kinds), usual)
    if not metadata:
        columns.refuse_missing([], "predict without --metadata")
    found = channel_files(Path(metadata), files, roots, columns) if metadata and bundle.channels else ChannelFiles()
    for channel, column in usual.items():
        if channel not in found.columns:
            say(
                f"The model also takes the channel {channel}, and no sheet names its files: it counts as absent. Name them in the column "
                f"'{column}' of a sheet for --metadata."
            )
    for sentence in found.lost[:MAX_NOTES]:
        say(f"Absent: {sentence}")
    if len(found.lost) > MAX_NOTES:
        say(f"And {len(found.lost) - MAX_NOTES} channel files more that are missing.")
    return found


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
