"""Prepared pictures that several processes look at without a copy each: one array file, mapped into memory."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.training.experiment import Material


@dataclass(frozen=True, eq=False)
class SharedMaterial:
    """path: the canvases (N, Y, X) as .npy. rest: the material without them."""

    path: Path
    rest: Material

    @classmethod
    def of(cls, material: Material, folder: Path) -> SharedMaterial:
        """Writes the canvases once, however many recipes see the same ones. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(material.canvases.tobytes()).hexdigest()[:16]
        path = folder / f"{digest}-{'x'.join(map(str, material.canvases.shape))}.npy"
        if not path.is_file():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.save(file, material.canvases, allow_pickle=False)
            part.replace(path)
        return cls(path, dataclasses.replace(material, canvases=material.canvases[:0]))

    def load(self) -> Material:
        """The material as it was; pixels are read where they are looked at."""
        return dataclasses.replace(self.rest, canvases=np.load(self.path, mmap_mode="r", allow_pickle=False))
