"""Text files that JEOL, Hitachi and TESCAN put beside a picture of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from morphoscope.io.formats.makers import hitachi, jeol, tescan
from morphoscope.io.formats.makers.values import Shape, decoded
from morphoscope.io.record import Record

_LARGEST_BYTES = 1_000_000


def read_sidecar(path: Path, shape: Shape) -> tuple[Record | None, tuple[str, ...]]:
    """What the sidecar of a picture of `shape` (rows, columns) says, or None without one; and warnings where one can't be read.
    A text that no maker wrote is somebody's notes and no sidecar."""
    for sidecar in _candidates(path):
        try:
            text = decoded(sidecar.read_bytes())
            record = _record(text, shape)
        except Exception as error:  # a maker's odd text must not cost the picture
            return None, (f"The sidecar {sidecar.name} can't be read ({error!r}); its values are unknown.",)
        if record is not None:
            return record, ()
    return None, ()


def sidecars(path: Path) -> list[Path]:
    """The files beside a picture that may speak of it, whatever they hold."""
    return list(_candidates(path))


def _record(text: str, shape: Shape) -> Record | None:
    if hitachi.is_sidecar(text):
        return hitachi.from_sidecar(text, shape)
    if jeol.is_sidecar(text):
        return jeol.from_sidecar(text, shape)
    if tescan.is_sidecar(text):
        return tescan.from_text(text, shape, "sidecar")
    return None


def _candidates(path: Path) -> Iterator[Path]:
    """`a.txt`, `a.hdr`, TESCAN's `a-tif.hdr` and `a.tif.txt` for `a.tif`, each also in capitals."""
    extension = path.suffix.lstrip(".")
    for name in (f"{path.stem}.txt", f"{path.stem}.hdr", f"{path.stem}-{extension.lower()}.hdr", f"{path.name}.txt"):
        for spelling in (name, f"{name[:-3]}{name[-3:].upper()}"):
            sidecar = path.with_name(spelling)
            if sidecar.is_file() and 0 < sidecar.stat().st_size < _LARGEST_BYTES:
                yield sidecar
