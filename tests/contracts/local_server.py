"""A repository on 127.0.0.1 that behaves as told: it can break off, ignore ranges, be busy, or send a log-in page."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """A file. breaks: of the first answers, the share of the body after which each breaks off. statuses: of the first answers.
    ranges: whether it can go on in the middle. etag: of this version; empty for none. stalls_s: before the body."""

    body: bytes
    kind: str = "application/octet-stream"
    breaks: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    etag: str = '"1"'
    stalls_s: float = 0.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Whoever asks may hang up."""


class Repository:
    """files: `HOST/PATH?QUERY` to what is served. asked: (address, Range header) of every request."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str]] = []
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, files: dict[str, bytes]) -> None:
        self.files |= {address: Served(body) for address, body in files.items()}

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def ranges_of(self, name: str) -> list[str]:
        """The Range headers with which a file was asked for."""
        return [asked for address, asked in self.asked if name in address]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                repository._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        address, asked = request.path.lstrip("/"), request.headers.get("Range", "")
        self.asked.append((address, asked))
        served = self.files.get(address)
        if served is None:
            request.send_error(404)
            return
        if served.statuses and (status := served.statuses.pop(0)) != 200:
            request.send_error(status)
            return
        _send(request, served, asked, self.stopping)


def _send(request: BaseHTTPRequestHandler, served: Served, asked: str, stopping: threading.Event) -> None:
    start, total = 0, len(served.body)
    condition = request.headers.get("If-Range")
    if asked and served.ranges and condition in (None, served.etag):
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])  # type: ignore[index]
        if start >= total:
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{total}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
    else:
        request.send_response(200)
    request.send_header("Content-Type", served.kind)
    request.send_header("Content-Length", str(total - start))
    if served.etag:
        request.send_header("ETag", served.etag)
    request.end_headers()
    end = int(served.breaks.pop(0) * total) if served.breaks else total
    if served.stalls_s:
        stopping.wait(served.stalls_s)
    request.wfile.write(served.body[start : max(start, end)])
    if end < total:
        request.close_connection = True
