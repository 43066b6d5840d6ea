"""Text files that JEOL, Hitachi, TESCAN, SerialEM and Direct Electron put beside a picture of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from morphoscope.io.formats import tia
from morphoscope.io.formats.makers import direct_electron, hitachi, jeol, serialem, tescan
from morphoscope.io.formats.makers.values import OtherPictureError, Shape, decoded
from morphoscope.io.record import Record

_LARGEST_BYTES = 10_000_000


def read_sidecar(path: Path, shape: Shape, frame: int = 0) -> tuple[Record | None, tuple[str, ...]]:
    """What the sidecar says of a frame of `shape` (rows, columns), or None without one; and warnings where one can't be read
    or belongs to another picture. A text that no maker wrote is somebody's notes and no sidecar."""
    for sidecar in _candidates(path):
        try:
            record = _record(decoded(sidecar.read_bytes()), path, shape, frame)
        except OtherPictureError as error:
            return None, (
                f"The sidecar {sidecar.name} speaks of a picture of {error} pixels, this one has {shape[0]} × {shape[1]}: its "
                "values are left out. Is it another picture's? If this one was cropped, put its scale into a metadata sheet.",
            )
        except Exception as error:  # a maker's odd text must not cost the picture
            return None, (f"The sidecar {sidecar.name} can't be read ({error!r}); its values are unknown.",)
        if record is not None:
            return record, ()
    return None, ()


def sidecars(path: Path) -> list[Path]:
    """The files beside a picture that may speak of it, whatever they hold."""
    settings = tia.settings_file(path)
    return [*_candidates(path), *([settings] if settings else []), *tia.pixel_files(path)]


def _record(text: str, path: Path, shape: Shape, frame: int) -> Record | None:
    if hitachi.is_sidecar(text):
        return hitachi.from_sidecar(text, shape)
    if jeol.is_sidecar(text):
        return jeol.from_sidecar(text, shape)
    if tescan.is_sidecar(text):
        return tescan.from_text(text, shape, "sidecar")
    if serialem.is_sidecar(text):
        return serialem.from_sidecar(text, shape, frame)
    if direct_electron.is_sidecar(text):
        return direct_electron.from_sidecar(text, shape, path)
    return None


def _candidates(path: Path) -> Iterator[Path]:
    """`a.txt`, `a.hdr`, TESCAN's `a-tif.hdr`, `a.tif.txt`, `a.mdoc` and `a.tif.mdoc` for `a.tif`, and what a series of files
    shares, each also in capitals."""
    extension = path.suffix.lstrip(".")
    beside = (f"{path.stem}.txt", f"{path.stem}.hdr", f"{path.stem}-{extension.lower()}.hdr", f"{path.name}.txt")
    shared = direct_electron.sidecar_names(path.stem) if extension.lower() == "mrc" else ()
    for name in (*beside, f"{path.stem}.mdoc", f"{path.name}.mdoc", *shared):
        stem, _, suffix = name.rpartition(".")
        for spelling in (name, f"{stem}.{suffix.upper()}"):
            sidecar = path.with_name(spelling)
            if sidecar.is_file() and 0 < sidecar.stat().st_size < _LARGEST_BYTES:
                yield sidecar
