"""TIFF tags to the words of the makers who wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from morphoscope.io.record import Record
from morphoscope.registry import Registry

if TYPE_CHECKING:
    import tifffile

MAKERS = Registry(
    "maker",
    {
        "FEI/Thermo": "morphoscope.io.formats.makers.fei:from_tags",
        "Phenom": "morphoscope.io.formats.makers.phenom:from_tags",
        "Zeiss SmartSEM": "morphoscope.io.formats.makers.zeiss:from_tags",
        "TESCAN": "morphoscope.io.formats.makers.tescan:from_tags",
        "Hitachi": "morphoscope.io.formats.makers.hitachi:from_tags",
        "JEOL SightX": "morphoscope.io.formats.makers.sightx:from_tags",
        "TVIPS": "morphoscope.io.formats.makers.tvips:from_tags",
        "Olympus SIS": "morphoscope.io.formats.makers.olympus:from_tags",
        "Gatan DigitalMicrograph": "morphoscope.io.formats.makers.gatan:from_tags",
        "OME": "morphoscope.io.formats.makers.ome:from_tags",
        "ImageJ": "morphoscope.io.formats.makers.imagej:from_tags",
    },
)

# Text that tifffile would parse in its own way; the makers' modules want it as written.
_AS_WRITTEN = {34118, 34680, 34682, 34683, 50431}


class PageTags(Mapping[int, Any]):
    """Tag number to value: text and binary as stored or as tifffile decodes it, read when asked for. The first page wins."""

    def __init__(self, pages: tuple[tifffile.TiffPage, ...]) -> None:
        self._tags = {tag.code: tag for page in reversed(pages) for tag in page.tags}
        self._files = pages[0].parent.filehandle

    def __getitem__(self, code: int) -> Any:
        tag = self._tags[code]
        if code not in _AS_WRITTEN:
            return tag.value
        self._files.seek(tag.valueoffset)
        return self._files.read(tag.valuebytecount)

    def __iter__(self) -> Iterator[int]:
        return iter(self._tags)

    def __len__(self) -> int:
        return len(self._tags)


def records_of(pages: tuple[tifffile.TiffPage, ...], shape: tuple[int, ...]) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The records of all makers whose tags the pages carry, and a warning for each that can't be read."""
    tags = PageTags(pages)
    records, unread = [], []
    for maker in MAKERS.names():
        try:
            record = MAKERS.load(maker)(tags, shape)
        except Exception as error:  # whatever a maker wrote must not cost the picture
            unread.append(f"The {maker} metadata can't be read ({error!r}); its values are unknown.")
            continue
        if record is not None:
            records.append(record)
    return tuple(records), tuple(unread)
