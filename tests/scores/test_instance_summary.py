"""Scores of a picture, and what those of many come to."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.scores.instance_summary import cluster_interval, summarised
from morphoscope.scores.instances import score_picture

TRUE = np.array([[1, 1, 0, 0, 2, 2], [1, 1, 0, 0, 2, 2], [0, 0, 0, 0, 0, 0]])


def test_a_perfect_answer_and_half_of_one() -> None:
    perfect, half = score_picture(TRUE, 2 * TRUE), score_picture(TRUE, np.where(TRUE == 1, 1, 0))
    assert (perfect.ap50, perfect.ap75, perfect.iou, perfect.dice, perfect.count_error, perfect.diameter_error) == (
        1,
        1,
        1,
        1,
        0,
        0,
    )
    assert (half.ap50, half.iou, half.count_error) == (0.5, 0.5, 0.5)
    assert half.dice == pytest.approx(2 / 3)
    assert half.row_averaged_iou == pytest.approx((0.5 + 0.5 + 1) / 3)  # the empty row counts as 1


def test_without_true_objects_errors_are_unknown() -> None:
    nothing = np.zeros_like(TRUE)
    assert score_picture(nothing, nothing).ap50 == 1
    assert score_picture(nothing, TRUE).ap50 == 0
    assert score_picture(nothing, TRUE).count_error is None
    assert score_picture(TRUE, nothing).diameter_error == 1


def test_means_medians_and_intervals() -> None:
    scores = [score_picture(TRUE, TRUE), score_picture(TRUE, np.where(TRUE == 1, 1, 0)), score_picture(0 * TRUE, 0 * TRUE)]
    found = summarised(scores, np.array([0, 1, 2]))
    assert found["n"] == 3
    assert found["ap50"] == pytest.approx(2.5 / 3)
    assert found["ap50_ci95"][0] <= found["ap50"] <= found["ap50_ci95"][1]
    assert found["count_error"] == 0.25
    empty = summarised([], np.array([], int))
    assert (empty["n"], empty["ap50"], empty["ap50_ci95"]) == (0, None, None)


def test_whole_clusters_are_drawn() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=40), 10)
    together = cluster_interval(values, np.repeat(np.arange(40), 10), np.mean)
    apart = cluster_interval(values, np.arange(400), np.mean)
    assert together is not None
    assert apart is not None
    assert together[1] - together[0] > 2.5 * (apart[1] - apart[0])
    assert cluster_interval(values, np.zeros(400), np.mean) is None
