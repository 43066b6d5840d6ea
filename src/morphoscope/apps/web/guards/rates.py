"""How often one client may ask: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from morphoscope.apps.web.refusal import refused

_MOST_CLIENTS = 10_000


class Buckets:
    """A bucket a client: `burst` requests at once, `per_second` in the long run."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, client: str) -> float:
        """0 where the client may ask now, which counts; else how long until it may."""
        now = self._clock()
        left, since = self._left.pop(client, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_second)
        may = left >= 1
        self._left[client] = (left - may, now)
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        return 0.0 if may else (1 - left) / self._per_second


class RateLimit:
    """429 with Retry-After for a client that asks too often. Thumbnails and tiles have a bucket of their own; posts count in one
    of their own as well."""

    def __init__(self, app: ASGIApp, every: Buckets, costly: Buckets, pictures: Buckets) -> None:
        self._app, self._every, self._costly, self._pictures = app, every, costly, pictures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            client = (scope.get("client") or ("unknown", 0))[0]
            is_picture = scope["path"].endswith((".webp", "/hits"))
            wait = (self._pictures if is_picture else self._every).seconds_to_wait(client)
            if not wait and scope["method"] == "POST" and not is_picture:
                wait = self._costly.seconds_to_wait(client)
            if wait:
                sentence = "Too many requests came from here; expected fewer a second. Wait a moment and ask again."
                await refused(429, sentence, math.ceil(wait))(scope, receive, send)
                return
        await self._app(scope, receive, send)
