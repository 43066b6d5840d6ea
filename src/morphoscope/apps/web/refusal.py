"""A request that is not done, and the sentence that says why."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from morphoscope.errors import MorphoscopeError


class RefusalError(Exception):
    """Becomes an answer with this status. retry_after: seconds after which it may be asked again."""

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after


def refused(status: int, sentence: str, retry_after: int | None = None) -> JSONResponse:
    """The answer of a refusal."""
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"detail": sentence}, status, headers)


def answer_with_sentences(app: FastAPI) -> None:
    """Every error of a route becomes `{"detail": "one sentence"}`, and none shows a traceback."""
    app.add_exception_handler(RefusalError, _refusal)
    app.add_exception_handler(MorphoscopeError, _bad_input)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusalError)  # noqa: S101
    return refused(error.status, error.sentence, error.retry_after)


def _bad_input(request: Request, error: Exception) -> JSONResponse:
    return refused(422, str(error))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    parts = []
    for problem in error.errors()[:3]:
        place = ".".join(str(part) for part in problem["loc"] if part not in ("query", "body", "path")) or "the request"
        parts.append(f"{place}: {problem['msg'][:200]}")
    return refused(422, "; ".join(parts) + ". See /api/reference for what is expected.")


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    sentence = str(error.detail)
    if error.status_code == 404 and sentence == "Not Found":
        sentence = "There is nothing at this address; expected one of those listed at /api/reference."
    if error.status_code == 405:
        sentence = f"{request.method} is not done at this address; expected one of those listed at /api/reference."
    answer = refused(error.status_code, sentence)
    answer.headers.update(error.headers or {})
    return answer
