"""Who may talk to a server on this machine: not another site's page in the same browser, by its own name or by a forged one."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from morphoscope.apps.web.refusal import refused
from morphoscope.apps.web.settings import is_loopback

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class SameOriginOnly:
    """Refuses names that a DNS rebinding would use, writes that come from another origin, and any use of the API by another
    site's page. Names matter where nothing else keeps strangers out: with tokens, a rebound name has no session, and a proxy in
    front may call the server what it likes."""

    def __init__(self, app: ASGIApp, host: str, has_tokens: bool = False) -> None:
        self._app, self._is_local = app, is_loopback(host) and not has_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (sentence := self._objection(scope)):
            await refused(403, sentence)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _objection(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name = _host_name(host)
        if self._is_local and (name is None or not is_loopback(name)):
            return "The request names another host; expected localhost or 127.0.0.1. Open the address that the server printed."
        is_api = scope["path"].startswith("/api/")
        if is_api and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return "Another site's page asks; expected the page of this server. Open its address in a tab of its own."
        origin = headers.get("origin")
        if scope["method"] not in _SAFE_METHODS and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return (
                "The request comes from another origin; expected the page of this server. Open its address in a tab of its own."
            )
        return ""


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
