"""Scores of found objects, from drawn maps whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.scores.instances import (
    InstanceScore,
    foreground_dice,
    foreground_iou,
    match_instances,
    pair_ious,
    row_averaged_iou,
)


def drawn(*squares: tuple[int, int, int, int], shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    """(top, bottom, left, right) of each object, numbered with gaps."""
    numbers = np.zeros(shape, np.uint16)
    for index, (top, bottom, left, right) in enumerate(squares):
        numbers[top:bottom, left:right] = 3 * index + 2
    return numbers


TWO = drawn((2, 8, 2, 8), (10, 18, 12, 28))


def test_the_same_map_is_perfect_whatever_its_numbers() -> None:
    renumbered = np.where(TWO == 2, 900, np.where(TWO == 5, 7, 0))
    assert match_instances(TWO, renumbered) == InstanceScore(2, 0, 0)
    assert foreground_iou(TWO, renumbered) == foreground_dice(TWO, renumbered) == 1.0


def test_one_object_cut_in_half_is_a_hit_at_most_once() -> None:
    halves = drawn((2, 8, 2, 8), (10, 18, 12, 20), (10, 18, 20, 28))
    score = match_instances(TWO, halves, 0.5)
    assert score == InstanceScore(2, 1, 0)  # one half has just an IoU of one half
    assert score.average_precision == pytest.approx(2 / 3)
    assert match_instances(TWO, halves, 0.51) == InstanceScore(1, 2, 1)


def test_pairing_is_the_one_with_most_hits() -> None:
    true, found = drawn((0, 10, 0, 10), (0, 10, 10, 20)), drawn((0, 10, 0, 14), (0, 10, 14, 20))
    assert pair_ious(true, found) == pytest.approx(np.array([[100 / 140, 0], [40 / 200, 0.6]]))
    assert match_instances(true, found) == InstanceScore(2, 0, 0)


@pytest.mark.parametrize("measure", [foreground_iou, foreground_dice, row_averaged_iou])
def test_nothing_to_find_and_nothing_found_is_right(measure) -> None:
    empty = np.zeros((5, 9), int)
    assert measure(empty, empty) == 1.0
    assert match_instances(empty, empty).average_precision == 1.0
    assert match_instances(empty, drawn((0, 2, 0, 2), shape=(5, 9))).average_precision == 0.0


def test_row_averaged_iou_rewards_empty_rows() -> None:
    true, found = drawn((0, 2, 0, 10), shape=(20, 10)), drawn((1, 3, 0, 10), shape=(20, 10))
    assert foreground_iou(true, found) == pytest.approx(1 / 3)
    assert row_averaged_iou(true, found) == pytest.approx(18 / 20)
