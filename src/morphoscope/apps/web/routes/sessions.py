"""A browser signs in once with its token; a cookie that scripts can't read stands for it from then on."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from morphoscope.apps.web.answers.server import Session
from morphoscope.apps.web.guards.access import COOKIE, SESSION_SECONDS
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.services import ServicesOf
from morphoscope.apps.web.settings import Token

router = APIRouter(prefix="/api/session", tags=["server"])


class SignIn(BaseModel):
    token: str = Field(min_length=1, max_length=1000)


@router.get("")
def session(request: Request, services: ServicesOf) -> Session:
    """Who asks."""
    return _session(request.scope["state"].get("who"), services)


@router.post("")
def sign_in(request: Request, response: Response, services: ServicesOf, sheet: SignIn) -> Session:
    """Opens a session with a token."""
    access = services.access
    if not access.tokens:
        return _session(request.scope["state"].get("who"), services)
    token = access.tried(request, sheet.token)
    if token is None:
        raise RefusalError(
            401, "This token is not known here; expected one that the server's keeper gave out. Check the spelling."
        )
    response.set_cookie(
        COOKIE,
        access.opened(token),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _session(token, services)


@router.delete("", status_code=204)
def sign_out(request: Request, response: Response, services: ServicesOf) -> None:
    """Ends the session."""
    services.access.closed(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def _session(who: Token | None, services: ServicesOf) -> Session:
    return Session(name=who.name if who else None, role=who.role if who else None, needs_token=bool(services.access.tokens))
