from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.data.catalogue import Catalogue, Entry
from morphoscope.data.leakage import audit
from morphoscope.data.split import Fold, effective_groups, split
from morphoscope.errors import SplitError
from morphoscope.schema import Schema, Task

TASK = Task("Shape", ("Rod", "Sphere"))


def catalogue(cells: list[str]) -> Catalogue:
    entries = [Entry(Path(f"{i}.tif"), f"{i}.tif", {"Shape": (cell,) if cell else ()}) for i, cell in enumerate(cells)]
    return Catalogue(tuple(entries), Schema((TASK,)))


def test_a_sound_split_is_described() -> None:
    images = catalogue(["Rod", "Sphere", "Rod", "", "Rod", "Sphere", "Rod", "Sphere"])
    duplicates = np.array([0, 0, 1, 1, 2, 2, 3, 4])
    groups = effective_groups(duplicates)
    found = audit(images, split([images.truth("Shape")], groups, "80/20", 0), groups, duplicates)
    assert (found.n_groups, found.n_duplicate_groups, found.n_duplicates) == (5, 3, 6)
    assert [conflict.labels for conflict in found.label_conflicts] == [
        {"0.tif": "Rod", "1.tif": "Sphere"},
        {"4.tif": "Rod", "5.tif": "Sphere"},
    ]
    assert "Shape: 0.tif is 'Rod', 1.tif is 'Sphere'" in found.to_text()
    assert found.to_dict()["label_conflicts"][0]["task"] == "Shape"


@pytest.mark.parametrize(
    ("groups", "duplicates", "kind"), [([0, 0, 1], [0, 1, 2], "group"), ([0, 1, 2], [0, 1, 1], "set of near-duplicates")]
)
def test_what_straddles_is_refused(groups: list[int], duplicates: list[int], kind: str) -> None:
    fold = Fold(np.array([0]), np.array([1]), np.array([2]), 0, 0)
    with pytest.raises(SplitError, match=f"One {kind} lies in two parts"):
        audit(catalogue(["Rod"] * 3), [fold], np.array(groups), np.array(duplicates))


def test_an_image_in_two_parts_is_refused() -> None:
    fold = Fold(np.array([0, 1]), np.array([1]), np.array([2]), 0, 0)
    with pytest.raises(SplitError, match=r"1\.tif in train and 1\.tif in validation"):
        audit(catalogue(["Rod"] * 3), [fold], np.arange(3), np.arange(3))
