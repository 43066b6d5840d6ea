"""What the API says and takes of annotation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from morphoscope.apps.web.answers.pictures import TaskAnswer


class ClassDefinition(BaseModel):
    """examples: keys of pictures."""

    name: str
    definition: str
    examples: list[str]


class AnnotationTask(BaseModel):
    """multi_label: several classes can hold at once."""

    name: str
    classes: list[ClassDefinition]
    multi_label: bool


class TaskChange(BaseModel):
    """A change of one task's classes; earlier answers keep their words, and are read through the change.

    add: name, definition and examples. rename: name to `to[0]`. merge: name into `to[0]`. split: name into all of `to`.
    define: a new definition or examples for a class. several: whether several classes can hold at once (`multi_label`, which
    `add` takes too for a new task); where they can't any more, answers that name several are asked again.
    """

    task: str = Field(min_length=1, max_length=200)
    change: Literal["add", "rename", "merge", "split", "define", "several"]
    name: str = Field(default="", max_length=200)
    to: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(default=[], max_length=50)
    definition: str = Field(default="", max_length=4000)
    examples: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=50)
    multi_label: bool = False


class Queued(BaseModel):
    """The model's guess is not told before the answer."""

    key: str


class AnswerSheet(BaseModel):
    """A person's answer: the class, several joined by `|` where the task takes several, or null for unsure."""

    model_config = ConfigDict(populate_by_name=True)

    key: str = Field(max_length=40)
    task: str = Field(min_length=1, max_length=200)
    class_: str | None = Field(default=None, alias="class", max_length=2000)
    annotator: str = Field(min_length=1, max_length=100)


class Answered(BaseModel):
    """guess: what the model says, now that the person has answered."""

    id: int
    guess: TaskAnswer | None


class Pair(BaseModel):
    """Cohen's κ of two annotators over the n pictures both answered."""

    a: str
    b: str
    n: int
    kappa: float | None
    ci95: tuple[float, float] | None


class Agreement(BaseModel):
    """fleiss: Fleiss' κ over pictures that all annotators answered; per_class: the same for each class against the rest.

    Where several classes can hold at once, κ is pooled over the classes, each a yes-or-no question."""

    pairs: list[Pair]
    fleiss: float | None
    per_class: dict[str, float | None]


class Vote(BaseModel):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    annotator: str
    class_: str | None = Field(alias="class")


class Disagreement(BaseModel):
    key: str
    task: str
    votes: list[Vote]


class Adjudication(BaseModel):
    """The answer that counts from now on; several classes joined by `|` where the task takes several."""

    model_config = ConfigDict(populate_by_name=True)

    key: str = Field(max_length=40)
    task: str = Field(min_length=1, max_length=200)
    class_: str | None = Field(default=None, alias="class", max_length=2000)
    annotator: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=4000)


class Recorded(BaseModel):
    id: int
