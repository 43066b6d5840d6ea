"""What a run of a comparison leaves behind: one JSON file that is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from morphoscope.schema import Task

_FILE = "result.json"


class Answered(BaseModel):
    """rows: pictures asked. chosen: by task, the class numbers answered for each of them; one, or several of a multi-label task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: list[int]
    chosen: dict[str, list[list[int]]]

    def of(self, task: Task) -> np.ndarray:
        """(n, C) bool: what was answered."""
        picked = np.zeros((len(self.rows), len(task.classes)), dtype=bool)
        for row, classes in enumerate(self.chosen[task.name]):
            picked[row, classes] = True
        return picked


class RunResult(BaseModel):
    """fold: None for the fit whose test pictures are the untouched ones. images_per_second: answers of the network alone;
    training_images_per_second: of the fit. minutes: of the fit, interrupted attempts included. epochs: done; best_epoch: kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    recipe: str
    seed: int
    fold: int | None
    n_train: int
    n_validation: int
    parameters: int
    images_per_second: float
    training_images_per_second: float
    minutes: float
    epochs: int
    best_epoch: int
    train: Answered
    test: Answered

    def write(self, folder: Path) -> None:
        """Keeps it. Raises OSError."""
        part = folder / f"{_FILE}.part"
        part.write_text(self.model_dump_json(), encoding="utf-8")
        part.replace(folder / _FILE)


def read_result(folder: Path, key: str) -> RunResult | None:
    """The result of the run with that key, where it has ended; a damaged file counts as none."""
    try:
        result = RunResult.model_validate_json((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
    return result if result.key == key else None
