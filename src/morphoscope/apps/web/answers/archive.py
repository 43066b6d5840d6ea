"""What the API says of the archive."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from morphoscope.apps.web.answers.pictures import Hit


class Found(BaseModel):
    """total: of all pictures that fit, of which `hits` is one page."""

    total: int
    seconds: float
    hits: list[Hit]


class Hits(BaseModel):
    hits: list[Hit]


class Facets(BaseModel):
    """How many of the pictures that fit have each class; the ranges that sliders span (null where nothing is known)."""

    tasks: dict[str, dict[str, int]]
    ranges: dict[str, tuple[float, float] | None]
    makers: dict[str, int]
    folders: dict[str, int]
    total: int


class EmbeddingMap(BaseModel):
    """One point a picture; `class` is its best guess, or null."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    keys: list[str]
    x: list[float]
    y: list[float]
    class_: list[str | None] = Field(alias="class")
