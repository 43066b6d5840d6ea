"""Which instance map belongs to which picture: the same stem, or that stem with what other programs add to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from morphoscope.errors import ReadError, did_you_mean
from morphoscope.measure.outline_file import OUTLINE_SUFFIXES

SUFFIXES = (".png", ".tif", ".tiff", *OUTLINE_SUFFIXES, ".npy")

ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label", "_RoiSet", "_rois", "_seg")
"""What Cellpose, StarDist, ImageJ and napari users put after the picture's stem, the most wanted first."""


def match_instance_maps(pictures: Sequence[Path], folder: Path) -> dict[Path, Path | ReadError]:
    """For each picture the map of its stem in a folder or its sub-folders, or what is wrong.

    The bare stem goes before one with an ending of ENDINGS, and a picture is not its own map. Of several with that stem, the one
    whose own folders' names agree most with the picture's. Raises ReadError where the folder is missing or holds no map.
    """
    if not folder.is_dir():
        raise ReadError(f"--masks {folder}: found no such folder; expected one with instance maps. Check the spelling.")
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            by_stem[path.stem].append(path)
    by_stem = {stem: [path for path in paths if not _is_second_choice(path, paths)] for stem, paths in by_stem.items()}
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


def without_masks(pictures: Sequence[Path]) -> list[Path]:
    """The pictures less those that are maps of others among them: the same folder and stem, with an ending of ENDINGS."""
    stems = {(path.parent, path.stem) for path in pictures}
    endings = {path: next((ending for ending in ENDINGS if path.stem.endswith(ending)), "") for path in pictures}
    return [path for path, end in endings.items() if not (end and (path.parent, path.stem.removesuffix(end)) in stems)]


def _match(picture: Path, by_stem: dict[str, list[Path]], folder: Path) -> Path | ReadError:
    stems = (picture.stem, *(picture.stem + ending for ending in ENDINGS))
    home = picture.resolve()
    fitting = ([path for path in by_stem.get(stem, []) if path.resolve() != home] for stem in stems)
    candidates = next((paths for paths in fitting if paths), [])
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


def _is_second_choice(path: Path, paths: Sequence[Path]) -> bool:
    """Whether a picture of numbers lies beside outlines or an array of the same stem."""
    return path.suffix.lower() in (*OUTLINE_SUFFIXES, ".npy") and any(
        other.parent == path.parent and other.suffix.lower() not in (*OUTLINE_SUFFIXES, ".npy") for other in paths
    )


def _n_shared_folders(picture: Path, mask: Path) -> int:
    """How many folders just above both are called the same."""
    shared = 0
    for ours, theirs in zip(reversed(picture.parent.parts), reversed(mask.parent.parts), strict=False):
        if ours != theirs:
            break
        shared += 1
    return shared
