"""The server: routes, what every request passes before them, and the page."""

from __future__ import annotations

import importlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware

from morphoscope import __version__
from morphoscope.apps.web.answers.server import Refused
from morphoscope.apps.web.guards.access import TokenGate
from morphoscope.apps.web.guards.bodies import BodyLimit
from morphoscope.apps.web.guards.headers import SafeHeaders
from morphoscope.apps.web.guards.origins import SameOriginOnly
from morphoscope.apps.web.guards.rates import Buckets, RateLimit
from morphoscope.apps.web.refusal import answer_with_sentences, refused
from morphoscope.apps.web.services import Services
from morphoscope.apps.web.settings import Settings, check_reach

ROUTES = (
    "morphoscope.apps.web.routes.health",
    "morphoscope.apps.web.routes.sessions",
    "morphoscope.apps.web.routes.predict",
    "morphoscope.apps.web.routes.uploads",
    "morphoscope.apps.web.routes.pictures",
    "morphoscope.apps.web.routes.scale",
    "morphoscope.apps.web.routes.analysis",
    "morphoscope.apps.web.routes.tiles",
    "morphoscope.apps.web.routes.archive",
    "morphoscope.apps.web.routes.export",
    "morphoscope.apps.web.routes.annotation",
    "morphoscope.apps.web.routes.agreement",
    "morphoscope.apps.web.routes.jobs",
    "morphoscope.apps.web.routes.find",
    "morphoscope.apps.web.routes.live",
    "morphoscope.apps.web.routes.reference",
    "morphoscope.apps.web.routes.page",  # last: it takes every address that is left
)
"""Modules that have a `router`."""

THREADS = 64
"""Requests that are worked on at once; most of them wait for a worker."""

_ERRORS = {
    401: "No valid token",
    403: "A role below the needed one, or another site's page",
    404: "No such thing",
    413: "Too large",
    422: "Bad usage or a picture that can't be read",
    429: "Too many requests",
    503: "Busy: ask again after Retry-After",
}


def create_app(settings: Settings) -> FastAPI:
    """The server as an ASGI application. Raises MorphoscopeError where it can't be started as asked."""
    check_reach(settings)
    services = Services.start(settings)
    limits = settings.limits

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await anyio.to_thread.run_sync(services.decoders.start)
        services.jobs.queue.start()
        with services:
            yield

    app = FastAPI(
        title="Morphoscope",
        version=__version__,
        summary="Electron micrographs: scale, classes, sizes, archive.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        responses={status: {"model": Refused, "description": text} for status, text in _ERRORS.items()},
        middleware=[
            Middleware(SafeHeaders),
            Middleware(SameOriginOnly, host=settings.host, has_tokens=bool(settings.tokens)),
            Middleware(
                RateLimit,
                every=Buckets(limits.per_second, limits.burst),
                costly=Buckets(limits.costly_per_second, limits.costly_burst),
                pictures=Buckets(limits.pictures_per_second, limits.pictures_burst),
            ),
            Middleware(TokenGate, access=services.access),
            Middleware(BodyLimit, upload_bytes=limits.upload_bytes, json_bytes=limits.json_bytes),
        ],
    )
    app.state.services = services
    answer_with_sentences(app)
    app.add_exception_handler(Exception, _unexpected)
    for name in ROUTES:
        app.include_router(importlib.import_module(name).router)
    return app


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logging.getLogger(__name__).error("%s %s", request.method, request.url.path, exc_info=error)
    return refused(500, "The server made a mistake; expected an answer. Its log says more: please report it.")
