"""What the API says and takes of watching live."""

from __future__ import annotations

from pydantic import BaseModel, Field

from morphoscope.apps.web.answers.pictures import Prediction


class WatchOrder(BaseModel):
    """source: a folder or video file below a folder of `--data`, a camera's number, or (with `--allow-rtsp`) an rtsp:// address.

    find: TASK=CLASS, or nothing. threshold: the probability that is enough; null: the model must be sure. existing: answer files
    that lie in the folder already, too.
    """

    source: str = Field(min_length=1, max_length=1000)
    find: str | None = Field(default=None, max_length=400)
    threshold: float | None = Field(default=None, ge=0, le=1)
    existing: bool = False
    pixel_size_nm: float | None = Field(default=None, gt=0, le=1e6)


class Watch(BaseModel):
    """A running watch. name: of its source, without a password."""

    id: str
    name: str
    find: str | None


class WatchSources(BaseModel):
    """What may be watched on this server. folders: those of `--data`, with their sub-folders and videos."""

    folders: list[str]
    rtsp: bool


class PlacesFound(BaseModel):
    """p: the class's probability at each place, row by row: the mean of the tiles that share it."""

    rows: int
    columns: int
    p: list[list[float]]


class PinnedFrame(BaseModel):
    """key: under which the frame can be opened."""

    key: str
    name: str


class WatchEvent(BaseModel):
    """One answered picture. error: why it could not be read. alert: a sentence where the target came into view."""

    frame: int
    name: str
    time: str
    latency_ms: float
    dropped: int
    fps: float
    prediction: Prediction | None
    error: str | None
    alert: str | None
    tiles: PlacesFound | None
    pinned: PinnedFrame | None


class FindOrder(BaseModel):
    """side: of a tile in px of the picture; null for what the model was trained on."""

    find: str = Field(min_length=1, max_length=400)
    threshold: float | None = Field(default=None, ge=0, le=1)
    side: int | None = Field(default=None, ge=32, le=8192)


class TiledMap(PlacesFound):
    """found: whether a place counts as found. tile_px: side of a place; tops, lefts: where rows and columns begin, in px of the
    specimen (the picture without an information bar). best: row and column to look at first."""

    target: str
    found: list[list[bool]]
    tile_px: int
    tops: list[int]
    lefts: list[int]
    best: tuple[int, int]
    seconds: float
