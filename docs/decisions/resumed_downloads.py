"""How many bytes travel until a file is complete whose connection breaks once at 70 %: pooch against Morphoscope's downloader.

pip install pooch && python docs/decisions/resumed_downloads.py
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pooch

from morphoscope.data.public.data_set import RemoteFile
from morphoscope.data.public.download import download
from morphoscope.data.public.web import Web

BODY = bytes(range(256)) * 80_000
SHA256 = hashlib.sha256(BODY).hexdigest()
BREAK = 0.7


class Breaking(BaseHTTPRequestHandler):
    """Breaks the first connection; counts what it sends."""

    sent = 0
    is_broken = False

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(BODY) - start))
        self.send_header("ETag", '"1"')
        self.end_headers()
        part = BODY[start:] if Breaking.is_broken else BODY[start : int(BREAK * len(BODY))]
        self.close_connection = not Breaking.is_broken
        Breaking.is_broken = True
        self.wfile.write(part)
        Breaking.sent += len(part)

    def log_message(self, *_: object) -> None:
        pass


def with_pooch(url: str, folder: Path) -> None:
    pooch.create(path=folder, base_url=url, registry={"data.bin": f"sha256:{SHA256}"}, retry_if_failed=3).fetch("data.bin")


def with_morphoscope(url: str, folder: Path) -> None:
    file = RemoteFile("data.bin", f"{url}data.bin", PurePosixPath, checksum=f"sha256:{SHA256}")
    download(Web(), file, folder)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for way in (with_pooch, with_morphoscope):
        Breaking.sent, Breaking.is_broken = 0, False
        with tempfile.TemporaryDirectory() as folder:
            way(f"http://127.0.0.1:{server.server_address[1]}/", Path(folder))
        print(f"{way.__name__}: {Breaking.sent / len(BODY):.0%} of the file's bytes")
    server.shutdown()
