"""The field as a two-phase structure: how wide what is covered and what is bare are, and over what distance they resemble."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft

from morphoscope.measure.particles import PIXELS, Spacing
from morphoscope.measure.perimeter import DIRECTIONS
from morphoscope.micrograph import InformationBar

_CORRELATION_SIDE_PX = 768
"""Larger fields are averaged down to this for the two-point correlation, whose lengths then need no finer pixels."""
_CORRELATED = math.exp(-1)


@dataclass(frozen=True)
class Domains:
    """Sizes of the two phases of a field, in the unit of the spacing; None where a phase is missing or its outline is not seen.

    domain_size, gap_size: mean chord of what is covered and of what is bare. correlation_length: the lag at which the two-point
    correlation of the covered phase has fallen to 1/e of its excess.
    """

    domain_size: float | None
    gap_size: float | None
    correlation_length: float | None

    def scaled(self, factor: float) -> Domains:
        """The same field with square pixels of another size."""
        sizes = (self.domain_size, self.gap_size, self.correlation_length)
        return Domains(*(None if size is None else size * factor for size in sizes))


def specimen_field(instance_map: np.ndarray, bar: InformationBar | None) -> np.ndarray:
    """The part (Y, X) of a map that shows specimen: beside the information bar, the larger part where it lies inside."""
    if bar is None:
        return instance_map
    above, below = instance_map[: bar.top], instance_map[bar.top + bar.height :]
    return above if len(above) >= len(below) else below


def domains(covered: np.ndarray, spacing: Spacing = PIXELS) -> Domains:
    """Mean chords (Underwood 1970) and correlation length (Torquato 2002) of a mask (Y, X) of bool with pixels of spacing (y, x).

    Chords are the stretches that lines along rows, columns and both diagonals have in a phase. Their mean is the lines' length
    in the phase over half the number of its ends within the field, so that the field's edge, which cuts chords, does not bias it.
    """
    share = float(covered.mean()) if covered.size else 0.0
    if share in (0.0, 1.0):
        return Domains(None, None, None)
    length, ends = 0.0, 0
    for down, right in DIRECTIONS:
        height, width = covered.shape
        here = covered[: height - down, max(0, -right) : width - max(0, right)]
        there = covered[down:, max(0, right) : width - max(0, -right)]
        step = math.hypot(down * spacing[0], right * spacing[1])
        length += step * covered.size
        ends += int(np.count_nonzero(here != there))
    chord = 2 * length / ends
    return Domains(share * chord, (1 - share) * chord, _correlation_length(covered, spacing))


def _correlation_length(covered: np.ndarray, spacing: Spacing) -> float | None:
    zoom = min(1.0, _CORRELATION_SIDE_PX / max(covered.shape))
    size = tuple(max(8, round(side * zoom)) for side in covered.shape)
    field = cv2.resize(covered.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    step = tuple(each * full / small for each, full, small in zip(spacing, covered.shape, size, strict=True))
    lags = tuple(max(2, side // 2) for side in size)
    down, right = np.arange(-lags[0] + 1, lags[0])[:, None], np.arange(lags[1])[None]  # the other half is the same turned round
    pairs = (size[0] - abs(down)) * (size[1] - right)
    products = _autocorrelation(field - field.mean(), down, right) / pairs
    distance = np.hypot(down * step[0], right * step[1])
    bins = np.floor(distance / math.sqrt(math.prod(step)) + 0.5).astype(int)
    reach = min(lags)
    inside = bins < reach
    weights = np.bincount(bins[inside], minlength=reach)
    curve = np.bincount(bins[inside], products[inside], minlength=reach) / np.maximum(weights, 1)
    place = np.bincount(bins[inside], distance[inside], minlength=reach) / np.maximum(weights, 1)
    if curve[0] <= 0:
        return None
    below = np.flatnonzero(curve <= _CORRELATED * curve[0])
    if not len(below):
        return None
    last = int(below[0])
    before, after = curve[last - 1] / curve[0], curve[last] / curve[0]
    part = (before - _CORRELATED) / max(before - after, 1e-12)
    return float(place[last - 1] + part * (place[last] - place[last - 1]))


def _autocorrelation(field: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sums of products of a field (Y, X) with itself at every lag of `down` (A, 1) and `right` (1, B), padded with zeros."""
    shape = tuple(
        scipy.fft.next_fast_len(side + int(lag.max()), real=True) for side, lag in zip(field.shape, (down, right), strict=True)
    )
    spectrum = scipy.fft.rfft2(field, shape)
    whole = scipy.fft.irfft2((spectrum * spectrum.conj()).real, shape)
    return whole[down, right]
