"""Phenom desktop SEM: XML in TIFF tag 34683."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from morphoscope.io.formats.makers.values import (
    Shape,
    bar_below,
    decoded,
    in_si,
    length_nm,
    pixel_size,
    positive,
    scaled,
    sourced,
    xml_root,
)
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition

TAG = 34683


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the tag says of a picture of `shape` (rows, columns), or None without it."""
    return from_text(decoded(tags[TAG]), shape) if TAG in tags else None


def from_text(text: str, shape: Shape) -> Record:
    """What the XML says. Raises ParseError where it isn't XML."""
    values = {element.tag.rpartition("}")[2]: element for element in xml_root(text).iter()}
    bar_rows = positive(_written(values.get("databarHeight")))
    acquisition = Acquisition(
        hv_kv=sourced(scaled(in_si(_written(values.get("accelerationVoltage")), "V"), 1e-3), "header"),
        detector=sourced(_written(values.get("detector")), "header"),
        instrument=sourced(_written(values.get("edition")), "header"),
    )
    size = pixel_size(
        length_nm(_written(values.get("pixelHeight"))),
        length_nm(_written(values.get("pixelWidth"))),
        "header",
        "Phenom pixelWidth",
    )
    return Record("Phenom", size, acquisition, bar_below(shape[0] - bar_rows if bar_rows else None, shape))


def _written(element: Element | None) -> str:
    """`0.69 um` of `<pixelWidth unit="um">0.69</pixelWidth>`."""
    if element is None or element.text is None:
        return ""
    return f"{element.text.strip()} {element.get('unit', '')}".strip()
