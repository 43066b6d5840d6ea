"""Zeiss SmartSEM: Latin-1 text in TIFF tag 34118, a key line (`AP_WD`) and a line of label and value (`WD =  4.6 mm`) each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from morphoscope.io.formats.makers.values import (
    Shape,
    cross_checked,
    decoded,
    in_si,
    iso_date,
    length_mm,
    length_nm,
    number,
    pixel_size,
    quantity,
    scaled,
    sourced,
)
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, PixelSize

TAG = 34118
_KEY = re.compile(r"(?:AP|DP|SV)_\w+")
_MAGNIFICATION = re.compile(r"([\d.]+)\s*([KM]?)\s*X?")


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the tag says of a picture of `shape` (rows, columns), or None without it."""
    return from_text(decoded(tags[TAG]), shape) if TAG in tags else None


def from_text(text: str, shape: Shape) -> Record:
    """What the text says."""
    values = _values(text)
    tilt = quantity(values.get("AP_STAGE_AT_T", ""), "°")
    model = values.get("DP_SEM") or values.get("SV_SERIAL_NUMBER")
    acquisition = Acquisition(
        magnification=sourced(_magnification(values.get("AP_MAG", "")), "header"),
        hv_kv=sourced(scaled(in_si(values.get("AP_ACTUALKV"), "V"), 1e-3), "header"),
        wd_mm=sourced(length_mm(values.get("AP_WD")), "header"),
        detector=sourced(values.get("DP_DETECTOR_CHANNEL") or values.get("DP_DETECTOR_TYPE"), "header"),
        tilt_deg=sourced(tilt[0] if tilt else None, "header"),
        dwell_us=sourced(scaled(in_si(values.get("DP_DWELL_TIME"), "s"), 1e6), "header"),
        beam_current_na=sourced(scaled(in_si(values.get("AP_IPROBE"), "A"), 1e9), "header"),
        instrument=sourced(f"Zeiss {model}" if model else "Zeiss", "header"),
        date=sourced(_date(values), "header"),
    )
    return Record("Zeiss SmartSEM", _pixel_size(values, shape), acquisition)


def _values(text: str) -> dict[str, str]:
    lines = text.splitlines()
    found = {}
    for key, line in pairwise(lines):
        if _KEY.fullmatch(key.strip()):
            found[key.strip()] = re.split(r"[=:]", line, maxsplit=1)[-1].strip()
    return found


def _pixel_size(values: dict[str, str], shape: Shape) -> PixelSize | None:
    """AP_IMAGE_PIXEL_SIZE holds at the stored resolution; AP_PIXEL_SIZE belongs to the display and is never used."""
    width_nm = length_nm(values.get("AP_WIDTH"))
    over_columns = None if width_nm is None else width_nm / shape[1]
    stated = length_nm(values.get("AP_IMAGE_PIXEL_SIZE"))
    if stated is None:
        return pixel_size(over_columns, over_columns, "header", "Zeiss AP_WIDTH over columns")
    return cross_checked(
        pixel_size(stated, stated, "header", "Zeiss AP_IMAGE_PIXEL_SIZE"), "Zeiss AP_WIDTH over columns", over_columns
    )


def _magnification(text: str) -> float | None:
    match = _MAGNIFICATION.fullmatch(text)
    value = number(match[1]) if match else None
    if match is None or value is None or value <= 0:
        return None
    return scaled(value, {"K": 1e3, "M": 1e6}.get(match[2], 1.0))


def _date(values: dict[str, str]) -> str | None:
    date = values.get("AP_DATE", "")
    return iso_date(f"{date} {values.get('AP_TIME', '')}", "%d %b %Y %H:%M:%S") or iso_date(date, "%d %b %Y")
