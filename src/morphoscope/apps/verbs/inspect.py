"""Inspect: what files say of themselves, one record a file, whether it could be read or not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from morphoscope.apps.verbs.arguments import Paths, as_paths
from morphoscope.apps.verbs.progress import bar
from morphoscope.calibration import conflicts, resolve
from morphoscope.errors import ReadError
from morphoscope.io import find_micrographs, read
from morphoscope.micrograph import Acquisition, Micrograph


def inspect(paths: Paths) -> list[dict[str, Any]]:
    """What picture files say: size, scale and its source, instrument settings, information bar.

        morphoscope.inspect("images")[0]["pixel_size_nm"]

    A plain dictionary a file, as in `morphoscope inspect --json`; one that can't be read has `status` error and the reason.
    Raises ReadError where a path is missing or a folder holds no picture.
    """
    files, rows = find_micrographs(as_paths(paths)), []
    with bar("Reading", len(files)) as progress:
        for path in files:
            rows.append(_inspected(path))
            progress(len(rows))
    return rows


def _inspected(path: Path) -> dict[str, Any]:
    try:
        return _row(path, resolve(read(path)))
    except ReadError as error:
        return _row(path, None) | {"status": "error", "error": str(error)}


def _row(path: Path, micrograph: Micrograph | None) -> dict[str, Any]:
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
