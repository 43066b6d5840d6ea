"""Tiles of large pictures at their stored depth, cut from pyramids that are kept in a bounded folder."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.apps.web.recent import Recent
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.workers.pool import WorkerPool
from morphoscope.apps.web.workers.pyramid import INFO, TILE_PX, level_file

KEPT_INFO = 1000


class Pyramids:
    """Where the room ends, the picture looked at longest ago goes first."""

    def __init__(self, decoders: WorkerPool, most_bytes: int) -> None:
        self._decoders, self._most_bytes = decoders, most_bytes
        self._home = Path(tempfile.mkdtemp(prefix="morphoscope-tiles-"))
        self._infos: Recent[dict[str, Any]] = Recent(KEPT_INFO)
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def info(self, name: str, job: dict[str, Any]) -> dict[str, Any]:
        """What the viewer needs to know: width, height, levels, grey levels. name: of the picture and its version, made of
        letters and digits. job: the decoder's, path and name."""
        info = self._infos.get(name, lambda: self._made(name, job))
        with self._lock:
            if name in self._sizes:
                self._sizes.move_to_end(name)
        return info

    def tile(self, name: str, info: dict[str, Any], level: int, x: int, y: int, window: tuple[float, float]) -> np.ndarray:
        """(Y, X) uint8 of one tile, grey levels between both ends of the window. Raises RefusalError (404)."""
        if not 0 <= level < info["levels"]:
            raise RefusalError(404, f"There is no level {level}; expected 0 to {info['levels'] - 1}.")
        try:
            pixels = np.load(level_file(self._home / name, level), mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:  # its room was needed between two requests
            self._infos.forget(name)
            raise RefusalError(503, "The picture's tiles are made anew; expected them in a moment. Ask again.", 1) from None
        part = pixels[y * TILE_PX : (y + 1) * TILE_PX, x * TILE_PX : (x + 1) * TILE_PX]
        if not part.size:
            raise RefusalError(404, f"There is no tile {x}_{y} on level {level}; expected one inside the picture.")
        return _shown(np.asarray(part), *window)

    def close(self) -> None:
        """Removes everything."""
        shutil.rmtree(self._home, ignore_errors=True)

    def _made(self, name: str, job: dict[str, Any]) -> dict[str, Any]:
        folder = self._home / name
        self._decoders.ask({**job, "verb": "pyramid", "folder": str(folder)})
        info: dict[str, Any] = json.loads((folder / INFO).read_text(encoding="utf-8"))
        with self._lock:
            self._sizes[name] = sum(file.stat().st_size for file in folder.iterdir())
        self._make_room(name)
        return info

    def _make_room(self, newest: str) -> None:
        with self._lock:
            gone = []
            for name in list(self._sizes):
                if sum(self._sizes.values()) <= self._most_bytes or name == newest:
                    break
                gone.append(name)
                del self._sizes[name]
        for name in gone:
            self._infos.forget(name)
            shutil.rmtree(self._home / name, ignore_errors=True)


def _shown(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    stretched = (pixels.astype(np.float32) - low) * (255 / max(high - low, 1e-12))
    return np.clip(stretched + 0.5, 0, 255).astype(np.uint8)
