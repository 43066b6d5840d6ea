"""How much a request may send, counted as it comes: a missing or false Content-Length changes nothing."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from morphoscope.apps.web.refusal import refused

UPLOADS = ("/api/uploads", "/api/predict")


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """Answers 413 as soon as a body is longer than it may be: upload_bytes where files are sent, json_bytes elsewhere."""

    def __init__(self, app: ASGIApp, upload_bytes: int, json_bytes: int) -> None:
        self._app, self._upload_bytes, self._json_bytes = app, upload_bytes, json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._upload_bytes if scope["path"].rstrip("/") in UPLOADS else self._json_bytes
        refusal = refused(
            413, f"The request sends more than {most:,} bytes; expected less. Send fewer or smaller files at a time."
        )
        refusal.headers["Connection"] = "close"
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isdecimal() and int(stated) > most:
            await refusal(scope, receive, send)
            return
        taken, has_begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise _TooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal has_begun
            if taken > most and not has_begun:
                return  # what a parser makes of the cut
            has_begun = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLargeError:
            if has_begun:
                raise
        if taken > most and not has_begun:
            await refusal(scope, receive, send)
