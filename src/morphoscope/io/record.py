"""What one source (a maker's tag, a sidecar) says of a picture, and how the words of several sources become one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from morphoscope.micrograph import Acquisition, InformationBar, PixelSize


@dataclass(frozen=True)
class Record:
    """One source's word. `is_rounded` marks values printed for people (`x1.20k`): a fuller source is asked first.
    `is_diffraction`: the picture is a diffraction pattern, whose scale is reciprocal: `reciprocal_per_nm`, 1/nm a pixel."""

    maker: str
    pixel_size: PixelSize | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    information_bar: InformationBar | None = None
    is_rounded: bool = False
    is_diffraction: bool = False
    reciprocal_per_nm: float | None = None


def merged(records: Sequence[Record]) -> tuple[PixelSize | None, Acquisition, InformationBar | None]:
    """The first known value of every field; the pixel size keeps the evidence of all records."""
    ordered = sorted(records, key=lambda record: record.is_rounded)
    sizes = [record.pixel_size for record in ordered if record.pixel_size is not None]
    bars = [record.information_bar for record in ordered if record.information_bar is not None]
    acquisition = Acquisition()
    for record in reversed(ordered):
        acquisition = acquisition.overridden_by(record.acquisition)
    size = None
    if sizes:
        evidence = tuple(item for each in sizes for item in each.evidence)
        size = dataclasses.replace(sizes[0], evidence=evidence)
    return size, acquisition, bars[0] if bars else None
