"""FEI TIA series: pixels in `name_1.ser`, `name_2.ser`, …, settings in the `name.emi` that belongs to all of them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from morphoscope.errors import ReadError
from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.makers.values import positive, quantity, scaled, sourced
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.micrograph import Acquisition, Origin

_MODULE, _MAKER = "tia", "FEI TIA"
_PATTERN_SIGNS = "[ ] * ?"
_SER_STEM = re.compile(r"(.+)_\d+")


def settings_file(path: Path) -> Path | None:
    """The .emi beside a .ser file, or None."""
    match = _SER_STEM.fullmatch(path.stem)
    if match is None or path.suffix.lower() != ".ser":
        return None
    return next((each for suffix in (".emi", ".EMI") if (each := path.with_name(match[1] + suffix)).is_file()), None)


def pixel_files(path: Path) -> list[Path]:
    """The .ser files of an .emi, in order of their numbers."""
    if path.suffix.lower() != ".emi":
        return []
    name = re.compile(rf"{re.escape(path.stem)}_(\d+)\.ser", re.IGNORECASE)
    found = [(int(match[1]), each) for each in path.parent.iterdir() if (match := name.fullmatch(each.name))]
    return [each for _, each in sorted(found)]


def _read_ser(path: Path, frame: int, max_pixels: int) -> Picture:
    emi = settings_file(path)
    settings, notes = _settings_beside(emi, path) if emi else (Acquisition(), ())
    with data_sets(path, _MODULE, "an FEI TIA series", lazy=True) as found:
        picture = picture_of(
            path, found, frame, max_pixels, maker=_MAKER, acquisition=lambda each: _acquisition(each).overridden_by(settings)
        )
    return dataclasses.replace(picture, warnings=(*picture.warnings, *notes))


def _settings_beside(emi: Path, ser: Path) -> tuple[Acquisition, tuple[str, ...]]:
    if _is_pattern(emi):
        return Acquisition(), (
            f"The name of {emi.name} holds one of {_PATTERN_SIGNS}, so its settings can't be read: rename it.",
        )
    try:
        with data_sets(emi, _MODULE, "an FEI TIA .emi file", lazy=True) as found:
            own = [each for each in found if each.setting("General", "original_filename") == ser.name]
            return _acquisition(own[0], "sidecar") if own else Acquisition(), ()
    except ReadError:
        raise
    except Exception as error:  # the settings must not cost the picture
        return Acquisition(), (f"The file {emi.name} can't be read ({error!r}); its settings are unknown.",)


def _read_emi(path: Path, frame: int, max_pixels: int) -> Picture:
    if not pixel_files(path):
        raise ReadError(
            f"{path}: found no {path.stem}_1.ser beside it; expected the .ser files that hold its pixels. "
            "Copy them into the same folder."
        )
    if _is_pattern(path):
        raise ReadError(
            f"{path}: its name holds one of {_PATTERN_SIGNS}, which RosettaSciIO takes for a pattern; expected a plain name. "
            "Rename the file and its .ser files, or read those."
        )
    with data_sets(path, _MODULE, "an FEI TIA .emi file", lazy=True) as found:
        return picture_of(path, found, frame, max_pixels, maker=_MAKER, acquisition=_acquisition)


def _is_pattern(path: Path) -> bool:
    return any(sign in path.stem for sign in _PATTERN_SIGNS.split())


def _acquisition(data_set: DataSet, origin: Origin = "header") -> Acquisition:
    dwell = quantity(data_set.stated("ObjectInfo.AcquireInfo.DwellTimePath") or "", "s")
    spot = data_set.stated("ObjectInfo.ExperimentalDescription.Spot size")
    return dataclasses.replace(
        mapped_acquisition(data_set, origin),
        dwell_us=sourced(scaled(positive(dwell[0]), 1e6) if dwell else None, origin),
        spot=sourced(None if spot is None else str(spot), origin),
    )


SER = FileFormat("ser", (".ser",), rb"II\x97\x01", _read_ser)
EMI = FileFormat("emi", (".emi",), rb"JK\x00\x02", _read_emi, is_part=lambda path: bool(pixel_files(path)))
