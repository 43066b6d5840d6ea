"""Segment: every picture's objects as an instance map that other programs open too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.output import claim_folder, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.unlabelled import picture_places
from morphoscope.data.readings import read_calibrated
from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.inference.instances import find_instances
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.io.display import to_display
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import MAX_PIXELS
from morphoscope.measure.instance_map import write_instance_map
from morphoscope.micrograph import Micrograph
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.reporting.outlines import outlined
from morphoscope.reporting.predictions_table import PredictionsTable, Row, error_row

TABLE, OVERLAYS = "segmentation.csv", "overlays"
COLUMNS = ("path", "status", "error", "objects", "foreground", "map")
MOST_IN_PNG = 65_535


def segment(
    paths: Paths,
    out: PathLike = "instance_maps",
    *,
    model: PathLike | None = None,
    overlay: bool = False,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Say = silent,
) -> Path:
    """Finds the objects of pictures; writes an instance map a picture under `out`, and segmentation.csv with their counts.

        morphoscope.segment("images", "instance_maps")

    Maps are 16-bit PNG of the picture's size and stem, 0 = background (32-bit TIFF where 16 bits can't count the objects);
    those of a sub-folder go to a sub-folder. model: a folder that `train --masks` wrote; left out, the segmenter that comes with
    Morphoscope. overlay: also draw the outlines on the pictures, into `out`/overlays. Returns `out`. Raises MorphoscopeError,
    whose text is meant to be shown, where no picture could be read or `out` can't be written.
    """
    folder = Path(out)
    places = picture_places(as_paths(paths), say)
    files = find_micrographs(places)
    targets = _targets(files, places, folder)
    claim_folder(folder, [TABLE], overwrite)
    finder = ObjectFinder(load_segmenter(None if model is None else Path(model)))
    failures: list[str] = []
    count = 0
    with (
        writing(folder, "Make room there and start again with --overwrite."),
        PredictionsTable(folder / TABLE, COLUMNS) as table,
        bar("Segmenting", len(files)) as progress,
    ):
        for done, path in enumerate(files, start=1):
            try:
                micrograph = read_calibrated(path, {}, scale="header", max_pixels=max_pixels)
                instance_map = find_instances(micrograph, finder)
            except MorphoscopeError as error:
                failures.append(str(error))
                table.write([error_row(path, str(error))])
            else:
                place = _written(micrograph, instance_map, targets[path], folder if overlay else None)
                table.write([_row(path, instance_map, place.relative_to(folder))])
                count += int(instance_map.max())
            progress(done)
    if len(failures) == len(files):
        raise MorphoscopeError(
            failures[0]
            if len(files) == 1
            else f"None of {len(files)} pictures could be read; expected micrographs. {folder / TABLE} says why for each. "
            f"The first one: {failures[0]}"
        )
    for sentence in failures:
        say(f"Error row: {sentence}")
    say(f"Objects: {count}, pictures: {len(files) - len(failures)}, error rows: {len(failures)}. Instance maps: {folder}")
    return folder


def _written(micrograph: Micrograph, instance_map: np.ndarray, target: Path, with_overlays_in: Path | None) -> Path:
    """Writes the map, as TIFF where a PNG can't count its objects, and perhaps the outlines; returns where the map is."""
    place = target.with_suffix(".tif") if instance_map.max() > MOST_IN_PNG else target
    place.parent.mkdir(parents=True, exist_ok=True)
    write_instance_map(place, instance_map)
    if with_overlays_in:
        shown = outlined(to_display(micrograph.pixels), instance_map, np.array([], int))
        overlay = with_overlays_in / OVERLAYS / place.relative_to(with_overlays_in).with_suffix(".jpg")
        overlay.parent.mkdir(parents=True, exist_ok=True)
        shown.save(overlay, quality=90)
    return place


def _targets(files: list[Path], named: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Where each picture's map goes. Raises OutputError where a map could take a picture's place."""
    homes = [path.resolve() for path in named if path.is_dir()]
    if folder.resolve() in {path.parent.resolve() for path in files}:
        raise OutputError(
            f"--out {folder}: the pictures lie there; expected another folder, so that no map replaces one. Choose another --out."
        )
    targets: dict[Path, Path] = {}
    taken: set[str] = set()
    for path in files:
        home = next((home for home in homes if home in path.resolve().parents), path.resolve().parent)
        place = path.resolve().relative_to(home).with_suffix("")
        if str(place).casefold() in taken:  # a.tif beside a.png
            place = place.with_name(f"{path.stem}_{path.suffix.lstrip('.')}")
        taken.add(str(place).casefold())
        targets[path] = folder / place.with_name(f"{place.name}.png")
    return targets


def _row(path: Path, instance_map: np.ndarray, place: Path) -> Row:
    share = np.count_nonzero(instance_map) / instance_map.size
    return {
        "path": str(path),
        "status": "ok",
        "objects": str(int(instance_map.max())),
        "foreground": f"{share:.4f}",
        "map": place.as_posix(),
    }
