"""Watching live: begin and end a watch, hear what it sees, keep a frame."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from fastapi.responses import StreamingResponse

from morphoscope.apps.web.answers.live import PinnedFrame, Watch, WatchOrder, WatchSources
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.services import ServicesOf
from morphoscope.apps.web.watches import RunningWatch, Watches
from morphoscope.apps.web.webp import webp

HEARTBEAT_S = 3.0
"""A page that went away is noticed within so long."""
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Server-sent events; the data of each is a WatchEvent"}
}


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    app.state.watches = Watches(app.state.services)
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(app.state.watches.close)


router = APIRouter(prefix="/api/live", tags=["live"], dependencies=[Depends(Needs("viewer"))], lifespan=_running)


def _watches(request: Request) -> Watches:
    found: Watches = request.app.state.watches
    return found


WatchesOf = Annotated[Watches, Depends(_watches)]
Identity = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]+$")]


@router.get("/sources")
def sources(services: ServicesOf) -> WatchSources:
    """What may be watched here."""
    return WatchSources(folders=[str(root) for root in services.settings.data], rtsp=services.settings.rtsp)


@router.get("")
def running(watches: WatchesOf) -> list[Watch]:
    """The watches that run."""
    return [watch.summary for watch in watches.all()]


@router.post("", dependencies=[Depends(Needs("annotator"))])
def begin(order: WatchOrder, watches: WatchesOf) -> Watch:
    """Begins a watch. It ends with its source, by DELETE, or when no page has looked at it for ten minutes."""
    return watches.start(order).summary


@router.get("/{identity}/events", response_class=StreamingResponse, responses=_EVENTS)
def events(identity: Identity, watches: WatchesOf) -> StreamingResponse:
    """What the watch sees: a page that is slow misses frames, but no alert. Ends with the event `end` and a sentence."""
    watch = watches.get(identity)
    return StreamingResponse(_told(watch), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get("/{identity}/frame.webp", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
def frame(identity: Identity, watches: WatchesOf) -> Response:
    """The newest picture, at most 1024 px on a side."""
    return webp(watches.get(identity).frame())


@router.post("/{identity}/pin", dependencies=[Depends(Needs("annotator"))])
def pin(identity: Identity, watches: WatchesOf) -> PinnedFrame:
    """Keeps the newest frame: in the archive where there is one, else as an upload of this session."""
    return watches.get(identity).pin()


@router.delete("/{identity}", status_code=204, dependencies=[Depends(Needs("annotator"))])
def end(identity: Identity, watches: WatchesOf) -> None:
    """Ends a watch."""
    watches.stop(identity)


def _told(watch: RunningWatch) -> Iterator[str]:
    """The stream of one page, as text/event-stream."""
    heard = 0
    yield ": watching\n\n"
    while True:
        moment = watch.after(heard, HEARTBEAT_S)
        if moment is not None:
            heard = moment.number
            yield f"id: {moment.number}\ndata: {moment.event.model_dump_json()}\n\n"
        elif watch.ending is not None:
            yield f"event: end\ndata: {' '.join(watch.ending.split())}\n\n"
            return
        else:
            yield ": still watching\n\n"
