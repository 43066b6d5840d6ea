"""When a person is told of a target: once a file, and once as long as a stream shows it without a longer break."""

from __future__ import annotations

from morphoscope.apps.watching.source import Arrival

BREAK_S = 2.0
"""On the source's clock: what is seen again after such a break is news."""


class Sightings:
    """Tells news from what is still in view."""

    def __init__(self) -> None:
        self.count = 0
        self._last: float | None = None

    def is_news(self, arrival: Arrival) -> bool:
        """Whether this arrival, which shows the target, begins a sighting."""
        before, self._last = self._last, arrival.seconds
        is_news = arrival.is_file or before is None or arrival.seconds - before > BREAK_S
        self.count += is_news
        return is_news
