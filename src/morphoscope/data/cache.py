"""What was worked out of a file, kept on disk so that a folder is read once: keyed by content, bounded in size.

Where the bound is passed, the entries that were not used for longest go first.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

DEFAULT_BYTES = 10 * 2**30
_DOCUMENT = "document"


def cache_folder() -> Path:
    """Where pictures are kept: `MORPHOSCOPE_CACHE`, or the user's cache folder of the platform."""
    return Path(os.environ.get("MORPHOSCOPE_CACHE") or user_cache_path("morphoscope"))


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class PictureCache:
    """Arrays and a JSON document a key. A damaged or half-written entry counts as absent."""

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_BYTES) -> None:
        self._folder, self._max_bytes = folder, max_bytes

    def get(self, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """The stored arrays and document, or None."""
        path = self._path(key)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            document = json.loads(arrays.pop(_DOCUMENT).tobytes())
            os.utime(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return arrays, document

    def put(self, key: str, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> None:
        """Stores atomically. A full or read-only disk leaves the cache as it was: it is a convenience, not a result."""
        path = self._path(key)
        part = path.with_suffix(f".{uuid.uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, **arrays, **{_DOCUMENT: np.frombuffer(json.dumps(document).encode(), np.uint8)})  # type: ignore[arg-type]
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)

    def shrink(self) -> None:
        """Removes the entries that were not used for longest until the bound holds."""
        try:
            entries = [(stat.st_mtime, stat.st_size, path) for path in self._folder.rglob("*.npz") for stat in [path.stat()]]
        except OSError:
            return  # another process is clearing the same folder
        excess = sum(size for _, size, _ in entries) - self._max_bytes
        for _, size, path in sorted(entries, key=lambda entry: entry[0]):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npz"
