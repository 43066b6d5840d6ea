"""Which pages of a TIFF are frames: previews, pyramid levels and masks are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, overload

import numpy as np

from morphoscope.io.formats.makers import olympus

if TYPE_CHECKING:
    import tifffile


@dataclass(frozen=True)
class Frame:
    """One page, or one picture of a stack that a single page describes (ImageJ above 4 GB): then `offset` is its first byte."""

    page: tifffile.TiffPage
    offset: int | None = None

    def segments(self) -> list[tuple[int, int]]:
        """Where the pixels lie in the file: first byte and length of each strip or tile."""
        if self.offset is not None:
            return [(self.offset, self.page.nbytes)]
        return list(zip(self.page.dataoffsets, self.page.databytecounts, strict=False))

    def stored(self, tiff: tifffile.TiffFile) -> np.ndarray:
        """The values as stored, in the page's shape."""
        if self.offset is None:
            return self.page.asarray()
        dtype = np.dtype(self.page.dtype).newbyteorder(tiff.byteorder)
        return tiff.filehandle.read_array(dtype, self.page.size, self.offset).reshape(self.page.shape)


@dataclass(frozen=True)
class _Stack(Sequence[Frame]):
    """Frames of a uniform stack, parsed one by one when asked for: a thousand pages cost nothing until read."""

    tiff: tifffile.TiffFile
    length: int
    first_byte: int | None = None

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | Sequence[Frame]:
        if isinstance(index, slice):
            return [self[each] for each in range(self.length)[index]]
        if self.first_byte is None:
            return Frame(_page(self.tiff, index))
        page = self.tiff.pages.first
        return Frame(page, self.first_byte + index * page.nbytes)


def frames_of(tiff: tifffile.TiffFile) -> Sequence[Frame]:
    """The frames in order of the file, at least one."""
    pages = tiff.pages
    if len(pages) == 1:
        return _in_one_page(tiff) or [Frame(pages.first)]
    if _is_like_first(tiff, 1) and _is_like_first(tiff, len(pages) - 1):
        return _Stack(tiff, len(pages))
    every = [_page(tiff, index) for index in range(len(pages))]
    full = [page for page in every if not (page.is_reduced or page.is_mask)] or [pages.first]
    calibrated = [page for page in full if olympus.TAG in page.tags]
    height, width = max((page.imagelength, page.imagewidth) for page in full)
    large = [page for page in full if 2 * page.imagelength > height or 2 * page.imagewidth > width]
    return [Frame(page) for page in calibrated or large]


def _page(tiff: tifffile.TiffFile, index: int) -> tifffile.TiffPage:
    return cast("tifffile.TiffPage", tiff.pages[index])  # tifffile gives lighter frames only where asked to


def _is_like_first(tiff: tifffile.TiffFile, index: int) -> bool:
    """Whether a page is a further picture of the same kind as the first."""
    first, page = tiff.pages.first, _page(tiff, index)
    is_extra = page.is_reduced or page.is_mask or (olympus.TAG in page.tags) != (olympus.TAG in first.tags)
    return page.shape == first.shape and page.dtype == first.dtype and not is_extra


def _in_one_page(tiff: tifffile.TiffFile) -> Sequence[Frame] | None:
    """The stack that ImageJ, tifffile and MetaMorph write behind one page, or None."""
    if not (tiff.is_imagej or tiff.is_shaped or tiff.is_stk):
        return None
    page, series = tiff.pages.first, tiff.series[0]
    if series.dataoffset is None or page.compression != 1 or series.size <= page.size:
        return None
    return _Stack(tiff, series.size // page.size, series.dataoffset)
