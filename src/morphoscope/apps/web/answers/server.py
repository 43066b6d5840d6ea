"""What the server says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Role = Literal["viewer", "annotator", "admin"]


class Refused(BaseModel):
    """Every error: one sentence that says what was found, what was expected and what to do."""

    detail: str


class TaskClasses(BaseModel):
    """A question that the model answers."""

    name: str
    classes: list[str]
    multi_label: bool


class ModelName(BaseModel):
    name: str
    tasks: list[str]


class ArchiveName(BaseModel):
    path: str
    pictures: int


class Health(BaseModel):
    """page: whether the built front end is there. token_needed: whether the asker has still to send a token."""

    status: Literal["ok"] = "ok"
    version: str
    model: ModelName | None
    archive: ArchiveName | None
    page: bool
    token_needed: bool


class ModelDescription(BaseModel):
    """threshold: the confidence of the conformal set, 0.9 for "holds the truth nine times in ten". sha: of the weights.

    explanations: the maps that can be laid over a picture; `attention` where the model has a transformer of global attention.
    """

    name: str
    tasks: list[TaskClasses]
    threshold: float
    sha: str
    explanations: list[Literal["heat-map", "attention"]]


class Session(BaseModel):
    """Who asks. needs_token: whether this server was started with tokens."""

    name: str | None
    role: Role | None
    needs_token: bool
