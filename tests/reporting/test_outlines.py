"""Outlines, centre lines and a scale bar on a copy of the picture."""

from __future__ import annotations

import numpy as np

from morphoscope.micrograph import PixelSize
from morphoscope.reporting.outlines import CENTRE_LINE, COUNTED, LEFT_OUT, SIDE_PX, data_address, outlined

GREY = np.full((300, 420), 90, np.uint8)


def instance_map() -> np.ndarray:
    drawn = np.zeros(GREY.shape, np.uint16)
    drawn[50:100, 60:140], drawn[200:220, 30:400] = 3, 8
    return drawn


def has(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (pixels == colour).all(axis=-1)


def test_each_colour_lies_on_its_outline() -> None:
    line = np.array([[210.0, 30.0], [210.0, 400.0]])
    pixels = np.asarray(outlined(GREY, instance_map(), np.array([3]), None, [line]))
    assert pixels.shape == (*GREY.shape, 3)
    rows, columns = np.nonzero(has(pixels, LEFT_OUT))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (50, 99, 60, 139)
    assert has(pixels, COUNTED)[200, 30:400].all()
    assert has(pixels, CENTRE_LINE)[209:212, 100].any()
    assert not has(pixels, CENTRE_LINE)[:200].any()


def test_the_scale_bar_lies_below_the_specimen() -> None:
    drawn = outlined(GREY, instance_map(), np.array([]), PixelSize(2.0, 2.0, "header"))
    pixels = np.asarray(drawn)
    assert pixels.shape[1] == GREY.shape[1]
    margin = pixels[GREY.shape[0] :]
    assert len(margin) > 10
    bar = np.flatnonzero((margin == 255).all(axis=-1).sum(axis=1) >= 90)
    assert len(bar), "200 nm are 100 px of 2 nm"
    assert not (pixels[: GREY.shape[0]] == 255).all(axis=-1).any()


def test_large_pictures_are_reduced_with_their_lines() -> None:
    large = np.kron(GREY, np.ones((4, 4), np.uint8))
    line = np.array([[840.0, 120.0], [840.0, 1600.0]])
    drawn = outlined(large, np.kron(instance_map(), np.ones((4, 4), np.uint16)), np.array([3]), PixelSize(1, 1, "user"), [line])
    pixels = np.asarray(drawn)
    assert pixels.shape[1] == SIDE_PX
    row = round(840 * SIDE_PX / large.shape[1])
    assert has(pixels, CENTRE_LINE)[row - 1 : row + 2, 200].any()
    assert data_address(drawn).startswith("data:image/jpeg;base64,")
