"""`morphoscope inspect`: what files say of themselves."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from morphoscope.apps.cli.scale import ScaleOption, ScaleSource

if TYPE_CHECKING:
    from rich.table import Table


def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures and folders (with their sub-folders).")],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything there as JSON too.")] = None,
    from_picture: Annotated[
        bool, typer.Option("--from-picture", help="Only the pixels speak: scale bar and text, no header, no sidecar, no name.")
    ] = False,
    scale: ScaleOption = ScaleSource.auto,
    metadata: Annotated[Path | None, typer.Option(help="Sheet of pixel_size_nm, hv_kv, …; wins over the files.")] = None,
    fix: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the scales as a sheet to correct and give back with --metadata.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the sheet of --fix, with its corrections.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes at a time; as many as there are cores, if left out.")
    ] = None,
) -> None:
    """Show what files say: size, scale with its source and its conflicts, instrument settings, information bar; of a spectrum its
    energies and counts.

    Example: morphoscope inspect images/ --json inspected.json
    """
    from rich.console import Console

    from morphoscope.apps.verbs.inspect import inspect as run
    from morphoscope.apps.verbs.processes import usual_workers
    from morphoscope.errors import ReadError

    rows = run(
        paths,
        from_picture=from_picture,
        scale=scale.value,
        metadata=metadata,
        fix=fix,
        overwrite=overwrite,
        workers=workers or usual_workers(),
    )
    if json_file is not None:
        _write(json_file, rows)
    failed = [row for row in rows if row["status"] == "error"]
    if len(failed) == len(rows) == 1:
        raise ReadError(failed[0]["error"])
    if len(failed) == len(rows):
        raise ReadError(
            f"None of {len(failed)} files could be read; expected at least one picture. The first: {failed[0]['error']}"
        )
    console = Console() if sys.stdout.isatty() else Console(width=180)
    console.print(_table(rows))
    for style, line in _remarks(rows):
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    if fix is not None:
        print(f"Sheet: {fix}. Correct it, then give it with --metadata.", file=sys.stderr)


def _remarks(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Style and line of what a person should know beside the table."""
    for row in rows:
        for note in (*row["conflicts"], *row["warnings"]):
            yield "yellow", f"note: {row['path']}: {note}"
    unknown = [row["picture_problem"] for row in rows if row["pixel_size_nm"] is None and row["picture_problem"]]
    for problem, count in Counter(unknown).items():
        yield "yellow", f"note: {count} without a scale: {problem}"
    for row in rows:
        if row["status"] == "error":
            yield "red", f"error: {row['error']}"


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    from morphoscope.errors import OutputError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written ({error.strerror}); expected a writable file. Choose another --json."
        ) from None


def _table(rows: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False)
    table.add_column("File", overflow="fold")
    texts = ("Pixel size", "Conflict", "Detector")
    for name in ("Size (px)", "Pixel size", "Conflict", "Field of view", "Magn.", "kV", "WD (mm)", "Detector", "Bar (rows)"):
        table.add_column(name, justify="left" if name in texts else "right")
    home = _home([row["path"] for row in rows])
    if home:
        table.title, table.title_justify = Text(f"in {home}"), "left"
    for row in rows:
        cells = [row["path"].removeprefix(home), *_cells(row)]
        table.add_row(*(Text(cell) for cell in cells), style="red" if row["status"] == "error" else None)
    return table


def _home(paths: list[str]) -> str:
    """The folder that all of several files lie in, as written and with its separator at the end, or nothing."""
    every = zip(*(Path(path).parent.parts for path in paths), strict=False)
    common = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, every)]
    return f"{Path(*common)}{os.sep}".replace(os.sep * 2, os.sep) if len(paths) > 1 and common else ""


def _cells(row: dict[str, Any]) -> list[str]:
    """One line of the table behind the name; what is unknown is a dash."""
    from morphoscope.units import format_length

    if row["status"] == "error":
        return ["error"]
    if row["spectrum"]:
        return _spectrum_cells(row)
    size, field, bar = row["pixel_size_nm"], row["field_of_view_nm"], row["information_bar"]
    sides = [format_length(size["y"]), format_length(size["x"])] if size else []
    pixel = f"{' × '.join(dict.fromkeys(sides))} ({row['pixel_size_origin']})" if size else "–"
    if row["is_diffraction"]:
        per_nm = row["reciprocal_per_nm"]
        pixel = "diffraction pattern" + (f", {per_nm:.4g} 1/nm a pixel" if per_nm else "")
    frames = f" · {row['n_frames']} frames" if row["n_frames"] > 1 else ""
    return [
        f"{row['shape'][0]} × {row['shape'][1]} {row['dtype']}{frames}",
        pixel,
        _conflict(row),
        f"{format_length(field['y'])} × {format_length(field['x'])}" if field else "–",
        f"{row['magnification']:,.0f}×{' (name)' if row['origins'].get('magnification') == 'filename' else ''}"
        if row["magnification"]
        else "–",
        *(f"{row[name]:.4g}" if row[name] is not None else "–" for name in ("hv_kv", "wd_mm")),
        row["detector"] or "–",
        f"{bar['top']}–{bar['top'] + bar['height'] - 1} {bar['side']}" if bar else "–",
    ]


def _spectrum_cells(row: dict[str, Any]) -> list[str]:
    """The same of a file that holds a spectrum and no picture."""
    spectrum = row["spectrum"]
    kind = f"{spectrum['signal'] or ''} spectrum{' (a map, summed)' if spectrum['is_map'] else ''}".strip()
    axis = "no energy axis: not calibrated"
    if energy := spectrum["energy_kev"]:
        axis = f"{energy['first']:.4g} to {energy['last']:.4g} keV, {spectrum['step_ev']:.4g} eV a channel"
    kv = f"{row['hv_kv']:.4g}" if row["hv_kv"] is not None else "–"
    size = f"{spectrum['channels']} channels"
    return [size, f"{kind}: {axis}, {spectrum['counts']:,.0f} counts", "", "–", "–", kv, "–", row["detector"] or "–", "–"]


def _conflict(row: dict[str, Any]) -> str:
    """The values that the used one is at odds with, and who says them; empty where all agree."""
    from morphoscope.calibration.resolve import is_close
    from morphoscope.units import format_length

    size = row["pixel_size_nm"]
    if size is None:
        return ""
    others = [item for item in row["evidence"] if not is_close(item["value_nm"], size["x"])]
    return "; ".join(f"{format_length(item['value_nm'])} ({item['source'].partition(':')[0]})" for item in others)
