"""Gaps, contacts and clusters of drawn neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.measure.neighbours import find_neighbours


def found(instance_map):
    return find_neighbours(instance_map, np.unique(instance_map[instance_map > 0]))


def test_gaps_between_three_in_a_row() -> None:
    field = np.zeros((20, 60), np.uint16)
    field[5:15, 2:12], field[5:15, 12:22], field[5:15, 27:37] = 7, 3, 900
    pairs = found(field)
    gaps = {(int(a), int(b)): float(gap) for a, b, gap in zip(pairs.first, pairs.second, pairs.gap_px, strict=True)}
    assert gaps == {(0, 1): 0.0, (0, 2): 5.0}, "numbers ascend: 3, 7, 900; 7 and 900 have 3 between them"
    assert pairs.nearest_gap_px().tolist() == [0, 0, 5]
    assert pairs.cluster_sizes(pairs.touching()).tolist() == [2, 1]
    assert pairs.border_px.max() == 28, "ten sides and twice nine corners"


def test_a_line_of_one_pixel_between_neighbours_is_contact() -> None:
    field = np.zeros((20, 40), np.uint8)
    field[4:14, 4:14], field[4:14, 15:25], field[4:14, 27:37] = 1, 2, 3
    pairs = found(field)
    assert pairs.touching().tolist() == [True, False]
    assert pairs.counts(pairs.touching()).tolist() == [1, 1, 0]


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_has_no_neighbour(n) -> None:
    field = np.zeros((9, 12), np.uint8)
    field[2:4, 3:5] = n
    pairs = found(field)
    assert (len(pairs.first), len(pairs.nearest_gap_px())) == (0, n)
    assert pairs.cluster_sizes(pairs.touching()).tolist() == [1] * n


def test_a_field_without_background_is_one_cluster() -> None:
    field = np.kron(np.arange(1, 13).reshape(3, 4), np.ones((5, 6), int)).astype(np.uint16)
    pairs = found(field)
    assert pairs.touching().all()
    assert pairs.cluster_sizes(pairs.touching()).tolist() == [12]
