"""`morphoscope inspect`: what files say of themselves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table


def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures and folders (with their sub-folders).")],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything there as JSON too.")] = None,
) -> None:
    """Show what picture files say: size, scale and its source, instrument settings, information bar.

    Example: morphoscope inspect images/ --json inspected.json
    """
    from rich.console import Console

    from morphoscope.apps.verbs.inspect import inspect as run
    from morphoscope.errors import ReadError

    rows = run(paths)
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
