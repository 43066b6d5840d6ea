"""Index: folders of pictures become an archive that can be searched; what is there already is not read again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.further_inputs import SheetOptions, further_inputs
from morphoscope.apps.verbs.progress import bar
from morphoscope.archive.current_columns import columns
from morphoscope.archive.current_vectors import keep_vectors
from morphoscope.archive.indexing import Indexer, Outcome
from morphoscope.archive.looking import load_model
from morphoscope.archive.pictures import count_pictures
from morphoscope.archive.planning import mark_missing, plan
from morphoscope.archive.store import Archive
from morphoscope.calibration.resolve import Scale
from morphoscope.errors import MorphoscopeError
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.micrograph import Micrograph
from morphoscope.models.encoders import DEFAULT

MAX_NOTES = 20


@dataclass(frozen=True)
class Indexed:
    """What a run of `index` did: pictures read, error rows written, files skipped since nothing changed, files found gone,
    pictures measured; and how many pictures the archive has now."""

    read: int
    failed: int
    unchanged: int
    missing: int
    measured: int
    total: int
    seconds: float


def index(
    paths: Paths,
    archive: PathLike,
    *,
    model: PathLike = DEFAULT,
    measure: bool = False,
    metadata: PathLike | None = None,
    channels: Sequence[str] = (),
    lost_files: Literal["absent", "error"] = "absent",
    scale: Scale = "auto",
    retry: bool = False,
    max_pixels: int = MAX_PIXELS,
    say: Say = silent,
) -> Indexed:
    """Brings an archive up to date with pictures: what they say, what a model answers, and features to find them by.

        morphoscope.index("images", "lab.archive", model="run")

    The options are those of `morphoscope index`. Files are never changed. A file that can't be read gives an error row. Stopped
    at any moment, the run goes on where it was when it is started again. A picture is answered anew when its row of the sheet
    names other channel files, not when a file of the same name has changed. Raises MorphoscopeError, whose text is meant to be
    shown, for bad options and where none of the files could ever be read.
    """
    began = time.monotonic()
    places = as_paths(paths)
    files = find_micrographs(places)
    loaded = load_model(str(model))
    given = further_inputs(loaded[1], files, places, SheetOptions(metadata, channels, lost_files), "index", say)
    with Archive.open(Path(archive)) as opened:
        find_objects, segmenter = _objects_by_segmenter() if measure else (None, "")
        indexer = Indexer(opened, loaded, find_objects=find_objects, segmenter=segmenter, scale=scale, max_pixels=max_pixels)
        has_tasks = bool(loaded[0].schema.tasks)
        todo = plan(opened, files, model=indexer.model, answers=has_tasks, measure=measure, cells=given.rows, retry=retry)
        outcome = Outcome()
        with bar("Indexing", len(todo)) as progress:
            for done in indexer.run(todo, given.rows, outcome, given.files):
                progress(done)
        missing = mark_missing(opened, [place for place in places if place.is_dir()])
        total = count_pictures(opened)
        columns(opened)  # of a large archive these are kept for the next search
        keep_vectors(opened, indexer.model)
    _tell(outcome, say)
    if todo.failed_before:
        say(f"{todo.failed_before} files that could not be read before are as they were. Add --retry to read them again.")
    if files and len(outcome.failed) == len(files):
        raise MorphoscopeError(
            f"None of {len(files)} files could be read as a picture; expected micrographs such as TIFF, PNG or JPEG. {archive} says "
            f"why for each. The first one: {next(iter(outcome.failed.values()))}"
        )
    told = Indexed(
        outcome.pictures, len(outcome.failed), todo.unchanged, missing, outcome.measured, total, time.monotonic() - began
    )
    gone = f", {missing} files gone" if missing else ""
    measured = f", {outcome.measured} measured" if measure else ""
    say(
        f"{told.read} pictures indexed{measured}, {told.unchanged} unchanged, {told.failed} error rows{gone}: {archive} ({total} pictures)"
    )
    return told


def _tell(outcome: Outcome, say: Say) -> None:
    lines = [f"Error row: {sentence}" for sentence in outcome.failed.values()]
    lines += [f"Not measured: {sentence}" for sentence in outcome.unmeasured.values()]
    for line in lines[:MAX_NOTES]:
        say(line)
    if len(lines) > MAX_NOTES:
        say(f"And {len(lines) - MAX_NOTES} more; search the archive for state=error.")


def _objects_by_segmenter() -> tuple[Callable[[Micrograph], np.ndarray], str]:
    from morphoscope.inference.instances import find_instances
    from morphoscope.inference.segmentation import ObjectFinder
    from morphoscope.models.segmenter_file import load_segmenter

    finder = ObjectFinder(load_segmenter())
    return lambda micrograph: find_instances(micrograph, finder), "the segmenter that comes with Morphoscope"
