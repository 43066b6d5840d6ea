"""The audit after a split: nothing straddles, what was held together, and duplicates whose labels disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from morphoscope.data.catalogue import Catalogue
from morphoscope.data.split import Fold
from morphoscope.errors import SplitError
from morphoscope.schema import CLASS_SEPARATOR

MAX_LISTED = 10


@dataclass(frozen=True)
class LabelConflict:
    """Near-duplicate images with different labels for a task: one of them is probably wrong. labels: image name to cell."""

    task: str
    labels: dict[str, str]

    def __str__(self) -> str:
        return f"{self.task}: " + ", ".join(f"{name} is '{cell}'" for name, cell in self.labels.items())


@dataclass(frozen=True)
class LeakageAudit:
    """n_groups: units that no split divides. n_duplicates: images among n_duplicate_groups sets of near-duplicates."""

    n_images: int
    n_groups: int
    n_duplicate_groups: int
    n_duplicates: int
    label_conflicts: tuple[LabelConflict, ...]
    n_leaking: int = 0
    """Test images that are themselves, or have a near-duplicate or another of their group, among those that training looked at;
    above 0 only where a recipe repeats a publication's split."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def to_text(self) -> str:
        """The audit for a terminal."""
        where = (
            f"training looked at {self.n_leaking} of the test images or their relatives, as published"
            if self.n_leaking
            else "none lies in two parts of a split"
        )
        lines = [f"{self.n_images} images in {self.n_groups} groups; {where}."]
        if self.n_duplicates:
            held = "" if self.n_leaking else ", held together"
            lines.append(f"  {self.n_duplicates} images are near-duplicates ({self.n_duplicate_groups} sets){held}.")
        if self.label_conflicts:
            lines.append(f"  {len(self.label_conflicts)} sets of near-duplicates have labels that disagree, probably errors:")
            lines += [f"    {conflict}" for conflict in self.label_conflicts[:MAX_LISTED]]
            hidden = len(self.label_conflicts) - MAX_LISTED
            lines += [f"    and {hidden} more"] if hidden > 0 else []
        return "\n".join(lines)


def audit(
    catalogue: Catalogue, folds: Sequence[Fold], groups: np.ndarray, duplicates: np.ndarray, *, is_strict: bool = True
) -> LeakageAudit:
    """What a split holds together. groups, duplicates: (N,) int, of effective_groups and near_duplicate_groups.

    Raises SplitError where an image, group or set of duplicates lies in two parts of a fold; where it is not strict, they are counted.
    """
    names = [entry.name for entry in catalogue.entries]
    for fold in folds if is_strict else ():
        for (first, a), (second, b) in combinations(fold.parts().items(), 2):
            for kind, ids in (("image", np.arange(len(names))), ("group", groups), ("set of near-duplicates", duplicates)):
                _refuse_straddling(kind, ids, (first, a), (second, b), names)
    sizes = np.bincount(duplicates)
    return LeakageAudit(
        n_images=len(names),
        n_groups=len(np.unique(groups)),
        n_duplicate_groups=int((sizes > 1).sum()),
        n_duplicates=int(sizes[sizes > 1].sum()),
        label_conflicts=tuple(_conflicts(catalogue, duplicates)),
        n_leaking=0 if is_strict else max(_leaking(fold, groups) for fold in folds),
    )


def _leaking(fold: Fold, groups: np.ndarray) -> int:
    """Test images whose group, of themselves alone where they are by themselves, trains or chooses too."""
    looked_at = np.concatenate([fold.train, fold.validation, fold.calibration])
    return int(np.isin(groups[fold.test], groups[looked_at]).sum())


def _refuse_straddling(
    kind: str, ids: np.ndarray, first: tuple[str, np.ndarray], second: tuple[str, np.ndarray], names: Sequence[str]
) -> None:
    shared = np.intersect1d(ids[first[1]], ids[second[1]])
    if len(shared):
        one, other = (indices[ids[indices] == shared[0]][0] for _, indices in (first, second))
        raise SplitError(
            f"One {kind} lies in two parts: {names[one]} in {first[0]} and {names[other]} in {second[0]}; "
            "expected parts that share nothing. Split again with these held together."
        )


def _conflicts(catalogue: Catalogue, duplicates: np.ndarray) -> list[LabelConflict]:
    order = np.argsort(duplicates, kind="stable")
    sets = np.split(order, np.flatnonzero(np.diff(duplicates[order])) + 1)
    conflicts = []
    for members in (members for members in sets if len(members) > 1):
        for task in catalogue.schema.tasks:
            entries = [catalogue.entries[i] for i in members]
            labels = {entry.name: CLASS_SEPARATOR.join(entry.labels.get(task.name, ())) for entry in entries}
            labels = {name: cell for name, cell in labels.items() if cell}
            if len(set(labels.values())) > 1:
                conflicts.append(LabelConflict(task.name, labels))
    return conflicts
