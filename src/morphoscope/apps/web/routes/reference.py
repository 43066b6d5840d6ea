"""The API's reference as a plain page: no script, nothing from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from morphoscope.apps.web.reference_page import STYLE, reference_page

router = APIRouter(include_in_schema=False)


@router.get("/api/reference")
def reference(request: Request) -> HTMLResponse:
    return HTMLResponse(reference_page(request.app.openapi()))


@router.get("/api/reference.css")
def style() -> Response:
    return Response(STYLE, media_type="text/css")
