"""What the border of the field does to counts and sizes, and the rules that undo it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from morphoscope.measure.particles import PIXELS, Spacing, Traced
from morphoscope.micrograph import InformationBar

Border = Literal["exclude", "include", "corrected"]
"""Objects that touch the border, in the size distribution: left out; taken with the part that is seen; or left out with every
other one weighted by how seldom one of its size lies clear of the border."""


def field_area(shape: tuple[int, int], bar: InformationBar | None = None, spacing: Spacing = PIXELS) -> float:
    """Area of the picture (Y, X) without its information bar."""
    return (shape[0] - (bar.height if bar else 0)) * shape[1] * spacing[0] * spacing[1]


def area_fraction(traced: Traced, bar: InformationBar | None = None) -> float:
    """Share of the field that is covered by objects. Cut ones count with the part that is seen."""
    field = field_area(traced.shape, bar)
    return float(traced.n_pixels.sum() / field) if field else 0.0


def n_associated(traced: Traced, bar: InformationBar | None = None) -> int:
    """How many objects belong to the field: those that reach neither its lower nor its right edge.

    Counting all would count one on an edge for both neighbouring fields, leaving them out for neither; this rule counts each
    once, so the number density is unbiased (Gundersen 1977).
    """
    top, bottom, _, right = traced.box.T
    is_cut = (bottom == traced.shape[0] - 1) | (right == traced.shape[1] - 1)
    if bar is not None:
        is_cut |= (bottom >= bar.top - 1) & (top < bar.top + bar.height)
    return int(np.count_nonzero(~is_cut))


def border_weights(traced: Traced, bar: InformationBar | None = None) -> np.ndarray:
    """(N,) how many objects of the specimen each stands for that lies clear of the border; nan for those that touch it.

    One of h × w px lies clear of the border in (H − h − 1)(W − w − 1) of the H W places of its corner that a field of H × W px
    offers, so its weight is the inverse of that share (Miles 1974, Lantuéjoul 1980). Strips above and below a bar add up.
    """
    top, bottom, left, right = traced.box.T
    height, width = bottom - top + 1, right - left + 1
    strips = [traced.shape[0]] if bar is None else [bar.top, traced.shape[0] - bar.top - bar.height]
    places = sum(np.maximum(strip - height - 1, 0) for strip in strips) * np.maximum(traced.shape[1] - width - 1, 0)
    offered = sum(strips) * traced.shape[1]
    weight = np.divide(offered, places, out=np.full(len(traced), math.nan), where=places > 0)
    return np.where(traced.touches_border(bar), math.nan, weight)
