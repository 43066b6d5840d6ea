"""Bars and scale bars are as long as they say."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.synthesis import markings
from morphoscope.synthesis.instruments import SEMS, Instrument, sem_settings


@pytest.mark.parametrize(("length", "expected"), [(1.0, 1), (4.9, 2), (5.0, 5), (999.0, 500), (0.3, 0.2)])
def test_round_lengths(length: float, expected: float) -> None:
    assert markings.round_length(length) == pytest.approx(expected)


@pytest.mark.parametrize("instrument", SEMS, ids=lambda i: i.model)
@pytest.mark.parametrize("shape", [(300, 400), (768, 1024), (96, 130)])
def test_the_bar_lies_where_it_says(instrument: Instrument, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphoscope.synthesis.instruments.SEMS", (instrument,))
    rng = np.random.default_rng(0)
    settings = sem_settings(1e4, rng, rng)
    plain = np.full(shape, 0.4, np.float32)
    marked, bar = markings.information_bar(plain, 1e4 / shape[1], settings, rng)
    assert marked.shape == shape
    outside = np.ones(shape[0], bool)
    outside[bar.top : bar.top + bar.height] = False
    np.testing.assert_array_equal(marked[outside], plain[outside])
    strip = marked[~outside]
    assert strip.std() > 0.05
    assert (bar.side == "bottom") == (bar.top + bar.height == shape[0])


def test_a_scale_bar_is_a_run_of_its_length() -> None:
    for seed in range(12):
        plain = np.full((300, 400), 0.5, np.float32)
        marked = markings.scale_bar(plain, 2.5, np.random.default_rng(seed))
        lengths: list[int] = []
        for row in (*(marked == 0), *(marked == 1)):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
            lengths += np.diff(edges)[::2].tolist()
        assert any(abs(markings.round_length(n * 2.5 * 1.02) / 2.5 - n) <= 1.5 for n in lengths if n > 35)
