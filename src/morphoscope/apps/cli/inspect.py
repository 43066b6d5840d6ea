"""`morphoscope inspect`: what files say of themselves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from morphoscope.micrograph import Micrograph


def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures and folders (with their sub-folders).")],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything there as JSON too.")] = None,
) -> None:
    """Show what picture files say: size, scale and its source, instrument settings, information bar.

    Example: morphoscope inspect images/ --json inspected.json
    """
    from rich.console import Console
    from rich.progress import track

    from morphoscope.errors import ReadError
    from morphoscope.io import find_micrographs

    files = find_micrographs(paths)
    is_terminal = sys.stderr.isatty()
    steps = track(files, "Reading", console=Console(stderr=True), transient=True, disable=not is_terminal or len(files) < 10)
    rows = [_inspected(path) for path in steps]
    if json_file is not None:
        _write(json_file, rows)
    failed = [row for row in rows if row["status"] == "error"]
    console = Console() if sys.stdout.isatty() else Console(width=180)
    if len(failed) < len(rows):
        console.print(_table(rows))
        for row in rows:
            for note in (*row["conflicts"], *row["warnings"]):
                console.print(f"note: {row['path']}: {note}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        for row in failed:
            console.print(f"error: {row['error']}", style="red", markup=False, highlight=False, soft_wrap=True)
        return
    if len(failed) == 1:
        raise ReadError(failed[0]["error"])
    raise ReadError(f"None of {len(failed)} files could be read; expected at least one picture. The first: {failed[0]['error']}")


def _inspected(path: Path) -> dict[str, Any]:
    """The row of `--json` for one file."""
    from morphoscope.calibration import resolve
    from morphoscope.errors import ReadError
    from morphoscope.io import read

    try:
        return _row(path, resolve(read(path)))
    except ReadError as error:
        return _row(path, None) | {"status": "error", "error": str(error)}


def _row(path: Path, micrograph: Micrograph | None) -> dict[str, Any]:
    from dataclasses import asdict

    from morphoscope.calibration import conflicts
    from morphoscope.micrograph import Acquisition

    size = micrograph.pixel_size if micrograph else None
    settings = micrograph.acquisition if micrograph else Acquisition()
    field = micrograph.field_of_view_nm if micrograph else None
    bar = micrograph.information_bar if micrograph else None
    names = ("magnification", "hv_kv", "wd_mm", "detector", "tilt_deg", "dwell_us", "date", "instrument")
    return {
        "path": str(path),
        "reader": micrograph.reader if micrograph else None,
        "shape": list(micrograph.pixels.shape) if micrograph else None,
        "dtype": micrograph.pixels.dtype.name if micrograph else None,
        "n_frames": micrograph.n_frames if micrograph else None,
        "pixel_size_nm": {"y": size.y_nm, "x": size.x_nm} if size else None,
        "pixel_size_origin": size.origin if size else None,
        "evidence": [asdict(item) for item in size.evidence] if size else [],
        "conflicts": conflicts(size),
        "field_of_view_nm": {"y": field[0], "x": field[1]} if field else None,
        **{name: settings.value(name) for name in names},
        "mode": settings.value("mode"),
        "beam_current_na": settings.value("beam_current_na"),
        "spot": settings.value("spot"),
        "information_bar": asdict(bar) if bar else None,
        "scale_bar": None,
        "warnings": list(micrograph.warnings) if micrograph else [],
        "status": "ok",
        "error": None,
    }


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
    for name in ("Size (px)", "Pixel size", "Field of view", "Magn.", "kV", "WD (mm)", "Detector", "Bar (rows)"):
        table.add_column(name, justify="left" if name in ("Detector", "Pixel size") else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in _cells(row)), style="red" if row["status"] == "error" else None)
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    """One line of the table; what is unknown is a dash."""
    from morphoscope.units import format_length

    if row["status"] == "error":
        return [row["path"], "error"]
    size, field, bar = row["pixel_size_nm"], row["field_of_view_nm"], row["information_bar"]
    sides = [format_length(size["y"]), format_length(size["x"])] if size else []
    pixel = f"{' × '.join(dict.fromkeys(sides))} ({row['pixel_size_origin']})" if size else "–"
    frames = f" · {row['n_frames']} frames" if row["n_frames"] > 1 else ""
    return [
        row["path"],
        f"{row['shape'][0]} × {row['shape'][1]} {row['dtype']}{frames}",
        pixel,
        f"{format_length(field['y'])} × {format_length(field['x'])}" if field else "–",
        f"{row['magnification']:,.0f}×" if row["magnification"] else "–",
        *(f"{row[name]:.4g}" if row[name] is not None else "–" for name in ("hv_kv", "wd_mm")),
        row["detector"] or "–",
        f"{bar['top']}–{bar['top'] + bar['height'] - 1} {bar['side']}" if bar else "–",
    ]
