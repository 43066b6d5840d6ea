"""What masks mean is told from all of a folder: drawn instance, binary and multi-class masks, and grey levels."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label

from morphoscope.errors import MorphoscopeError
from morphoscope.measure.mask_kinds import MaskNumbers, instances_of, mask_kind, mask_numbers


def squares(*numbers: int) -> np.ndarray:
    """(Y, X) with a square a number, apart from each other, in a row of a picture that is not square."""
    drawn = np.zeros((30, 200), np.uint16)
    for place, number in enumerate(numbers):
        drawn[8:20, 12 * place + 2 : 12 * place + 11] = number
    return drawn


def kind(*masks: np.ndarray) -> str:
    return mask_kind([mask_numbers(mask) for mask in masks], "--masks folder")


def test_a_number_an_object() -> None:
    assert kind(squares(1, 2, 3), squares(1, 2), squares()) == "instance"


@pytest.mark.parametrize("value", [1, 255])
def test_one_number_for_all_objects(value: int) -> None:
    masks = squares(value, value, value), squares(value), squares()
    assert kind(*masks) == "binary"
    assert instances_of(masks[0], "binary").max() == 3


def test_a_number_a_class_and_touching_objects_of_two_classes() -> None:
    mask = squares(1, 1, 2, 2, 1)
    mask[8:20, 60:62] = 2  # the classes touch
    assert kind(mask, squares(2, 2), squares()) == "multi-class"
    assert instances_of(mask, "multi-class").max() == 6


def test_an_object_in_two_pieces_stays_one_object() -> None:
    """A wire lies across one of eight particles."""
    mask = squares(1, 2, 3, 4, 5, 6, 7, 7)
    assert kind(mask) == "instance"
    assert instances_of(mask, "instance").max() == 7


def test_where_every_number_is_one_piece_all_kinds_mean_the_same() -> None:
    mask = squares(3, 1, 2)
    for first, second in permutations([instances_of(mask, "instance"), instances_of(mask, "multi-class")]):
        assert len(set(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))) == 4


def test_slips_of_the_brush_are_no_pieces() -> None:
    mask = squares(1, 2, 3)
    mask[0, ::7] = 1
    assert mask_numbers(mask) == MaskNumbers((1, 2, 3), (1, 1, 1))
    assert kind(mask) == "instance"


def test_the_order_of_masks_and_many_objects_do_not_matter() -> None:
    many = label(gaussian_filter(np.random.default_rng(0).normal(size=(120, 150)), 3) > 0.05)[0]
    assert kind(many, squares(1)) == kind(squares(1), many) == "instance"


def test_corners_join() -> None:
    mask = np.zeros((8, 9), np.uint8)
    mask[1, 1] = mask[2, 2] = 1
    assert mask_numbers(mask).n_pieces == (1,)


def test_grey_levels_are_refused_with_a_way_out() -> None:
    soft = np.rint(255 * np.clip(gaussian_filter((squares(1, 1, 1) > 0).astype(float), 2), 0, 1)).astype(np.uint8)
    with pytest.raises(
        MorphoscopeError, match=r"--masks folder: found .* different numbers, most of them in several pieces; expected"
    ):
        kind(soft)


def test_empty_masks_only_and_a_mask_without_ground() -> None:
    assert kind(squares(), squares()) == "binary"
    assert instances_of(np.full((4, 5), 7, np.uint8), "instance").tolist() == np.ones((4, 5), int).tolist()
    assert instances_of(squares(9, 4), "instance").max() == 2
