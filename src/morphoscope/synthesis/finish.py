"""From a signal to a stored picture: brightness and contrast, annotations, compression, the stored depth."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from morphoscope.micrograph import InformationBar
from morphoscope.synthesis import annotations
from morphoscope.synthesis.canvas import Canvas
from morphoscope.synthesis.instruments import Settings
from morphoscope.synthesis.picture import Draft, Rendered


@dataclass(frozen=True)
class Tone:
    """Grey values 0..1 at which the 1st and 99.6th percentile of the signal arrive, and the gamma between."""

    black: float
    white: float
    gamma: float = 1.0

    def apply(self, signal: np.ndarray) -> np.ndarray:
        """The signal as grey values; what lies beyond 0..1 is clipped, as a detector's amplifier would."""
        low, high = np.percentile(signal[::2, ::2], [1, 99.6])
        grey = np.clip((signal - low) / max(high - low, 1e-6), -0.2, 1.5)
        grey = np.sign(grey) * np.abs(grey) ** self.gamma
        return np.clip(self.black + (self.white - self.black) * grey, 0, 1).astype(np.float32)


def finish(
    draft: Draft, grey: np.ndarray, canvas: Canvas, settings: Settings, labels: dict[str, str], *, stem: str | None = None,
    is_figure: bool = False, has_objects: bool = True,
) -> Rendered:  # fmt: skip
    """The rendered picture of a grey image (Y, X) in 0..1. is_figure: annotated as in a journal rather than by the maker."""
    rng = draft.view
    bar: InformationBar | None = None
    if is_figure:
        grey = _as_figure(grey, canvas, draft.bar, rng)
    elif settings.instrument.is_tem:
        grey = (
            annotations.scale_bar(grey, canvas.pixel_nm[1], rng) if rng.random() < draft.bar and min(grey.shape) >= 48 else grey
        )
    elif rng.random() < draft.bar and min(grey.shape) >= 96:
        grey, bar = annotations.information_bar(grey, canvas.pixel_nm[1], settings, rng)
    instance_map, objects = None, ()
    if has_objects:
        hidden = None
        if bar is not None:
            hidden = np.zeros(grey.shape, bool)
            hidden[bar.top : bar.top + bar.height] = True
        instance_map, objects = canvas.instances(hidden)
    return Rendered(
        stem=stem or f"{draft.kind}_{draft.index:05d}", pixels=_stored(grey, draft.bits), labels=labels, sample=draft.sample,
        pixel_size_nm=canvas.pixel_nm, settings=settings, instance_map=instance_map, objects=objects, information_bar=bar,
    )  # fmt: skip


def _as_figure(grey: np.ndarray, canvas: Canvas, probability: float, rng: np.random.Generator) -> np.ndarray:
    if min(grey.shape) < 48:
        return grey
    if rng.random() < probability:
        grey = annotations.scale_bar(grey, canvas.pixel_nm[1], rng)
    if rng.random() < 0.7 * probability:
        grey = annotations.panel_letter(grey, rng)
    return _compressed(grey, int(rng.integers(55, 95))) if rng.random() < 0.5 else grey


def _compressed(grey: np.ndarray, quality: int) -> np.ndarray:
    """The traces that JPEG leaves."""
    stream = io.BytesIO()
    Image.fromarray(np.uint8(grey * 255)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), np.float32) / 255


def _stored(grey: np.ndarray, bits: int) -> np.ndarray:
    return np.rint(grey * (255 if bits == 8 else 65535)).astype(np.uint8 if bits == 8 else np.uint16)
