"""Instance maps as files: a picture of object numbers beside each micrograph."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import label

from morphoscope.errors import ReadError, did_you_mean
from morphoscope.io.detect import detect
from morphoscope.io.formats.decoder_log import diverted_log
from morphoscope.io.read import MAX_PIXELS, read

SUFFIXES = (".png", ".tif", ".tiff")

_WHAT = "expected an instance map: one grey channel of whole numbers, 0 for background and one number an object"
_HOW = "Save it as 16-bit grey PNG or TIFF."
_GREY_PNG, _GREY_TIFF = (0, 4), 1  # colour types and photometric interpretation


def read_instance_map(path: Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(Y, X) unsigned integers of a PNG or TIFF, 0 = background. Whole numbers stored as float or signed are taken too.

    Raises ReadError for what is unreadable, coloured, inverted, in several pages, fractional or negative.
    """
    micrograph = read(path, max_pixels=max_pixels)
    numbers = micrograph.pixels
    if micrograph.n_frames > 1:
        raise ReadError(f"{path}: found {micrograph.n_frames} pages; {_WHAT}. Save one page.")
    if not _is_grey(path):
        raise ReadError(f"{path}: found colours, a palette or inverted grey levels; {_WHAT}. {_HOW}")
    if numbers.dtype.kind == "u":
        return numbers
    lowest, highest = numbers.min(), numbers.max()
    if not (lowest >= 0 and highest < 2**32 and (numbers == np.rint(numbers)).all()):
        raise ReadError(f"{path}: found {numbers.dtype} values from {lowest:g} to {highest:g}; {_WHAT}. {_HOW}")
    return numbers.astype(np.uint32)


def n_pieces(instance_map: np.ndarray) -> int:
    """How many separate parts, corners joining, are not background."""
    return int(label(instance_map != 0, np.ones((3, 3)))[1])


def match_instance_maps(pictures: Sequence[Path], folder: Path) -> dict[Path, Path | ReadError]:
    """For each picture the map of the same stem in a folder or its sub-folders, or what is wrong.

    Of several with that stem, the one whose own folders' names agree most with the picture's.
    Raises ReadError where the folder is missing or holds no map.
    """
    if not folder.is_dir():
        raise ReadError(f"--masks {folder}: found no such folder; expected one with instance maps. Check the spelling.")
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            by_stem[path.stem].append(path)
    if not by_stem:
        raise ReadError(f"--masks {folder}: found no {', '.join(SUFFIXES)} file; expected instance maps. Name another folder.")
    matches = {picture: _match(picture, by_stem, folder) for picture in pictures}
    users = Counter(match for match in matches.values() if isinstance(match, Path))
    for picture, match in matches.items():
        if isinstance(match, Path) and users[match] > 1:
            matches[picture] = ReadError(
                f"{picture}: its mask {match} has the same stem as {users[match]} pictures; expected a mask for each. "
                "Put the masks in sub-folders called like those of the pictures, or measure one folder at a time."
            )
    return matches


def _match(picture: Path, by_stem: dict[str, list[Path]], folder: Path) -> Path | ReadError:
    candidates = by_stem.get(picture.stem, [])
    if not candidates:
        hint = did_you_mean(picture.stem, by_stem)
        return ReadError(
            f"{picture}: found no mask in {folder}; expected {picture.stem}.png or .tif there. "
            f"Add it, or leave the picture out.{hint}"
        )
    agreement = [_n_shared_folders(picture, candidate.relative_to(folder)) for candidate in candidates]
    best = [candidate for candidate, shared in zip(candidates, agreement, strict=True) if shared == max(agreement)]
    if len(best) > 1:
        return ReadError(
            f"{picture}: found {len(best)} masks, {best[0]} and {best[1]}; expected one of that stem. Remove the others."
        )
    return best[0]


def _n_shared_folders(picture: Path, mask: Path) -> int:
    """How many folders just above both are called the same."""
    shared = 0
    for ours, theirs in zip(reversed(picture.parent.parts), reversed(mask.parent.parts), strict=False):
        if ours != theirs:
            break
        shared += 1
    return shared


def _is_grey(path: Path) -> bool:
    """Whether the file stores plain grey levels. Expects that `read` took it."""
    kind = detect(path).name
    if kind == "png":
        with path.open("rb") as file:
            return file.read(26)[25] in _GREY_PNG
    if kind == "tiff":
        import tifffile

        with diverted_log(), tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            return page.photometric == _GREY_TIFF and page.samplesperpixel == 1
    return False
