"""Who asks, by token or session, and what their role may do."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from morphoscope.apps.web.answers.server import Role
from morphoscope.apps.web.guards.rates import Buckets
from morphoscope.apps.web.refusal import RefusalError, refused
from morphoscope.apps.web.settings import ROLES, Token

COOKIE = "morphoscope_session"
OPEN_PATHS = {"/api/health", "/api/session", "/openapi.json", "/api/reference", "/api/reference.css"}
SESSION_SECONDS = 12 * 3600
_MOST_SESSIONS = 1000
_ANYONE = Token("local-machine-only", "local", "admin")


class Access:
    """The tokens of a server, and the sessions that a browser opened with one: a picture's address can't carry a token."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tuple(tokens)
        self._sessions: OrderedDict[str, tuple[Token, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._failures = Buckets(per_second=0.2, burst=20)

    def of_secret(self, secret: str) -> Token | None:
        """The token with that secret, found in a time that doesn't tell how near a guess was."""
        found = None
        for token in self.tokens:
            if hmac.compare_digest(token.secret.encode(), secret.encode("utf-8", "replace")):
                found = token
        return found

    def opened(self, token: Token) -> str:
        """A new session's word, for a cookie."""
        word = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[word] = (token, time.monotonic() + SESSION_SECONDS)
            while len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return word

    def closed(self, word: str) -> None:
        """Ends a session."""
        with self._lock:
            self._sessions.pop(word, None)

    def of(self, connection: HTTPConnection) -> Token | None:
        """Who asks; None for a stranger. Raises RefusalError (429) after many wrong tokens from one place."""
        if not self.tokens:
            return _ANYONE
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret:
            return self.tried(connection, secret.strip())
        with self._lock:
            token, until = self._sessions.get(connection.cookies.get(COOKIE, ""), (None, 0.0))
        return token if until > time.monotonic() else None

    def tried(self, connection: HTTPConnection, secret: str) -> Token | None:
        """The token with that secret. Raises RefusalError (429) after many wrong ones from one place."""
        token = self.of_secret(secret)
        if token is None and self._failures.seconds_to_wait(connection.client.host if connection.client else "unknown"):
            raise RefusalError(429, "Too many wrong tokens came from here; expected the right one. Wait a minute.", 60)
        return token


class TokenGate:
    """401 for strangers at everything but the page itself and what describes the API. Keeps who asks in `scope["state"]`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            who = self._access.of(HTTPConnection(scope))
        except RefusalError as refusal:
            await refused(refusal.status, refusal.sentence, refusal.retry_after)(scope, receive, send)
            return
        path = scope["path"]
        if who is None and path.startswith("/api/") and path not in OPEN_PATHS:
            sentence = (
                "No valid token was sent; expected the header 'Authorization: Bearer TOKEN'. Ask the server's keeper for one."
            )
            await refused(401, sentence)(scope, receive, send)
            return
        scope.setdefault("state", {})["who"] = who
        await self._app(scope, receive, send)


_bearer = HTTPBearer(auto_error=False, description="A token of `serve --token` or `--tokens`; none where the server has none.")


class Needs:
    """A route's dependency: the asker's role is at least this one. Gives the asker's token."""

    def __init__(self, role: Role) -> None:
        self._role: Role = role

    def __call__(self, request: Request, _: object = Depends(_bearer)) -> Token:
        who: Token | None = request.scope["state"].get("who")
        if who is None:
            raise RefusalError(401, "No valid token was sent; expected one. Ask the server's keeper for one.")
        if ROLES.index(who.role) < ROLES.index(self._role):
            raise RefusalError(
                403, f"'{who.name}' is {who.role}; expected the role {self._role} or above. Ask the server's keeper for it."
            )
        return who
