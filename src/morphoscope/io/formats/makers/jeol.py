"""JEOL SEM: a sidecar .txt of lines `$KEY value`."""

from __future__ import annotations

import re

from morphoscope.io.formats.makers.values import (
    Shape,
    bar_below,
    check_proportions,
    cross_checked,
    iso_date,
    length_nm,
    number,
    pixel_size,
    positive,
    sourced,
)
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, PixelSize

_LINE = re.compile(r"^\$+(\S+)[ \t]+(.*?)\s*$", re.MULTILINE)


def is_sidecar(text: str) -> bool:
    """Whether a text beside a picture is JEOL's."""
    return text.startswith("$") and "$CM_" in text


def from_sidecar(text: str, shape: Shape) -> Record:
    """What the sidecar says of a picture of `shape` (rows, columns). Raises OtherPictureError."""
    values = dict(_LINE.findall(text))
    full = values.get("CM_FULL_SIZE", "").split()
    columns, rows = (positive(full[0]), positive(full[1])) if len(full) >= 2 else (None, None)
    check_proportions(rows, columns, shape)
    stage = values.get("CM_STAGE_POS", "").split()  # x y z rotation tilt
    date, time = values.get("CM_DATE", ""), values.get("CM_TIME", "")
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("CM_MAG")), "sidecar"),
        hv_kv=sourced(positive(values.get("CM_ACCEL_VOLT")), "sidecar"),
        wd_mm=sourced(positive(values.get("SM_WD")), "sidecar"),
        detector=sourced(values.get("CM_SIGNAL") or values.get("CM_SIGNAL_NAME"), "sidecar"),
        mode=sourced(values.get("SM_COLUMN_MODE"), "sidecar"),
        tilt_deg=sourced(number(stage[4]) if len(stage) >= 5 else None, "sidecar"),
        spot=sourced(values.get("SM_PROBE_NO"), "sidecar"),
        instrument=sourced(f"JEOL {values['CM_INSTRUMENT']}" if values.get("CM_INSTRUMENT") else "JEOL", "sidecar"),
        date=sourced(iso_date(f"{date} {time}", "%Y/%m/%d %H:%M:%S") or iso_date(date, "%Y/%m/%d"), "sidecar"),
    )
    bar = bar_below(rows, shape) if columns == shape[1] else None
    return Record("JEOL", _pixel_size(values, columns, shape), acquisition, bar)


def _pixel_size(values: dict[str, str], full_columns: float | None, shape: Shape) -> PixelSize | None:
    bar_px, marker_nm = positive(values.get("SM_MICRON_BAR")), length_nm(values.get("SM_MICRON_MARKER", ""))
    if bar_px is None or marker_nm is None:
        return None
    x_nm = marker_nm / bar_px
    size = pixel_size(x_nm, x_nm, "sidecar", "JEOL SM_MICRON_MARKER over SM_MICRON_BAR")
    resized = None if full_columns is None or full_columns == shape[1] else x_nm * full_columns / shape[1]
    return cross_checked(size, "JEOL scale bar, CM_FULL_SIZE over columns", resized)
