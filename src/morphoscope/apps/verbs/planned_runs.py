"""Which runs a comparison needs, each with a key that only the same recipe, pictures, labels and split have."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from morphoscope.apps.verbs.contestants import Contestant
from morphoscope.apps.verbs.folder import Folder, FolderRequest
from morphoscope.apps.verbs.unfinished import beginning_of
from morphoscope.data.split import Fold
from morphoscope.training.comparison.run import Run


def planned_runs(
    ready: Sequence[Contestant],
    folds: Mapping[int, Sequence[Fold]],
    folder: Folder,
    request: FolderRequest,
    runs: Path,
    minutes: float | None,
    *,
    is_final: bool = False,
) -> list[Run]:
    """Every recipe with every seed on its folds, the recipes taking turns, so that an early stop has something of each.

    folds: by seed. is_final: the folds test untouched pictures, and have no number.
    """
    return [
        _run(one, fold, None if is_final else number, seed, folder, request, runs, minutes)
        for seed, of_seed in folds.items()
        for number, fold in enumerate(of_seed)
        for one in ready
    ]


def _run(
    one: Contestant,
    fold: Fold,
    number: int | None,
    seed: int,
    folder: Folder,
    request: FolderRequest,
    runs: Path,
    minutes: float | None,
) -> Run:
    recipe = one.recipe.model_copy(update={"seed": seed})
    begins_with = asdict(beginning_of(recipe, request, refit=False, ablate=False, folder=folder))
    parts = {part: [folder.names[row] for row in rows] for part, rows in fold.parts().items()}
    content = [begins_with, parts, minutes, version("morphoscope")]
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    where = "untouched" if number is None else f"fold{number}"
    name = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', one.label)[-60:]}-seed{seed}-{where}-{key[:12]}"
    return Run(one.label, recipe, fold, number, key, runs / name, minutes)
