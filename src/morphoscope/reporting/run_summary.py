"""Everything that a report shows of one training run: plain data, gathered by the run and drawn by `report`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from morphoscope.reporting.outcome import TaskOutcome

FUSED = "the whole model"
IMAGE_ONLY = "image only"
METADATA_ONLY = "metadata only"


@dataclass(frozen=True)
class DataSummary:
    """What the folder held. Counts are by name: `formats={"TIFF": 120}`, `bit_depths={"16-bit": 120}`, `makers={"FEI": 80}`."""

    n_images: int
    n_with_scale: int = 0
    pixel_size_range_nm: tuple[float, float] | None = None
    formats: Mapping[str, int] = field(default_factory=dict)
    bit_depths: Mapping[str, int] = field(default_factory=dict)
    makers: Mapping[str, int] = field(default_factory=dict)
    unreadable: Sequence[str] = ()
    """One sentence a file that could not be read."""
    channels: Mapping[str, int] = field(default_factory=dict)
    """Further inputs by name, with the pictures that have one: `{"spectrum": 96}`."""


@dataclass(frozen=True)
class TaskLabels:
    """One column of the label sheet: cells that matched a class, blank ones, and values that matched none with their counts.

    suggestions: unmatched value to the class it resembles.
    """

    task: str
    matched: int
    blank: int = 0
    unmatched: Mapping[str, int] = field(default_factory=dict)
    suggestions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelCheck:
    """How sheet and folder fit together, before any training. source: the sheet's name, or that of the class folders."""

    source: str
    tasks: Sequence[TaskLabels]
    images_without_row: Sequence[str] = ()
    rows_without_image: Sequence[str] = ()


@dataclass(frozen=True)
class Decision:
    """A choice that was made by looking at pictures, and at which: `Decision("early stopping", "validation", 52)`."""

    decision: str
    images: str
    n: int


@dataclass(frozen=True)
class SplitSummary:
    """Which pictures trained and which tested.

    n_images: by part (`training`, `validation`, `calibration`, `test`). counts: part to task to class to pictures.
    For repeated splits the parts are those of one fold, averaged.
    """

    protocol: str
    n_images: Mapping[str, int]
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    decisions: Sequence[Decision]
    group_column: str | None = None
    n_groups: int | None = None
    n_duplicates_held_together: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class RunSummary:
    """One training run and its outcome on N held-out rows (pictures, or pictures times repeats).

    outcomes: one a task, of the fused model. branch_outcomes: the same for parts of it, by a name such as `image only` or
    `metadata only, retrained`. names: (N,) of files. thumbnails: row to uint8 (Y, X). pixel_size_nm: (N,) of the stored
    picture, nan where unknown. group_names, folds: (N,) or None. history: a row an epoch with `epoch`, `train_loss`,
    `validation_loss`, `learning_rate`, `validation_accuracy[TASK]` a task, and `fold` where there are several.
    """

    title: str
    command: str
    started: datetime
    recipe: Mapping[str, Any]
    seed: int
    encoder: str
    n_parameters: int
    seconds_training: float
    seconds_inference_per_image: float
    peak_memory_mb: float
    versions: Mapping[str, str]
    data: DataSummary
    label_check: LabelCheck
    split: SplitSummary
    history: pd.DataFrame
    outcomes: Sequence[TaskOutcome]
    names: Sequence[str]
    thumbnails: Callable[[int], np.ndarray]
    pixel_size_nm: np.ndarray
    group_names: Sequence[str] | None = None
    folds: Sequence[int] | None = None
    branch_outcomes: Mapping[str, Sequence[TaskOutcome]] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def __post_init__(self) -> None:
        lengths = {"names": len(self.names), "pixel_size_nm": len(self.pixel_size_nm)}
        lengths |= {f"the outcome of {outcome.task.name}": len(outcome.truth) for outcome in self.outcomes}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"All rows of a run are the same pictures, found {lengths}.")
