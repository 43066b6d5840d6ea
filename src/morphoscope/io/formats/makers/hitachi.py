"""Hitachi SEM: a sidecar .txt `[SemImageFile]` (UTF-16 or not), and the same keys in the comment of newer TIFF files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import (
    Shape,
    check_proportions,
    cross_checked,
    in_si,
    iso_date,
    length_mm,
    length_nm,
    number,
    pixel_size,
    positive,
    scaled,
    sections,
    sourced,
    utf16,
)
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, Origin, PixelSize

SECTION = "SemImageFile"
XP_COMMENT, XP_AUTHOR = 40092, 40093
_CONDITION = re.compile(r"Vacc=(?P<kv>[\d.]+)kV\s+Mag=x(?P<mag>[\d.]+)(?P<prefix>[kM]?)\s+WD=(?P<wd>[\d.]+)mm")


def is_sidecar(text: str) -> bool:
    """Whether a text beside a picture is Hitachi's."""
    return f"[{SECTION}]" in text[:200]


def from_sidecar(text: str, shape: Shape) -> Record:
    """What the sidecar says of a picture of `shape` (rows, columns): lengths in nm or with a unit, volts, degrees.
    Raises OtherPictureError."""
    values = sections(text)[SECTION]
    columns, _, rows = values.get("DataSize", "").partition("x")
    check_proportions(positive(rows), positive(columns), shape)
    date, time = values.get("Date", ""), values.get("Time", "")
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("Magnification")), "sidecar"),
        hv_kv=sourced(scaled(in_si(values.get("AcceleratingVoltage", "").replace("Volt", "V"), "V"), 1e-3), "sidecar"),
        wd_mm=sourced(length_mm(values.get("WorkingDistance", ""), "um"), "sidecar"),
        detector=sourced(values.get("SignalName"), "sidecar"),
        tilt_deg=sourced(number(values.get("StagePositionT", "")), "sidecar"),
        instrument=sourced(f"Hitachi {values.get('InstructName', '')}".strip(), "sidecar"),
        date=sourced(iso_date(f"{date} {time}", "%Y/%m/%d %H:%M:%S") or iso_date(date, "%Y/%m/%d"), "sidecar"),
    )
    return Record("Hitachi", _pixel_size(values, shape, "sidecar"), acquisition)


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the comment of the TIFF says of a picture of `shape`, or None where it is not Hitachi's. Condition is rounded."""
    comment = utf16(tags[XP_COMMENT]) if XP_COMMENT in tags else ""
    if "PixelSize=" not in comment or "Condition=" not in comment:
        return None
    values = sections(comment)[""]
    condition = _CONDITION.search(values.get("Condition", ""))
    prefix = {"k": 1e3, "M": 1e6}.get(condition["prefix"], 1.0) if condition else 1.0
    model = utf16(tags[XP_AUTHOR]) if XP_AUTHOR in tags else ""
    acquisition = Acquisition(
        magnification=sourced(scaled(positive(condition["mag"]), prefix) if condition else None, "header"),
        hv_kv=sourced(positive(condition["kv"]) if condition else None, "header"),
        wd_mm=sourced(positive(condition["wd"]) if condition else None, "header"),
        detector=sourced(values.get("SignalName"), "header"),
        instrument=sourced(f"Hitachi {model}".strip(), "header"),
    )
    return Record("Hitachi", _pixel_size(values, shape, "header"), acquisition, is_rounded=True)


def _pixel_size(values: dict[str, str], shape: Shape, origin: Origin) -> PixelSize | None:
    stated = length_nm(values.get("PixelSize", ""), "nm")
    size = pixel_size(stated, stated, origin, "Hitachi PixelSize")
    columns = positive(values.get("DataSize", "").partition("x")[0])
    resized = stated * columns / shape[1] if stated and columns and columns != shape[1] else None
    return cross_checked(size, "Hitachi PixelSize, DataSize over columns", resized)
