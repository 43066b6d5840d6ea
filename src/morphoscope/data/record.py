"""A micrograph without its pixels as plain JSON values, for caches and reports."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.micrograph import Acquisition, Evidence, InformationBar, Micrograph, PixelSize, ScaleBar, Sourced


def micrograph_to_record(micrograph: Micrograph) -> dict[str, Any]:
    """All that is known of a picture but its pixels and its place on this disk."""
    record = {f.name: getattr(micrograph, f.name) for f in dataclasses.fields(micrograph) if f.name not in ("path", "pixels")}
    for name in ("pixel_size", "acquisition", "information_bar", "scale_bar"):
        record[name] = None if record[name] is None else dataclasses.asdict(record[name])
    return record | {"shape": list(micrograph.pixels.shape), "dtype": micrograph.pixels.dtype.name}


def micrograph_from_record(record: dict[str, Any], path: Path) -> Micrograph:
    """The micrograph with its true shape and dtype, whose pixels are a view on a single zero."""
    values = dict(record)
    pixels = np.broadcast_to(np.zeros((), values.pop("dtype")), values.pop("shape"))
    if size := values["pixel_size"]:
        evidence = tuple(Evidence(**one) for one in size["evidence"])
        values["pixel_size"] = PixelSize(size["y_nm"], size["x_nm"], size["origin"], evidence)
    settings = {name: Sourced(**sourced) for name, sourced in values["acquisition"].items() if sourced is not None}
    values["acquisition"] = Acquisition(**settings)
    if bar := values["information_bar"]:
        values["information_bar"] = InformationBar(**bar)
    if scale_bar := values["scale_bar"]:
        values["scale_bar"] = ScaleBar(**scale_bar)
    values["warnings"] = tuple(values["warnings"])
    return Micrograph(path=path, pixels=pixels, **values)


def without_pixels(micrograph: Micrograph) -> Micrograph:
    """The same with pixels that keep their shape and dtype but take no memory."""
    return dataclasses.replace(micrograph, pixels=np.broadcast_to(np.zeros((), micrograph.pixels.dtype), micrograph.pixels.shape))
