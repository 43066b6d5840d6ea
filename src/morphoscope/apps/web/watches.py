"""Watches that run in this server: each in a thread of its own, seen by any number of pages."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from morphoscope.apps.watching.answering import predictor_for, search_for
from morphoscope.apps.watching.watcher import Watched, Watcher
from morphoscope.apps.web.answers.live import PinnedFrame, PlacesFound, Watch, WatchEvent, WatchOrder
from morphoscope.apps.web.answers.pictures import Prediction
from morphoscope.apps.web.classifying import Classifier, task_answers
from morphoscope.apps.web.pinning import Pinning
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.watch_sources import source_of
from morphoscope.data.preprocessing import resample
from morphoscope.errors import MorphoscopeError
from morphoscope.inference.target import Target
from morphoscope.io.display import to_display
from morphoscope.micrograph import Micrograph

if TYPE_CHECKING:
    from morphoscope.apps.web.services import Services

MOST_AT_ONCE = 4
FORGOTTEN_S = 600.0
"""A watch that no page looks at for so long ends."""
FRAME_PX = 1024


@dataclass(frozen=True, eq=False)
class Moment:
    """The newest answered picture of a watch. number: counts up. event: as pages hear of it."""

    number: int
    watched: Watched
    event: WatchEvent


class RunningWatch:
    """One source being watched. Alerts wait until a page has heard of them; everything else is only the newest."""

    def __init__(self, identity: str, order: WatchOrder, services: Services) -> None:
        """Raises MorphoscopeError, RefusalError where it can't be begun."""
        classifier = services.desk.needed_classifier()
        bundle = classifier.bundle
        target = Target.parse(order.find, bundle.schema, order.threshold) if order.find else None
        source = source_of(order, services.settings)
        predictor = predictor_for(bundle, source, "auto")
        self.summary = Watch(id=identity, name=source.name, find=str(target) if target else None)
        self.ending: str | None = None
        """The sentence that the watch ended with."""
        self._classifier, self._pinning, self._target = classifier, Pinning(services), target
        self._watcher = Watcher(source, predictor, search_for(target, predictor, "auto") if target else None)
        self._changed = threading.Condition()
        self._moments: list[Moment] = []
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"watch {identity}", daemon=True)
        self._thread.start()

    def after(self, number: int, timeout: float) -> Moment | None:
        """The next moment worth telling to who has heard up to `number`: the oldest alert, else the newest. Waits for one."""
        with self._changed:
            self._looked_at = time.monotonic()
            self._changed.wait_for(lambda: self.ending is not None or self._newer(number), timeout)
            newer = self._newer(number)
            alerts = [moment for moment in newer if moment.event.alert or moment.event.pinned]
            return next(iter(alerts or newer[-1:]), None)

    def pin(self) -> PinnedFrame:
        """Keeps the newest frame. Raises MorphoscopeError, RefusalError where there is none."""
        return self._pinning.pin(self._newest().watched)

    def frame(self) -> np.ndarray:
        """(Y, X) uint8 of the newest picture, at most FRAME_PX on a side. Raises RefusalError (404)."""
        content = self._newest().watched.arrival.content
        if not isinstance(content, Micrograph):
            raise RefusalError(404, f"{content} There is no picture to show; expected one. Wait for the next.")
        zoom = min(1.0, FRAME_PX / max(content.pixels.shape))
        rows, columns = (max(1, round(zoom * length)) for length in content.pixels.shape)
        return to_display(resample(content.pixels, (rows, columns)))

    def stop(self) -> None:
        """Ends the watch and waits for it."""
        self._watcher.stop()
        self._thread.join(timeout=20)

    def is_forgotten(self) -> bool:
        return time.monotonic() - self._looked_at > FORGOTTEN_S

    def _newer(self, number: int) -> list[Moment]:
        return [moment for moment in self._moments if moment.number > number]

    def _newest(self) -> Moment:
        with self._changed:
            if not self._moments:
                raise RefusalError(404, "The watch has no picture yet; expected one. Wait for the first.")
            return self._moments[-1]

    def _run(self) -> None:
        ending = "The source has ended."
        try:
            for number, watched in enumerate(self._watcher, start=1):
                self._keep(Moment(number, watched, self._event(watched)))
                if self.is_forgotten():
                    ending = "No page looked at the watch any more, so it ended."
                    break
        except MorphoscopeError as error:
            ending = str(error)
        except Exception:
            logging.getLogger(__name__).exception("watch %s", self.summary.name)
            ending = "The watch stopped by a mistake of the server; expected it to go on. Its log says more: please report it."
        with self._changed:
            self.ending = ending
            self._changed.notify_all()

    def _keep(self, moment: Moment) -> None:
        """Beside the newest, a few alerts."""
        with self._changed:
            alerts = [one for one in self._moments if one.event.alert][-16:]
            self._moments = [*alerts, moment]
            self._changed.notify_all()

    def _event(self, watched: Watched) -> WatchEvent:
        alert, pinned = None, None
        if watched.is_news:
            alert = f"{self._target} {100 * watched.probability:.0f} % in {watched.arrival.name}"
            try:
                pinned = self._pinning.pin(watched)
            except MorphoscopeError as error:
                alert += f"; it could not be pinned: {error}"
        content = watched.arrival.content
        tiles = watched.tiles
        return WatchEvent(
            frame=watched.arrival.frame,
            name=watched.arrival.name,
            time=datetime.now().astimezone().isoformat(timespec="milliseconds"),
            latency_ms=round(watched.latency_ms, 1),
            dropped=watched.dropped,
            fps=round(watched.fps, 1),
            prediction=_prediction(self._classifier, watched),
            error=content if isinstance(content, str) else None,
            alert=alert,
            tiles=PlacesFound(rows=tiles.places.grid[0], columns=tiles.places.grid[1], p=tiles.p.round(4).tolist())
            if tiles
            else None,
            pinned=pinned,
        )


class Watches:
    """All of a server."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._running: dict[str, RunningWatch] = {}

    def start(self, order: WatchOrder) -> RunningWatch:
        """Begins a watch. Raises MorphoscopeError; RefusalError (503) where as many run as may."""
        with self._lock:
            self._forget()
            if len(self._running) >= MOST_AT_ONCE:
                raise RefusalError(503, f"{MOST_AT_ONCE} watches run already; expected fewer. End one, or wait.", 30)
            watch = RunningWatch(secrets.token_hex(8), order, self._services)
            self._running[watch.summary.id] = watch
            return watch

    def get(self, identity: str) -> RunningWatch:
        """Raises RefusalError (404)."""
        with self._lock:
            watch = self._running.get(identity)
        if watch is None:
            raise RefusalError(404, "There is no such watch; expected one that runs. Begin it again.")
        return watch

    def all(self) -> list[RunningWatch]:
        """Those that have not ended."""
        with self._lock:
            return [watch for watch in self._running.values() if watch.ending is None]

    def stop(self, identity: str) -> None:
        """Ends one. Raises RefusalError (404)."""
        watch = self.get(identity)
        watch.stop()
        with self._lock:
            self._running.pop(identity, None)

    def close(self) -> None:
        """Ends all."""
        with self._lock:
            running = list(self._running.values())
            self._running.clear()
        for watch in running:
            watch.stop()

    def _forget(self) -> None:
        for identity, watch in list(self._running.items()):
            if watch.is_forgotten():
                watch.stop()
            if watch.ending is not None:
                del self._running[identity]


def _prediction(classifier: Classifier, watched: Watched) -> Prediction | None:
    if watched.predicted is None:
        return None
    (row,) = classifier.rows(watched.predicted, [watched.arrival.name])
    novelty = row["novelty"]
    return Prediction(
        row=row,
        tasks=task_answers(watched.predicted.predictions, 0),
        novelty=novelty if isinstance(novelty, float) else None,
        is_final=True,
        seconds=watched.latency_ms / 1000,
    )
