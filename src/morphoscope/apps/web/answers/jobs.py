"""What the API says and takes of jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

JobKind = Literal["train", "predict", "measure"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class JobOrder(BaseModel):
    """options: as on the command line without dashes (`{"images": "/data/set", "epochs": 5, "group": "sample"}`)."""

    kind: JobKind
    name: str = Field(default="", max_length=200)
    options: dict[str, str | int | float | bool | list[str]] = Field(default={}, max_length=40)


class JobMetrics(BaseModel):
    """Of one task, on held-out pictures; majority_accuracy is that of always guessing the most frequent class."""

    accuracy: float
    accuracy_ci95: tuple[float, float] | None
    majority_accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    n: int


class Job(BaseModel):
    """Times are ISO 8601 in UTC. error: the sentence of a failed job. progress: 0 to 1 where it is known."""

    id: str
    kind: JobKind
    name: str
    state: JobState
    options: dict[str, str | int | float | bool | list[str]]
    command: str
    created: str
    started: str | None
    ended: str | None
    progress: float | None
    error: str
    metrics: dict[str, JobMetrics]
    files: list[str]


class JobHistory(BaseModel):
    """history.csv so far, by column: one value an epoch, null where a cell is empty."""

    columns: dict[str, list[float | None]]


class ConfusionCell(BaseModel):
    """keys: of pictures in the cell that can be opened; paths: of all of them."""

    true: str
    predicted: str
    n: int
    paths: list[str]
    keys: list[str]


class Confusion(BaseModel):
    """matrix: rows = true, as in metrics.json; cells: the filled ones."""

    task: str
    classes: list[str]
    matrix: list[list[int]]
    cells: list[ConfusionCell]


class JobLog(BaseModel):
    """The last lines that the job wrote."""

    text: str
