"""The settings of an instrument as a list for the page."""

from __future__ import annotations

from dataclasses import fields

from morphoscope.apps.web.answers.pictures import Setting
from morphoscope.micrograph import Acquisition, Micrograph

_NAMES = {
    "magnification": ("magnification", "×"),
    "hv_kv": ("accelerating voltage", "kV"),
    "wd_mm": ("working distance", "mm"),
    "tilt_deg": ("tilt", "°"),
    "dwell_us": ("dwell time", "µs"),
    "beam_current_na": ("beam current", "nA"),
}


def settings_of(micrograph: Micrograph) -> list[Setting]:
    """What is known, each value with its unit and origin."""
    found = []
    for field in fields(Acquisition):
        sourced = getattr(micrograph.acquisition, field.name)
        if sourced is not None:
            name, unit = _NAMES.get(field.name, (field.name, ""))
            found.append(Setting(name=name, value=sourced.value, unit=unit, origin=sourced.origin))
    return found
