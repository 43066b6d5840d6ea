"""`write_dataset`: rendered pictures as the folder a laboratory would hand over, with the sheets of their truth beside it."""

from __future__ import annotations

import csv
import dataclasses
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from morphoscope.errors import MorphoscopeError, OutputError
from morphoscope.synthesis.files import write_instances, write_pattern, write_picture, write_spectrum
from morphoscope.synthesis.picture import Kind, Rendered
from morphoscope.synthesis.rendering import KINDS, render

Layout = Literal["flat", "folders"]
SHEETS = ("labels.csv", "truth.csv", "objects.csv")
TRUTH_COLUMNS = (
    "filename",
    "Sample",
    "pixel_size_nm",
    "pixel_height_nm",
    "magnification",
    "hv_kv",
    "wd_mm",
    "detector",
    "instrument",
    "bar_top",
    "bar_height",
    "objects",
)
CHANNELS = {"spectrum_file": ("spectra", ".msa"), "diffraction_file": ("diffraction", ".tif")}
"""Column to the folder of its files and their ending."""
OBJECT_COLUMNS = ("filename", "object", "kind", "ecd_nm", "length_nm", "width_nm", "visible_px", "touches_border")


@dataclass(frozen=True)
class Rows:
    """What one picture adds to the sheets."""

    labels: list[str]
    truth: list[Any]
    objects: list[list[Any]]


def write_dataset(
    kind: str,
    count: int,
    out: Path,
    *,
    size: int | tuple[int, int] = 256,
    seed: int = 0,
    layout: Layout = "flat",
    workers: int = 1,
    overwrite: bool = False,
    file_format: Literal["tif", "png"] = "tif",
    progress: Callable[[], None] | None = None,
    **knobs: Any,
) -> None:
    """Write images/, instance_maps/, labels.csv, truth.csv and objects.csv. The rows appear as the pictures do. A kind with
    channels has spectra/ and diffraction/ beside them, whose files the labels' columns name.

    layout `folders` sorts the pictures of a kind with one task into a folder a class. progress is called after every picture.
    knobs: further options of `render`. Raises MorphoscopeError for bad options, OutputError where `out` can't be written or
    already holds a rendered set and `overwrite` is False.
    """
    loaded: Kind = KINDS.load(kind)
    if layout == "folders" and len(loaded.tasks) != 1:
        raise MorphoscopeError(
            f"render {kind}: --layout folders needs a kind with one task, and this has {len(loaded.tasks)}; use --layout flat."
        )
    render(kind, count, size=size, seed=seed, **knobs)
    try:
        _make_room(out, overwrite, loaded.channels)
        one = partial(_write_one, kind, out, size, seed, layout, file_format, knobs)
        _write_sheets(out, loaded, _each(one, range(count), workers), progress)
    except OSError as error:
        raise OutputError(
            f"{out}: can't be written ({error.strerror or error}); choose a folder with space that is yours to write."
        ) from error


def _make_room(out: Path, overwrite: bool, channels: Sequence[str]) -> None:
    """Create the folders; pictures of an earlier set, which its truth.csv lists, go first where `overwrite` allows it."""
    earlier = [name for name in SHEETS if (out / name).exists()]
    if earlier and not overwrite:
        raise OutputError(
            f"{out} already holds {', '.join(earlier)} of an earlier render; choose another --out or add --overwrite."
        )
    truth = out / "truth.csv"
    if truth.exists():
        with truth.open(encoding="utf-8", newline="") as sheet:
            for row in csv.DictReader(sheet):
                (out / "images" / row["filename"]).unlink(missing_ok=True)
                (out / "instance_maps" / f"{Path(row['filename']).stem}.png").unlink(missing_ok=True)
                for folder, suffix in CHANNELS.values():
                    (out / folder / f"{Path(row['filename']).stem}{suffix}").unlink(missing_ok=True)
    for folder in ("images", "instance_maps", *(CHANNELS[column][0] for column in channels)):
        (out / folder).mkdir(parents=True, exist_ok=True)


def _write_one(
    kind: str,
    out: Path,
    size: int | tuple[int, int],
    seed: int,
    layout: Layout,
    file_format: str,
    knobs: dict[str, Any],
    index: int,
) -> Rows:
    picture = next(render(kind, 1, size=size, seed=seed, start=index, **knobs))
    name = f"{picture.stem}.{file_format}"
    if layout == "folders":
        folder = next(iter(picture.labels.values()))
        (out / "images" / folder).mkdir(exist_ok=True)
        name = f"{folder}/{name}"
    write_picture(out / "images" / name, picture)
    if picture.instance_map is not None:
        write_instances(out / "instance_maps" / f"{picture.stem}.png", picture.instance_map)
    files = _write_channels(out, picture)
    return _rows(name, picture, files)


def _write_channels(out: Path, picture: Rendered) -> list[str]:
    """Writes what belongs to the picture; the names as the sheet gives them."""
    files = []
    if picture.spectrum is not None:
        files.append(f"spectra/{picture.stem}.msa")
        write_spectrum(out / files[-1], picture.spectrum)
    if picture.pattern is not None:
        files.append(f"diffraction/{picture.stem}.tif")
        write_pattern(out / files[-1], picture.pattern)
    return files


def _rows(name: str, picture: Rendered, files: Sequence[str]) -> Rows:
    bar, s = picture.information_bar, picture.settings
    y_nm, x_nm = picture.pixel_size_nm or ("", "")
    truth = [
        name,
        picture.sample,
        x_nm,
        y_nm,
        s.magnification,
        s.hv_kv,
        s.wd_mm,
        s.detector,
        f"{s.instrument.maker} {s.instrument.model}",
        bar.top if bar else None,
        bar.height if bar else None,
        len(picture.objects),
    ]
    objects = [[name, *dataclasses.astuple(row)] for row in picture.objects]
    return Rows([name, picture.sample, *picture.labels.values(), *files], truth, objects)


def _each(one: Callable[[int], Rows], indices: Iterable[int], workers: int) -> Iterator[Rows]:
    """The rows in order of index, from this process or from several."""
    if workers <= 1:
        yield from map(one, indices)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        with _without_main():
            rows = pool.map(one, indices, chunksize=4)
        yield from rows


@contextmanager
def _without_main() -> Iterator[None]:
    """Processes that are started here don't import the caller's script: without `if __name__ == "__main__"` it would run again,
    and they need nothing of it."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _write_sheets(out: Path, kind: Kind, rows: Iterator[Rows], progress: Callable[[], None] | None) -> None:
    headers = (("filename", "Sample", *kind.tasks, *kind.channels), TRUTH_COLUMNS, OBJECT_COLUMNS)
    opened = [(out / name).open("w", encoding="utf-8", newline="") for name in SHEETS]
    try:
        labels, truth, objects = (csv.writer(sheet, lineterminator="\n") for sheet in opened)
        for writer, header in zip((labels, truth, objects), headers, strict=True):
            writer.writerow(header)
        for row in rows:
            labels.writerow(row.labels)
            truth.writerow(row.truth)
            objects.writerows(row.objects)
            if progress is not None:
                progress()
    finally:
        for sheet in opened:
            sheet.close()
