"""TESCAN: `key=value` text in TIFF tag 50431 behind a binary preview, or in a sidecar .hdr with sections."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import (
    Shape,
    bar_below,
    decoded,
    iso_date,
    number,
    pixel_size,
    positive,
    scaled,
    sections,
    sourced,
)
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, Origin

TAG = 50431
_PREVIEW = 1


def is_sidecar(text: str) -> bool:
    """Whether a text beside a picture is TESCAN's."""
    return "[MAIN]" in text and "PixelSizeX=" in text


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the tag says of a picture of `shape` (rows, columns), or None without it."""
    return from_text(_text_blocks(tags[TAG]), shape) if TAG in tags else None


def from_text(text: str, shape: Shape, origin: Origin = "header") -> Record:
    """What the text says. Lengths are metres, times seconds, the stage's tilt is degrees."""
    values = {key: value for section in sections(text).values() for key, value in section.items()}
    strip_rows = positive(values.get("ImageStripSize"))
    size = pixel_size(
        scaled(positive(values.get("PixelSizeY")), 1e9),
        scaled(positive(values.get("PixelSizeX")), 1e9),
        origin,
        "TESCAN PixelSizeX",
    )
    current = positive(values.get("PredictedBeamCurrent")) or positive(values.get("BeamCurrent"))
    date, time = values.get("Date", ""), values.get("Time", "")
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("Magnification")), origin),
        hv_kv=sourced(scaled(positive(values.get("HV")), 1e-3), origin),
        wd_mm=sourced(scaled(positive(values.get("WD")), 1e3), origin),
        detector=sourced(values.get("Detector"), origin),
        mode=sourced(values.get("ScanMode"), origin),
        tilt_deg=sourced(number(values.get("StageTilt", "")), origin),
        dwell_us=sourced(scaled(positive(values.get("DwellTime")), 1e6), origin),
        beam_current_na=sourced(scaled(current, 1e9), origin),
        instrument=sourced(values.get("Device"), origin),
        date=sourced(iso_date(f"{date} {time}", "%Y-%m-%d %H:%M:%S") or iso_date(date, "%Y-%m-%d"), origin),
    )
    return Record("TESCAN", size, acquisition, bar_below(shape[0] - strip_rows if strip_rows else None, shape))


def _text_blocks(value: object) -> str:
    """The text of the tag: blocks of a length (that counts the number), a number and content, the preview left out."""
    if not isinstance(value, bytes):
        return decoded(value)
    texts, position = [], 0
    while position + 6 <= len(value):
        length, kind = struct.unpack_from("<IH", value, position)
        if length < 2 or position + 4 + length > len(value):
            break
        if kind != _PREVIEW:
            texts.append(decoded(value[position + 6 : position + 4 + length]))
        position += 4 + length
    return "\n".join(texts) if texts else decoded(value)
