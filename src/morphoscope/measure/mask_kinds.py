"""What the numbers of a folder's masks mean: an object each, one for all objects, or a class each.

The same rule looks at all masks of a folder together, since one mask alone often fits several kinds:

1. No mask has more than one number beside 0: **binary**. Each connected piece is an object.
2. At most MOST_CLASSES different numbers over the folder, and of the pairs of a mask and one of its numbers at least
   SPLIT_SHARE come in several pieces: **multi-class**. Each connected piece of each class is an object.
3. Else **instance**: all pixels of a number are one object, in however many pieces.

Where every number is a single piece, the kinds mean the same objects, so a wrong guess costs nothing. Grey levels with soft
edges fit none of them and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from skimage.measure import label

from morphoscope.errors import MorphoscopeError

MaskKind = Literal["instance", "binary", "multi-class"]
MASK_KINDS: tuple[MaskKind, ...] = get_args(MaskKind)
MOST_CLASSES = 16
SPLIT_SHARE = 0.15
"""Of EMPS's instance maps 1 % of the numbers come in several pieces, where another particle lies across."""
SOFT_SHARE = 0.5
CRUMB_SHARE = 0.05
"""Pieces of less than this share of their number's largest one are slips of the brush: they tell nothing of the kind."""


@dataclass(frozen=True)
class MaskNumbers:
    """values: the numbers of a mask beside 0. n_pieces: of how many pieces each is, crumbs left out."""

    values: tuple[int, ...]
    n_pieces: tuple[int, ...]


def mask_numbers(mask: np.ndarray) -> MaskNumbers:
    """Looks at a mask (Y, X) of whole numbers, 0 = background; corners join."""
    pieces = _pieces(mask)
    area = np.bincount(pieces.ravel())[1:]
    if not len(area):
        return MaskNumbers((), ())
    value = np.zeros(len(area) + 1, np.int64)
    value[pieces.ravel()] = mask.ravel()
    values, index = np.unique(value[1:], return_inverse=True)
    largest = np.zeros(len(values))
    np.maximum.at(largest, index, area)
    counts = np.bincount(index[area >= CRUMB_SHARE * largest[index]], minlength=len(values))
    return MaskNumbers(tuple(map(int, values)), tuple(map(int, counts)))


def mask_kind(masks: Sequence[MaskNumbers], where: str) -> MaskKind:
    """The kind of all masks of a folder. Raises MorphoscopeError for grey levels; where: how its sentence begins."""
    if all(len(mask.values) <= 1 for mask in masks):
        return "binary"
    counts = np.array([count for mask in masks for count in mask.n_pieces])
    values = {value for mask in masks for value in mask.values}
    split = float((counts > 1).mean())
    if len(values) <= MOST_CLASSES:
        return "multi-class" if split >= SPLIT_SHARE else "instance"
    if split >= SOFT_SHARE:
        raise MorphoscopeError(
            f"{where}: found {len(values)} different numbers, most of them in several pieces; expected masks with a number an "
            f"object, one number for all, or a number for each of at most {MOST_CLASSES} classes. Save them without smoothing "
            "and without JPEG, or say what they are with --mask-kind."
        )
    return "instance"


def instances_of(mask: np.ndarray, kind: MaskKind) -> np.ndarray:
    """(Y, X) int32 instance map numbered 1 … K of a mask of a kind."""
    if kind == "instance":
        values, index = np.unique(mask, return_inverse=True)
        shift = 0 if values[0] == 0 else 1
        return (index.reshape(mask.shape) + shift).astype(np.int32)
    return _pieces(mask != 0 if kind == "binary" else mask).astype(np.int32)


def _pieces(mask: np.ndarray) -> np.ndarray:
    """(Y, X) numbers of the connected pieces of one value."""
    return label(mask.astype(np.int64), background=0, connectivity=2)
