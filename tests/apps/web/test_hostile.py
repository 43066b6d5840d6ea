"""Files that mean harm: a sentence, no effect, and the next picture is answered as ever."""

from __future__ import annotations

import dataclasses
import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from fastapi.testclient import TestClient
from PIL import Image
from tests.apps.web.conftest import LIMITS, Serve, sent

from morphoscope.apps.web.uploads import shown_name
from morphoscope.apps.web.workers.pool import WorkerPool
from morphoscope.errors import MorphoscopeError


def png_of(side: int) -> bytes:
    """A PNG that says it has `side`² pixels and holds a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def tiff_bomb() -> bytes:
    """A few kilobytes that unpack to 400 MB of zeros."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((20_000, 20_000), np.uint8), compression="zlib", compressionargs={"level": 9})
    return buffer.getvalue()


def gif_with_a_script() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((60, 60), np.uint8)).save(buffer, "GIF")
    return buffer.getvalue() + b"<script>alert(1)</script>"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
FILES: dict[str, Callable[[bytes], bytes]] = {
    "bomb.png": lambda good: png_of(60_000),
    "bomb.tif": lambda good: tiff_bomb(),
    "truncated.tif": lambda good: good[: len(good) // 3],
    "header only.tif": lambda good: good[:8],
    "empty.png": lambda good: b"",
    "drawing.svg": lambda good: SVG,
    "drawing.png": lambda good: SVG,
    "entities.xml": lambda good: ENTITIES,
    "page.tif": lambda good: b"<!doctype html><script>alert(1)</script>",
    "zeros.dm4": lambda good: bytes(5000),
    "pickle.tif": lambda good: b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
    "mrc.mrc": lambda good: struct.pack("<4i", 2**30, 2**30, 2**30, 2) + bytes(1008),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_gets_a_sentence(client: TestClient, micrograph_file: Path, name: str) -> None:
    content = FILES[name](micrograph_file.read_bytes())
    (upload,) = client.post("/api/uploads", files={"files": (name, content)}).raise_for_status().json()
    assert upload["key"] is None and upload["status"] == "error"
    assert upload["error"].startswith(name) and "morphoscope-uploads" not in upload["error"]
    (row,) = client.post("/api/predict", files={"files": (name, content)}).raise_for_status().json()
    assert row["status"] == "error" and row["error"] == upload["error"]
    assert client.post("/api/uploads", files=sent(micrograph_file)).json()[0]["status"] == "ok"


def test_a_polyglot_is_shown_as_the_picture_that_it_is(client: TestClient) -> None:
    (upload,) = client.post("/api/uploads", files={"files": ("both.gif", gif_with_a_script())}).json()
    answer = client.get(f"/api/pictures/{upload['key']}/thumbnail.webp")
    assert answer.headers["content-type"] == "image/webp" and b"script" not in answer.content


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/absolute/a.tif", "a.tif"),
        ("<img src=x onerror=alert(1)>.tif", "<img src=x onerror=alert(1)>.tif"),
        ("a\0b\x1b[31m.tif", "ab\N{REPLACEMENT CHARACTER}[31m.tif"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}fit.a", "\N{REPLACEMENT CHARACTER}fit.a"),
        ("", "unnamed"),
        ("..", ".."),
        ("x" * 5000 + ".tif", "x" * 200),
    ],
)
def test_names_are_words_and_never_paths(client: TestClient, micrograph_file: Path, name: str, shown: str) -> None:
    assert shown_name(name) == shown
    store = client.app.state.services.uploads  # type: ignore[attr-defined]
    upload = store.add(name, io.BytesIO(micrograph_file.read_bytes()))
    assert upload.path.parent.parent == store._folder and upload.path.name in ("picture", "picture.tif")
    store.remove(upload.key)


def test_keys_and_pages_lead_nowhere_else(client: TestClient) -> None:
    for path in ("..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "assets/..%2f..%2f__init__.py", "a%00b.js"):
        assert client.get(f"/{path}").status_code in (200, 404)
        assert "root:" not in client.get(f"/{path}").text and "import" not in client.get(f"/{path}").text
    for key in ("a1;drop", "u../x", "a" + "9" * 30, "u" + "0" * 24, "%2e%2e"):
        assert client.get(f"/api/pictures/{key}").status_code in (404, 422)


def test_too_many_pixels_are_refused_before_they_are_decoded(client: TestClient) -> None:
    (upload,) = client.post("/api/uploads", files={"files": ("bomb.png", png_of(20_000))}).json()
    assert "20000 × 20000" in upload["error"] and "3,000,000" in upload["error"]


@pytest.mark.skipif(sys.platform != "linux", reason="only here a process can be given so much memory and no more")
def test_a_worker_that_runs_out_of_memory_says_so(served: Serve) -> None:
    tight = served(limits=dataclasses.replace(LIMITS, decode_bytes=150 * 2**20, max_pixels=10**9))
    (upload,) = tight.post("/api/uploads", files={"files": ("bomb.tif", tiff_bomb())}).json()
    assert upload["status"] == "error" and ("memory" in upload["error"]), upload["error"]


def test_a_worker_that_is_too_slow_or_dies_is_replaced() -> None:
    with WorkerPool("tests.apps.web.odd_worker", 1, 2**30, seconds=1.0) as pool:
        assert pool.ask({"verb": "echo", "name": "a.tif", "word": "one"}).document == {"word": "one"}
        with pytest.raises(MorphoscopeError, match=r"a\.tif: it took longer than the 1 seconds"):
            pool.ask({"verb": "sleep", "name": "a.tif"})
        with pytest.raises(MorphoscopeError, match=r"b\.tif: reading it ended the process"):
            pool.ask({"verb": "die", "name": "b.tif"})
        with pytest.raises(MorphoscopeError, match=r"c\.tif: it can't be worked on"):
            pool.ask({"verb": "fail", "name": "c.tif"})
        assert pool.ask({"verb": "echo", "name": "a.tif", "word": "two"}).document == {"word": "two"}
