"""FEI and Thermo Fisher SEM and FIB: INI text in TIFF tags 34680 and 34682."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import (
    Shape,
    bar_below,
    cross_checked,
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
from morphoscope.micrograph import Acquisition, PixelSize
from morphoscope.units import degrees

TAGS = (34682, 34680)
_Sections = dict[str, dict[str, str]]


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the tags say of a picture of `shape` (rows, columns), or None without these tags."""
    code = next((code for code in TAGS if code in tags), None)
    return None if code is None else from_text(decoded(tags[code]), shape)


def from_text(text: str, shape: Shape) -> Record:
    """What the INI text says. Angles are radians, lengths metres, times seconds."""
    ini = sections(text)
    beam, stage = ini.get(ini.get("Beam", {}).get("Beam", "EBeam"), {}), ini.get("Stage", {})
    scan = ini.get("Scan") or ini.get(ini.get("Beam", {}).get("Scan", "EScan"), {})
    field_width_m = positive(scan.get("HorFieldsize")) or positive(beam.get("HFW"))
    canvas_m = positive(ini.get("Image", {}).get("MagCanvasRealWidth"))
    magnification = scaled(canvas_m / field_width_m, 1) if canvas_m and field_width_m else None
    tilt = number(stage.get("StageT")) if "StageT" in stage else number(beam.get("StageTa"))
    user, detectors = ini.get("User", {}), ini.get("Detectors", {})
    acquisition = Acquisition(
        magnification=sourced(magnification, "header"),
        hv_kv=sourced(scaled(positive(ini.get("Beam", {}).get("HV")) or positive(beam.get("HV")), 1e-3), "header"),
        wd_mm=sourced(scaled(positive(beam.get("WD")) or positive(stage.get("WorkingDistance")), 1e3), "header"),
        detector=sourced(detectors.get("Name"), "header"),
        mode=sourced(detectors.get("Mode"), "header"),
        tilt_deg=sourced(None if tilt is None else degrees(tilt), "header"),
        dwell_us=sourced(scaled(positive(scan.get("Dwelltime")), 1e6), "header"),
        beam_current_na=sourced(scaled(positive(beam.get("BeamCurrent")), 1e9), "header"),
        spot=sourced(ini.get("Beam", {}).get("Spot"), "header"),
        instrument=sourced(ini.get("System", {}).get("SystemType"), "header"),
        date=sourced(_date(user.get("Date", ""), user.get("Time", "")), "header"),
    )
    image = ini.get("Image", {})
    is_whole = positive(image.get("ResolutionX")) == shape[1]
    bar = bar_below(positive(image.get("ResolutionY")), shape) if is_whole else None
    return Record("FEI/Thermo", _pixel_size(ini, scan, field_width_m, shape), acquisition, bar)


def _pixel_size(ini: _Sections, scan: dict[str, str], field_width_m: float | None, shape: Shape) -> PixelSize | None:
    size = pixel_size(
        scaled(positive(scan.get("PixelHeight")), 1e9),
        scaled(positive(scan.get("PixelWidth")), 1e9),
        "header",
        "FEI Scan.PixelWidth",
    )
    if size is not None:
        width_nm = None if field_width_m is None else field_width_m * 1e9 / shape[1]
        return cross_checked(size, "FEI field width over columns", width_nm)
    camera, image = ini.get("IRBeam", {}), ini.get("Image", {})  # a Nav-Cam photograph has no scan
    columns, rows = positive(image.get("ResolutionX")), positive(image.get("ResolutionY"))
    width, height = positive(camera.get("HFW")), positive(camera.get("VFW"))
    return pixel_size(
        height * 1e9 / rows if height and rows else None,
        width * 1e9 / columns if width and columns else None,
        "header",
        "FEI IRBeam.HFW over columns",
    )


def _date(date: str, time: str) -> str | None:
    return iso_date(f"{date} {time}", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S") or iso_date(date, "%m/%d/%Y")
