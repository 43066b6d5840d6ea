"""How the instrument was set, from the words that RosettaSciIO maps every maker's to: kV, mm, degrees, µs and nA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import number, positive, scaled, sourced
from morphoscope.io.formats.rosetta import DataSet
from morphoscope.micrograph import Acquisition, Origin

_INSTRUMENTS = ("TEM", "SEM")


def mapped_acquisition(data_set: DataSet, origin: Origin = "header") -> Acquisition:
    """What the mapped settings say. Their lengths are mm, potentials kV, angles degrees, times seconds and currents nA."""
    found = {name: _value(data_set, name) for name in ("beam_energy", "magnification", "working_distance", "dwell_time")}
    stage: Any = _value(data_set, "Stage")
    tilt = stage.get("tilt_alpha") if isinstance(stage, Mapping) else None
    return Acquisition(
        magnification=sourced(positive(found["magnification"]), origin),
        hv_kv=sourced(positive(found["beam_energy"]), origin),
        wd_mm=sourced(positive(found["working_distance"]), origin),
        mode=sourced(_text(_value(data_set, "acquisition_mode")), origin),
        tilt_deg=sourced(number(tilt), origin),
        dwell_us=sourced(scaled(positive(found["dwell_time"]), 1e6), origin),
        beam_current_na=sourced(positive(_value(data_set, "beam_current")), origin),
        instrument=sourced(_text(_value(data_set, "microscope")), origin),
        date=sourced(_date(data_set), origin),
    )


def _value(data_set: DataSet, name: str) -> Any:
    values = (data_set.setting("Acquisition_instrument", kind, name) for kind in _INSTRUMENTS)
    return next((value for value in values if value is not None), None)


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _date(data_set: DataSet) -> str | None:
    date, time = data_set.setting("General", "date"), data_set.setting("General", "time")
    return f"{date}T{time}" if date and time else _text(date)
