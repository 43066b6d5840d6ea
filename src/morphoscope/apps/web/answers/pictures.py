"""What the API says of one picture."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Cell = str | bool | float | None
Row = dict[str, Cell]
"""A row of one of the product's tables: text as text, numbers as numbers, an empty number as null."""


class Upload(BaseModel):
    """One file of an upload, in the order sent. key, width, height and dtype are null where it is no readable picture."""

    key: str | None
    name: str
    status: Literal["ok", "error"]
    error: str
    width: int | None = None
    height: int | None = None
    dtype: str | None = None
    bytes: int


class Setting(BaseModel):
    """A value that the file, its sidecar, the picture or a person states."""

    name: str
    value: str | float
    unit: str
    origin: str


class XY(BaseModel):
    x: float
    y: float


class Probability(BaseModel):
    name: str
    p: float


class TaskAnswer(BaseModel):
    """best: its guess always. answer: null where the model is not sure. set: holds the truth nine times in ten."""

    task: str
    best: str
    answer: str | None
    confidence: float
    set: list[str]
    classes: list[Probability]


class Prediction(BaseModel):
    """row: of predictions.csv. is_final: false while the picture's own scale bar has still to be read (`quick`).

    seconds: of decoding and of the model together.
    """

    row: Row
    tasks: list[TaskAnswer]
    novelty: float | None
    is_final: bool
    seconds: float


class Annotation(BaseModel):
    """A person's answer; `label` is null for unsure."""

    id: int
    task: str
    label: str | None
    annotator: str
    time: str
    is_adjudication: bool = False


class Picture(BaseModel):
    """prediction: the last one known, null where none was made."""

    key: str
    name: str
    path: str
    width: int
    height: int
    dtype: str
    metadata: list[Setting]
    pixel_size_nm: XY | None
    pixel_size_origin: str | None
    warnings: list[str]
    prediction: Prediction | None
    annotations: list[Annotation]


class EvidenceItem(BaseModel):
    source: str
    value_nm: float
    detail: str


class Bar(BaseModel):
    """The scale bar drawn into the picture, in stored pixels."""

    value_nm: float
    x0: float
    x1: float
    y: float


class Strip(BaseModel):
    """The maker's information bar, in stored pixels."""

    top: int
    height: int
    side: Literal["bottom", "top", "inside"]


class SetScale(BaseModel):
    """A person's word on the scale; null: it was taken back. annotator: blank where nobody said who they are."""

    pixel_size_nm: float | None
    annotator: str
    time: str


class Scale(BaseModel):
    """evidence: every source's word. conflicts: a sentence for each that disagrees with the one used.

    set_by: the person's word that holds; history: all of them, the first first. kept: where a word is kept, in the archive or
    until the server stops.
    """

    pixel_size_nm: XY | None
    origin: str | None
    evidence: list[EvidenceItem]
    conflicts: list[str]
    scale_bar: Bar | None
    information_bar: Strip | None
    set_by: SetScale | None
    history: list[SetScale]
    kept: Literal["archive", "session"]


class DrawnBar(BaseModel):
    """A person's word on the scale: the ends of the drawn bar with its length, or the pixel size; all empty takes it back.

    annotator: who says so, where the server has no tokens.
    """

    x0: float | None = None
    x1: float | None = None
    y: float | None = None
    value: float | None = None
    unit: str = "nm"
    pixel_size_nm: float | None = None
    annotator: str = Field(default="", max_length=100)


class Histogram(BaseModel):
    """counts: of the n - 1 classes between n edges. unit: nm, or px where the scale is unknown. quantity: what it is a
    histogram of."""

    edges: list[float]
    counts: list[float]
    unit: str
    quantity: str


class Objects(BaseModel):
    """outlines: (x, y) in stored pixels, an object a ring, in the order of `objects`, the rows of measurements.csv.

    summary: the picture's row of summary.csv. n_left_out: objects beyond those that are sent.
    """

    outlines: list[list[tuple[float, float]]]
    objects: list[Row]
    histogram: Histogram | None
    summary: Row
    n_left_out: int = 0


class Hit(BaseModel):
    """A picture of the archive as the gallery shows it."""

    key: str
    name: str
    path: str
    score: float | None
    width: int | None
    height: int | None
    pixel_size_nm: float | None
    classes: dict[str, BestClass]
    objects: int | None
    median_diameter_nm: float | None
    missing: bool


class BestClass(BaseModel):
    best: str
    confidence: float | None


class TileSource(BaseModel):
    """Deep Zoom numbering: level 0 is one pixel, `levels - 1` the picture. low, high: the grey levels shown as black and white
    unless a tile is asked for with others; histogram: of grey levels between minimum and maximum."""

    width: int
    height: int
    tile_size: int
    overlap: int
    levels: int
    low: float
    high: float
    minimum: float
    maximum: float
    histogram: list[int]


Hit.model_rebuild()
