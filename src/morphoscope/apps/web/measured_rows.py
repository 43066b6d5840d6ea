"""The rows of measurements.csv and summary.csv with their numbers as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.apps.web.answers.pictures import Cell, Histogram, Objects, Row

_TEXTS = {
    *("path", "kind", "status", "error", "pixel_size_origin", "pixel_size_u_origin"),
    *("note", "sample", "kind_reason", "class", "border_rule"),
}


def objects_answer(found: Mapping[str, Any]) -> Objects:
    """What the analyst found, as the API tells it."""
    return Objects(
        outlines=found["outlines"],
        objects=[typed_row(row) for row in found["objects"]],
        histogram=Histogram(**found["histogram"]) if found["histogram"] else None,
        summary=typed_row(found["summary"]),
        n_left_out=found["n_left_out"],
    )


def typed_row(cells: Mapping[str, str]) -> Row:
    """Numbers and yes or no as such, an empty number as null."""
    return {name: cell if name in _TEXTS else _typed(cell) for name, cell in cells.items()}


def _typed(cell: str) -> Cell:
    if cell in ("True", "False"):
        return cell == "True"
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell
