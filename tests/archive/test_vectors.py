"""The best few are those that comparing everything in full gives, and columns kept on disk those of the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.archive import Archive, describe, search
from morphoscope.archive import column_cache as cache_module
from morphoscope.archive import vectors as vectors_module
from morphoscope.archive.vectors import Vectors, _led, _principal_axes


def compared(features: np.ndarray) -> Vectors:
    """Features as an archive holds them."""
    width = features.shape[1]
    plain = Vectors(0, np.arange(1, len(features) + 1), features, np.zeros(width), np.ones(width), features[:0], features[:0])
    directions = plain.direction(features).astype(np.float16)
    axes = _principal_axes(directions.astype(np.float32))
    return Vectors(0, plain.ids, directions, plain.centre, plain.scale, axes, _led(directions, axes))


@pytest.mark.parametrize("falloff", [0.0, 1.0, 3.0], ids=["no axis leads", "some lead", "few lead"])
@pytest.mark.parametrize("count", [1, 7, 40])
def test_the_best_few_are_exact(falloff: float, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors_module, "FEW_ROWS", 10)
    monkeypatch.setattr(vectors_module, "LEADING_AXES", 6)
    random = np.random.default_rng(0)
    known = compared(random.standard_normal((700, 24)) * np.arange(1, 25.0) ** -falloff)
    for rows in (np.arange(700), np.sort(random.choice(700, 350, replace=False))):
        wanted = random.standard_normal(24)
        expected = known.similarity(wanted, rows)
        found, cosine = known.most_similar(wanted, rows, count)
        np.testing.assert_allclose(cosine, np.sort(expected)[::-1][:count], atol=1e-6)
        np.testing.assert_allclose(known.similarity(wanted, found), cosine, atol=1e-6)
        assert set(found) <= set(rows)


def test_columns_kept_on_disk_are_those_of_this_very_state(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MORPHOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache_module, "FEWEST", 1)
    queries = ("Morphology=Rod", "maker=FEI", "pixel_size_nm<5", "confidence>.8", "novelty>.5", "sample=S1")
    expected = [[hit.id for hit in search(filled, query).hits] for query in queries]
    (kept,) = (tmp_path / "cache" / "archives").rglob("*.npz")
    with Archive.open(filled.path) as again:
        assert [[hit.id for hit in search(again, query).hits] for query in queries] == expected
        assert search(again, "annealed").hits == search(filled, "annealed").hits
    kept.write_bytes(b"spoilt")
    with Archive.open(filled.path) as again:
        assert [[hit.id for hit in search(again, query).hits] for query in queries] == expected
    describe(filled, 1, sample="S9")
    with Archive.open(filled.path) as again:
        assert [hit.id for hit in search(again, "sample=S9").hits] == [1]
