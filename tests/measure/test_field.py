"""Chords, gaps and correlation of drawn structures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from morphoscope.measure.field import domains, specimen_field
from morphoscope.micrograph import InformationBar


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 2.0), (1.0, 1.6)])
def test_chords_of_a_disc_are_those_of_geometry(spacing) -> None:
    y, x = np.mgrid[:400, :500] * np.array(spacing)[:, None, None]
    disc = (y - 200 * spacing[0]) ** 2 + (x - 250 * spacing[1]) ** 2 < 150**2
    assert domains(disc, spacing).domain_size == pytest.approx(math.pi * 150 / 2, rel=0.02)


def test_the_edge_of_the_field_does_not_shorten_chords() -> None:
    covered = gaussian_filter(np.random.default_rng(0).normal(size=(900, 900)), 6, mode="wrap") > 0
    whole = domains(covered)
    parts = [domains(covered[r : r + 90, c : c + 90]) for r in range(0, 900, 90) for c in range(0, 900, 90)]
    assert np.mean([part.domain_size for part in parts]) == pytest.approx(whole.domain_size, rel=0.05)
    assert whole.gap_size == pytest.approx(whole.domain_size, rel=0.1)


def test_correlation_length_grows_with_the_structure() -> None:
    noise = np.random.default_rng(1).normal(size=(512, 700))
    found = [domains(gaussian_filter(noise, sigma, mode="wrap") > 0).correlation_length for sigma in (3, 6, 12)]
    assert found[1] / found[0] == pytest.approx(2, rel=0.15)
    assert found[2] / found[1] == pytest.approx(2, rel=0.2)
    large = domains(np.kron(gaussian_filter(noise, 6, mode="wrap") > 0, np.ones((3, 3), bool)))
    assert large.correlation_length == pytest.approx(3 * found[1], rel=0.05), "though it is averaged down"


@pytest.mark.parametrize("value", [False, True])
def test_one_phase_alone_has_no_domains(value) -> None:
    found = domains(np.full((40, 50), value))
    assert (found.domain_size, found.gap_size, found.correlation_length) == (None, None, None)


def test_the_field_is_the_larger_part_beside_the_bar() -> None:
    field = np.zeros((60, 40), np.uint8)
    assert specimen_field(field, InformationBar(50, 10)).shape == (50, 40)
    assert specimen_field(field, InformationBar(10, 10, "inside")).shape == (40, 40)
