"""Rendered micrographs as an encoder learns from them: square pictures, and class numbers of every task of every kind."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import zoom

from morphoscope.synthesis import render
from morphoscope.synthesis.kinds.accords import ACCORDS
from morphoscope.synthesis.kinds.particles import PARTICLES
from morphoscope.synthesis.kinds.sem10 import SEM10
from morphoscope.synthesis.kinds.tem_nanowires import TEM_NANOWIRES

KINDS = {"particles": PARTICLES, "sem10": SEM10, "tem-nanowires": TEM_NANOWIRES, "accords": ACCORDS}
MIX = ("particles", "sem10", "particles", "tem-nanowires", "particles", "sem10", "accords", "sem10")
"""Kinds of successive chunks."""
LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9


def task_name(kind: str, task: str) -> str:
    """Particles share the names of EMPS; the others' tasks carry their kind."""
    return task if kind == "particles" else f"{kind} {task}"


TASKS: dict[str, tuple[str, ...]] = {
    task_name(kind, task): tuple(classes) for kind, one in KINDS.items() for task, classes in one.tasks.items()
}


def rendered_pictures(kind: str, seed: int, start: int, count: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, side, side) uint8 without information bars, stretched as every picture is, and class numbers (N, T) with -1
    where a task is another kind's or the picture does not tell. `start` counts over all kinds, so that none is drawn twice."""
    pictures, truths = [], np.full((count, len(TASKS)), -1)
    rng = np.random.default_rng([seed, start])
    for row, one in enumerate(render(kind, count, size=side, seed=seed, start=start, difficulty=float(rng.uniform(0.2, 0.8)))):
        specimen = one.pixels
        if bar := one.information_bar:
            above, below = specimen[: bar.top], specimen[bar.top + bar.height :]
            specimen = above if len(above) >= len(below) else below
        pictures.append(stretched(square(specimen, side)))
        for number, (task, classes) in enumerate(TASKS.items()):
            label = next((label for name, label in one.labels.items() if task_name(kind, name) == task), "")
            truths[row, number] = classes.index(label) if label in classes else -1
    return np.stack(pictures), truths


def square(pixels: np.ndarray, side: int) -> np.ndarray:
    """The middle square of a picture (Y, X) at side x side px, uint8."""
    short = min(pixels.shape)
    top, left = ((length - short) // 2 for length in pixels.shape)
    middle = pixels[top : top + short, left : left + short]
    return (
        middle if short == side else np.rint(zoom(middle.astype(np.float32), side / short, order=1)).clip(0, 255).astype(np.uint8)
    )


def stretched(pixels: np.ndarray) -> np.ndarray:
    """Grey levels between two percentiles as `io.display` brings them to eight bits."""
    low, high = np.percentile(pixels, (LOW_PERCENTILE, HIGH_PERCENTILE))
    if not high > low:
        return np.full(pixels.shape, 128, np.uint8)
    return np.rint((pixels.astype(np.float32) - low).clip(0, high - low) * (255 / (high - low))).astype(np.uint8)
