"""OME-TIFF: OME-XML in the ImageDescription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from morphoscope.io.formats.makers.values import Shape, decoded, length_nm, pixel_size, sourced, xml_root
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition

DESCRIPTION = 270


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """The physical size of the first image, or None where the description isn't OME-XML. Without a unit it is in µm."""
    text = decoded(tags.get(DESCRIPTION, ""))
    if "<OME" not in text[:2000] and "openmicroscopy.org/Schemas/OME" not in text[:2000]:
        return None
    root = xml_root(text)
    pixels = root.find(".//{*}Pixels")
    microscope = root.find(".//{*}Instrument/{*}Microscope")
    acquired = root.findtext(".//{*}Image/{*}AcquisitionDate") or root.findtext(".//{*}Image/{*}AcquiredDate")
    size = None
    if pixels is not None:
        size = pixel_size(_side(pixels, "PhysicalSizeY"), _side(pixels, "PhysicalSizeX"), "header", "OME PhysicalSizeX")
    acquisition = Acquisition(
        instrument=sourced(microscope.get("Model") if microscope is not None else None, "header"),
        date=sourced(acquired, "header"),
    )
    return Record("OME", size, acquisition)


def _side(pixels: Element, name: str) -> float | None:
    return length_nm(f"{pixels.get(name, '')} {pixels.get(f'{name}Unit', 'µm')}")
