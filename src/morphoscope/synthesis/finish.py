"""From a signal to a stored picture: brightness and contrast, annotations, compression, the stored depth."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from morphoscope.micrograph import InformationBar
from morphoscope.synthesis import markings
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.instruments import Settings
from morphoscope.synthesis.picture import Draft, Rendered

SMALLEST_MARKED_PX = 64
"""Nobody could read a bar in a smaller picture."""


@dataclass(frozen=True)
class Tone:
    """Grey values 0..1 of the darkest and the brightest signal; a gamma brings the picture's mean near `mean`."""

    black: float
    white: float
    mean: float
    clipped: float
    """Percentage of the pixels beyond either end, which the amplifier cuts off."""

    def apply(self, signal: np.ndarray) -> np.ndarray:
        """The signal as grey values."""
        low, high = np.percentile(signal[::2, ::2], [0.5 + self.clipped, 99.9 - self.clipped])
        grey = np.clip((signal - low) / max(high - low, 1e-6), 0, 1)
        wanted = np.clip((self.mean - self.black) / (self.white - self.black), 0.08, 0.85)
        gamma = float(np.clip(np.log(wanted) / np.log(np.clip(grey.mean(), 0.02, 0.98)), 0.38, 1.6))
        return np.clip(self.black + (self.white - self.black) * grey**gamma, 0, 1).astype(np.float32)


def finish(
    draft: Draft,
    grey: np.ndarray,
    canvas: Canvas,
    settings: Settings,
    labels: dict[str, str],
    *,
    stem: str | None = None,
    is_figure: bool = False,
    has_scale: bool = True,
    hidden: np.ndarray | None = None,
) -> Rendered:
    """The rendered picture of a grey image (Y, X) in 0..1.

    is_figure: annotated as in a journal rather than by the maker. has_scale: False for a diffraction pattern.
    hidden: pixels (Y, X) where something else than the specimen is shown.
    """
    rng, bar = draft.view, None
    marked = rng.random() < draft.options.bar and min(grey.shape) >= SMALLEST_MARKED_PX
    if marked and has_scale:
        if is_figure or settings.instrument.is_tem:
            grey = markings.scale_bar(grey, canvas.pixel_nm[1], rng)
        else:
            grey, bar = markings.information_bar(grey, canvas.pixel_nm[1], settings, rng)
    if is_figure and marked and rng.random() < 0.7:
        grey = markings.panel_letter(grey, rng)
    if is_figure and rng.random() < 0.5:
        grey = _compressed(grey, int(rng.integers(55, 95)))
    instance_map, objects = canvas.instances(_covered(canvas.size, bar, hidden))
    return Rendered(
        stem=stem or f"{draft.kind}_{draft.index:05d}",
        pixels=_stored(grey, draft.options.bits),
        labels=labels,
        sample=draft.sample,
        pixel_size_nm=canvas.pixel_nm if has_scale else None,
        settings=settings,
        instance_map=instance_map,
        objects=objects,
        information_bar=bar,
    )


def _covered(size: tuple[int, int], bar: InformationBar | None, hidden: np.ndarray | None) -> np.ndarray:
    """Where the picture shows no specimen."""
    covered = np.zeros(size, bool) if hidden is None else hidden.copy()
    if bar is not None:
        covered[bar.top : bar.top + bar.height] = True
    return covered


def _compressed(grey: np.ndarray, quality: int) -> np.ndarray:
    """The traces that JPEG leaves."""
    stream = io.BytesIO()
    Image.fromarray(np.uint8(grey * 255)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), np.float32) / 255


def _stored(grey: np.ndarray, bits: int) -> np.ndarray:
    return np.rint(grey * (255 if bits == 8 else 65535)).astype(np.uint8 if bits == 8 else np.uint16)
