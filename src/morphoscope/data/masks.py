"""Pictures with masks of a user's own objects: found, checked and grouped, and read again when their pixels are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.calibration.resolve import resolve
from morphoscope.data.cache import content_hash
from morphoscope.data.columns import find_column
from morphoscope.data.duplicates import near_duplicate_groups, perceptual_hash
from morphoscope.data.label_table import ImageFolders, data_set_layout, find_images, read_label_sheets
from morphoscope.data.matching import merge_rows
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.split import effective_groups
from morphoscope.errors import LabelSheetError, MorphoscopeError, ReadError
from morphoscope.io.read import read
from morphoscope.measure.instance_map import read_instance_map
from morphoscope.measure.mask_kinds import MaskKind, MaskNumbers, instances_of, mask_kind, mask_numbers
from morphoscope.measure.mask_matching import match_instance_maps, without_masks
from morphoscope.micrograph import Micrograph

_LOOK = Preprocessing(0, 0, 512)


@dataclass(frozen=True)
class MaskRequest:
    """Which pictures, which masks, and which columns of which sheets keep pictures together. kind: None lets the rule decide."""

    images: tuple[Path, ...]
    masks: Path
    labels: tuple[Path, ...] = ()
    group: str | None = None
    sample: str | None = None
    kind: MaskKind | None = None


@dataclass(frozen=True, eq=False)
class MaskedPicture:
    """name: relative to its folder. n_objects: as the kind of the folder's masks counts them. signature: of near-duplicates."""

    path: Path
    name: str
    mask: Path
    group: str | None
    sample: str | None
    n_objects: int
    content: str
    signature: np.ndarray


@dataclass(frozen=True, eq=False)
class MaskedFolder:
    """pictures: with a fitting mask. groups: (N,) what no split divides. left_out: a sentence for each other picture."""

    pictures: tuple[MaskedPicture, ...]
    kind: MaskKind
    groups: np.ndarray
    left_out: tuple[str, ...]

    @property
    def n_objects(self) -> int:
        return sum(picture.n_objects for picture in self.pictures)

    def read(self, row: int) -> tuple[Micrograph, np.ndarray]:
        """A picture and its instance map (Y, X) int32, numbered 1 … K. Raises MorphoscopeError where they have changed since."""
        picture = self.pictures[row]
        micrograph, mask = _read_pair(picture.path, picture.mask)
        return micrograph, instances_of(mask, self.kind)


def read_masked_folder(request: MaskRequest, progress: Callable[[int, int], None] = lambda done, total: None) -> MaskedFolder:
    """Looks at every picture and its mask once. progress: takes how many are done, of how many.

    Pictures without a mask, with one of another size, or unreadable are left out with a sentence. Raises MorphoscopeError for
    sheets that contradict themselves, grey masks, and where no picture or no object is left.
    """
    folders = _pictures(request)
    cells = _group_cells(request, folders)
    matches = match_instance_maps(folders.paths, request.masks)
    seen: list[tuple[MaskedPicture, MaskNumbers]] = []
    left_out: list[str] = []
    for done, (path, name) in enumerate(zip(folders.paths, folders.names, strict=True), start=1):
        found, of_sheet = matches[path], cells.get(done - 1, {})
        try:
            if isinstance(found, ReadError):
                raise found
            seen.append(_looked_at(path, name, found, of_sheet.get("group"), of_sheet.get("sample")))
        except MorphoscopeError as error:
            left_out.append(str(error))
        progress(done, len(folders.paths))
    if not seen:
        raise MorphoscopeError(
            f"--masks {request.masks}: none of {len(folders.paths)} pictures has a mask that fits; expected masks of the pictures' "
            f"stems and sizes. The first one: {left_out[0]}"
        )
    kind = request.kind or mask_kind([numbers for _, numbers in seen], f"--masks {request.masks}")
    pictures = tuple(
        dataclasses.replace(one, n_objects=len(n.values) if kind == "instance" else sum(n.n_pieces)) for one, n in seen
    )
    if not any(picture.n_objects for picture in pictures):
        raise MorphoscopeError(
            f"--masks {request.masks}: all {len(pictures)} masks are empty; expected objects, marked by numbers above 0. "
            "Mark some, or name another folder."
        )
    duplicates = near_duplicate_groups(np.stack([picture.signature for picture in pictures]))
    named = ([p.group for p in pictures], [p.sample for p in pictures], [p.content for p in pictures], duplicates)
    return MaskedFolder(pictures, kind, effective_groups(*named), tuple(left_out))


def _pictures(request: MaskRequest) -> ImageFolders:
    """The pictures without the masks, where these lie in a sub-folder or, with an ending such as `_mask`, beside them."""
    roots, _, _ = data_set_layout(request.images, request.labels)
    found, home = find_images(roots), request.masks.resolve()
    pictures = set(without_masks(found.paths))
    elsewhere = {path for path in pictures if home not in path.resolve().parents}
    if not elsewhere and len(pictures) < len(found.paths):
        elsewhere = pictures
    kept = [row for row, path in enumerate(found.paths) if path in elsewhere]
    if not kept:
        raise ReadError(
            f"--masks {request.masks}: the pictures lie in it as well; expected masks in a folder of their own. Move them to one."
        )
    kept_before = lambda start: sum(row < start for row in kept)  # noqa: E731
    return ImageFolders(
        found.roots,
        tuple(found.paths[row] for row in kept),
        tuple(found.names[row] for row in kept),
        tuple(kept_before(start) for start in found.starts),
    )


def _group_cells(request: MaskRequest, folders: ImageFolders) -> dict[int, dict[str, str]]:
    """Picture to its `group` and `sample`, where a sheet tells them."""
    asked = {"group": request.group, "sample": request.sample}
    wanted = {role: column for role, column in asked.items() if column}
    sheets = list(request.labels) or data_set_layout(request.images, ())[1]
    if not wanted:
        if request.labels:
            raise LabelSheetError(
                f"--labels {request.labels[0]}: with --masks a sheet only tells which pictures belong together, and no column is "
                "named; expected one. Add --group COLUMN, or leave --labels out."
            )
        return {}
    if not sheets:
        option, column = next((role, column) for role, column in wanted.items())
        raise LabelSheetError(
            f"--{option} {column}: no sheet is named that has this column; expected one. Add --labels SHEET, or leave --{option} out."
        )
    table = read_label_sheets(folders, sheets)
    columns = {role: find_column(name, list(table.columns), table.source, f"--{role}") for role, name in wanted.items()}
    merged, _ = merge_rows(table.rows, list(dict.fromkeys(columns.values())), folders.names)
    return {
        image: {role: cells[column] for role, column in columns.items() if column in cells} for image, cells in merged.items()
    }


def _looked_at(
    path: Path, name: str, mask_path: Path, group: str | None, sample: str | None
) -> tuple[MaskedPicture, MaskNumbers]:
    micrograph, mask = _read_pair(path, mask_path)
    signature = perceptual_hash(_LOOK.working_copy(micrograph))
    return MaskedPicture(path, name, mask_path, group, sample, 0, content_hash(path), signature), mask_numbers(mask)


def _read_pair(path: Path, mask_path: Path) -> tuple[Micrograph, np.ndarray]:
    micrograph = resolve(read(path))
    height, width = micrograph.pixels.shape
    mask = read_instance_map(mask_path, shape=(height, width))
    if mask.shape != micrograph.pixels.shape:
        found, expected = (" x ".join(map(str, shape)) for shape in (mask.shape, micrograph.pixels.shape))
        raise ReadError(
            f"{path}: its mask {mask_path} has {found} px; expected the picture's {expected}. Draw the mask on the whole picture "
            "as it is stored, with its information bar."
        )
    return micrograph, mask


def without_objects(pictures: Sequence[MaskedPicture]) -> int:
    """How many masks are empty."""
    return sum(picture.n_objects == 0 for picture in pictures)
