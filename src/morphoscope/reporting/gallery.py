"""The worst errors as pictures: where the model was most certain and wrong."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.schema import Task

_SIDE_PX = 280
_JPEG_QUALITY = 80


@dataclass(frozen=True)
class Mistake:
    """A picture that was answered wrongly: its name, both labels, the confidence, and a small JPEG as a data address."""

    name: str
    true: str
    answered: str
    confidence: float
    picture: str


def worst_mistakes(
    outcome: TaskOutcome, names: Sequence[str], thumbnails: Callable[[int], np.ndarray], n_most: int
) -> list[Mistake]:
    """Up to n_most pictures, the most confident error first, each picture once."""
    said, task = outcome.prediction, outcome.task
    confidence, chosen = said.confidence, said.chosen()
    wrong = np.flatnonzero(outcome.is_labelled & ~outcome.hits)
    worst: dict[str, int] = {}
    for row in wrong[np.argsort(-confidence[wrong], kind="stable")]:
        worst.setdefault(names[row], int(row))
    return [
        Mistake(
            name,
            _names(task, outcome.truth[row]),
            _names(task, chosen[row]),
            float(confidence[row]),
            thumbnail_address(thumbnails(row)),
        )
        for name, row in list(worst.items())[:n_most]
    ]


def _names(task: Task, members: np.ndarray) -> str:
    return " + ".join(name for name, is_member in zip(task.classes, members, strict=True) if is_member)


def thumbnail_address(pixels: np.ndarray) -> str:
    """A data address of the picture (Y, X) uint8, no side longer than the gallery shows it."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
