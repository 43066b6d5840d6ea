"""Found objects against true ones, and found ground against true ground. Everything here is of one picture; means are over pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class InstanceScore:
    """Of one picture at one IoU threshold: true positives, false positives, false negatives."""

    tp: int
    fp: int
    fn: int

    @property
    def average_precision(self) -> float:
        """TP / (TP + FP + FN), as StarDist and Cellpose define AP; 1 where there is nothing to find and nothing was found."""
        total = self.tp + self.fp + self.fn
        return self.tp / total if total else 1.0


def pair_ious(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(K, L) intersection over union of K true and L found objects of two maps (Y, X), in the order of their numbers."""
    true_numbers, true_index = np.unique(true, return_inverse=True)
    found_numbers, found_index = np.unique(found, return_inverse=True)
    table = np.zeros((len(true_numbers), len(found_numbers)), np.int64)
    np.add.at(table, (true_index.ravel(), found_index.ravel()), 1)
    union = table.sum(1, keepdims=True) + table.sum(0, keepdims=True) - table
    return (table / union)[np.ix_(true_numbers != 0, found_numbers != 0)]


def match_instances(true: np.ndarray, found: np.ndarray, iou: float = 0.5) -> InstanceScore:
    """Objects paired one to one so that as many pairs as possible reach the IoU."""
    ious = pair_ious(true, found)
    reached = ious >= iou
    # Few ties: the sum of IoU only decides between pairings of as many pairs.
    rows, columns = linear_sum_assignment(-(reached + ious / (2 * max(1, min(ious.shape)))))
    tp = int(reached[rows, columns].sum())
    return InstanceScore(tp, ious.shape[1] - tp, ious.shape[0] - tp)


def foreground_iou(true: np.ndarray, found: np.ndarray) -> float:
    """Intersection over union of all that is not background; 1 where both are empty."""
    true, found = true != 0, found != 0
    union = np.count_nonzero(true | found)
    return np.count_nonzero(true & found) / union if union else 1.0


def foreground_dice(true: np.ndarray, found: np.ndarray) -> float:
    """Dice coefficient of all that is not background; 1 where both are empty."""
    both = np.count_nonzero(true) + np.count_nonzero(found)
    return 2 * np.count_nonzero((true != 0) & (found != 0)) / both if both else 1.0


def row_averaged_iou(true: np.ndarray, found: np.ndarray) -> float:
    """Mean over the picture's rows of each row's IoU, what Lu et al. 2022 print as IoU. It favours pictures with empty rows:
    a row that is background in both counts as 1. For comparison with them only."""
    true, found = true != 0, found != 0
    union, overlap = (true | found).sum(1), (true & found).sum(1)
    return float(np.where(union, overlap / np.maximum(union, 1), 1.0).mean())


@dataclass(frozen=True)
class PictureScore:
    """Everything that is said of one picture. Errors are relative: |found - true| / true, None where no object is there.

    row_averaged_iou: see the function of that name."""

    n_true: int
    n_found: int
    ap50: float
    ap75: float
    iou: float
    dice: float
    row_averaged_iou: float
    count_error: float | None
    diameter_error: float | None


def score_picture(true: np.ndarray, found: np.ndarray) -> PictureScore:
    """Scores of a found map (Y, X) against the true one. Diameters are those of discs of equal area, their mean over objects."""
    true_areas, found_areas = _areas(true), _areas(found)
    has_objects = len(true_areas) > 0
    means = [float(np.sqrt(areas).mean()) if len(areas) else 0.0 for areas in (true_areas, found_areas)]
    return PictureScore(
        n_true=len(true_areas),
        n_found=len(found_areas),
        ap50=match_instances(true, found, 0.5).average_precision,
        ap75=match_instances(true, found, 0.75).average_precision,
        iou=foreground_iou(true, found),
        dice=foreground_dice(true, found),
        row_averaged_iou=row_averaged_iou(true, found),
        count_error=abs(len(found_areas) - len(true_areas)) / len(true_areas) if has_objects else None,
        diameter_error=abs(means[1] - means[0]) / means[0] if has_objects else None,
    )


def _areas(instance_map: np.ndarray) -> np.ndarray:
    """(K,) px of each object."""
    areas = np.bincount(instance_map.ravel())[1:]
    return areas[areas > 0]
