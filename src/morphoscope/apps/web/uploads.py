"""Files that a browser sent, kept for a while in a bounded folder under names of the server's own."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from morphoscope.apps.web.refusal import RefusalError
from morphoscope.io.detect import extensions

LONGEST_NAME = 200
_SIDECAR_SUFFIXES = {".txt", ".hdr", ".mdoc"}
_CHUNK = 2**20


@dataclass(frozen=True)
class Upload:
    """name: what the person calls the file, for showing; path: where it lies, under a name of ours."""

    key: str
    name: str
    path: Path
    n_bytes: int


def shown_name(name: str | None) -> str:
    """The last part of a name that a browser sent, without characters that control terminals or pages' direction."""
    last = PureWindowsPath(PurePosixPath((name or "").replace("\0", "")).name).name
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in last)
    return printable[:LONGEST_NAME] or "unnamed"


class UploadStore:
    """Where the room ends, the uploads that were used longest ago go first. The folder goes with the server."""

    def __init__(self, most_bytes: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="morphoscope-uploads-"))
        self._most_bytes, self._lock = most_bytes, threading.Lock()
        self._kept: OrderedDict[str, Upload] = OrderedDict()

    def add(self, name: str | None, file: BinaryIO, sidecars: Sequence[tuple[str, BinaryIO]] = ()) -> Upload:
        """Keeps a file. sidecars: texts that lie beside it, with their suffix (`.txt`); RefusalError (413) where there is no room."""
        key = f"u{secrets.token_hex(12)}"
        folder = self._folder / key
        folder.mkdir()
        shown = shown_name(name)
        suffix = Path(shown).suffix.lower()
        path = folder / f"picture{suffix if suffix in extensions() else ''}"
        try:
            n_bytes = _copied(file, path, self._most_bytes)
            for ending, text in sidecars:
                _copied(text, folder / f"picture{ending}", self._most_bytes)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        upload = Upload(key, shown, path, n_bytes)
        with self._lock:
            self._kept[key] = upload
        self._make_room()
        return upload

    def get(self, key: str) -> Upload | None:
        """The upload of that key, now the one used last."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def remove(self, key: str) -> None:
        """Forgets an upload."""
        with self._lock:
            upload = self._kept.pop(key, None)
        if upload:
            shutil.rmtree(upload.path.parent, ignore_errors=True)

    def close(self) -> None:
        """Removes everything."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make_room(self) -> None:
        while True:
            with self._lock:
                held = sum(upload.n_bytes for upload in self._kept.values())
                if held <= self._most_bytes or len(self._kept) < 2:
                    return
                oldest = next(iter(self._kept))
            self.remove(oldest)


def sidecar_suffix(name: str | None) -> str | None:
    """`.txt` for a text that may say something of a picture of the same stem; None for what is no such text."""
    suffix = Path(shown_name(name)).suffix.lower()
    return suffix if suffix in _SIDECAR_SUFFIXES else None


def stem_of(name: str | None) -> str:
    """What a picture and its sidecar have in common: `a` of `a.tif`, `a.txt`, `a.tif.txt` and TESCAN's `a-tif.hdr`."""
    stem = Path(shown_name(name)).stem
    return re.sub(r"(\.|-)[A-Za-z0-9]{2,5}$", "", stem) if sidecar_suffix(name) else stem


def _copied(file: BinaryIO, path: Path, most_bytes: int) -> int:
    n_bytes = 0
    with path.open("wb") as kept:
        while chunk := file.read(_CHUNK):
            n_bytes += len(chunk)
            if n_bytes > most_bytes:
                raise RefusalError(
                    413, f"A file of more than {most_bytes:,} bytes was sent; expected a smaller one. Crop or bin it."
                )
            kept.write(chunk)
    return n_bytes
