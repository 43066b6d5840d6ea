"""The built front end; where it is not built, `/` says what to do and the API runs on."""

from __future__ import annotations

import html
import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.services import PAGE

router = APIRouter(include_in_schema=False)

_FOREVER = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Morphoscope</title></head>
<body><main><h1>The page is not built</h1>
<p>REASON</p>
<p>The API runs: see <a href="/api/reference">its reference</a>. The page comes with the installed package; in a working copy,
build it with <code>python -m build</code> or <code>cd frontend &amp;&amp; npm ci &amp;&amp; npm run build</code>, and load this
address again.</p></main></body></html>
"""


@router.get("/{path:path}")
def page(request: Request, path: str) -> Response:
    """A file of the front end. Its own addresses (`/gallery`) all give the one page that shows them."""
    if path == "api" or path.startswith("api/"):
        raise RefusalError(404, "There is nothing at this address; expected one of those listed at /api/reference.")
    file = _file(path)
    if file is not None:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        cache = _FOREVER if path.startswith("assets/") else "no-cache"
        return FileResponse(file, media_type=kind, headers={"Cache-Control": cache})
    if Path(path).suffix:
        raise RefusalError(404, "There is no such file; expected a page. Open the address that the server printed.")
    index = PAGE / "index.html"
    if not index.is_file():
        return HTMLResponse(_NOT_BUILT.replace("REASON", html.escape(_reason())))
    return FileResponse(index, media_type="text/html", headers={"Cache-Control": "no-cache"})


def _reason() -> str:
    """What the build said when it could not make the page."""
    try:
        return (PAGE / "not-built.txt").read_text(encoding="utf-8")
    except OSError:
        return "This copy of Morphoscope came without it."


def _file(path: str) -> Path | None:
    """The file below the page's folder, and never one elsewhere."""
    if not path or "\0" in path:
        return None
    file = (PAGE / path).resolve()
    return file if file.is_relative_to(PAGE.resolve()) and file.is_file() else None
