"""Answers what a source gives, picture by picture, and says when the target is in view."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from morphoscope.apps.watching.relay import Relay
from morphoscope.apps.watching.sightings import Sightings
from morphoscope.apps.watching.source import Arrival, Source
from morphoscope.data.tiles import is_worth_tiles
from morphoscope.inference.predictor import Predicted, Predictor
from morphoscope.inference.target import Target
from morphoscope.inference.tiling import TileMap, map_of, typical_view
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.predictions_table import Row, error_row, prediction_rows

RATE_S = 2.0
"""Frames per second are counted over so long."""


@dataclass(frozen=True, eq=False)
class Watched:
    """One picture with its answer. predicted: None where it can't be read. is_found: whether it shows the target; is_news:
    whether a person is to be told. dropped: frames left out so far. tiles: where the target lies, of large pictures."""

    arrival: Arrival
    row: Row
    predicted: Predicted | None
    latency_ms: float
    fps: float
    dropped: int
    is_found: bool = False
    is_news: bool = False
    probability: float = 0.0
    tiles: TileMap | None = None


@dataclass(frozen=True, eq=False)
class Search:
    """What is looked for. tiler: answers for parts of a picture. side: of a tile in px; None for what the model was trained on."""

    target: Target
    tiler: Predictor
    side: int | None = None


@dataclass
class Watcher:
    """Iterate over it once, in one thread; `stop` may come from any other."""

    source: Source
    predictor: Predictor
    search: Search | None = None
    sightings: Sightings = field(default_factory=Sightings)

    def __post_init__(self) -> None:
        self._relay = Relay(self.source)
        self._answered: deque[float] = deque()

    def stop(self) -> None:
        """Ends the watch after the picture at hand."""
        self._relay.stop()

    @property
    def dropped(self) -> int:
        return self._relay.dropped

    def __iter__(self) -> Iterator[Watched]:
        """Raises what the source raises."""
        with self._relay as arrivals:
            for arrival in arrivals:
                yield self._watched(arrival)

    def _watched(self, arrival: Arrival) -> Watched:
        if not (arrival.is_file or self.source.is_live):
            arrival = replace(arrival, taken=time.monotonic())  # that a recorded frame lay ready is no delay
        if isinstance(arrival.content, str):
            return self._finished(arrival, error_row(arrival.path, arrival.content), None)
        predicted = self.predictor.predict_micrographs([arrival.content])
        sizes = [arrival.content.pixel_size]
        (row,) = prediction_rows([arrival.path], predicted.predictions, sizes, predicted.novelty)
        return self._finished(arrival, row, predicted)

    def _finished(self, arrival: Arrival, row: Row, predicted: Predicted | None) -> Watched:
        found, probability, tiles = False, 0.0, None
        if self.search and predicted and isinstance(arrival.content, Micrograph):
            found, probability, tiles = _searched(self.search, arrival, arrival.content, predicted)
        now = time.monotonic()
        latency_ms = 1000 * (now - arrival.taken)
        row = row | _cells(arrival, latency_ms)
        if self.search and predicted:
            row |= {"found": str(self.search.target) if found else "", "found_p": f"{probability:.6g}"}
        is_news = found and self.sightings.is_news(arrival)
        return Watched(
            arrival, row, predicted, latency_ms, self._rate(now), self._relay.dropped, found, is_news, probability, tiles
        )

    def _rate(self, now: float) -> float:
        """Pictures answered a second, lately."""
        self._answered.append(now)
        while now - self._answered[0] > RATE_S:
            self._answered.popleft()
        span = now - self._answered[0]
        return (len(self._answered) - 1) / span if span > 0 else 0.0


def _searched(
    search: Search, arrival: Arrival, micrograph: Micrograph, predicted: Predicted
) -> tuple[bool, float, TileMap | None]:
    """Whether a picture shows the target, how probable that is, and, of a large file, where."""
    found = bool(search.target.is_found(predicted.predictions)[0])
    probability = float(search.target.probability(predicted.predictions)[0])
    side = search.side or typical_view(search.tiler).tile_side(micrograph)
    if not arrival.is_file or not is_worth_tiles(micrograph, side):
        return found, probability, None
    tiles = map_of(search.tiler, micrograph, search.target, side)
    return found or bool(tiles.is_found.any()), max(probability, float(tiles.p[tiles.best])), tiles


def _cells(arrival: Arrival, latency_ms: float) -> Row:
    cells = {
        "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
        "frame": str(arrival.frame),
        "latency_ms": f"{latency_ms:.1f}",
    }
    if arrival.version is None:
        return cells | {"seconds": f"{arrival.seconds:.3f}"}
    return cells | {"size_bytes": str(arrival.version.size), "modified": arrival.version.modified}
