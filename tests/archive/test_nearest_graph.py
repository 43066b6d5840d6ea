"""The graph of a very large archive names nearly all that comparing everything would, and is only used for the rows it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from morphoscope.archive import Archive, ModelIdentity, record_embeddings, record_model, search
from morphoscope.archive import current_vectors as current_module
from morphoscope.archive import nearest_graph as graph_module
from morphoscope.archive.approximate import probably_most_similar
from morphoscope.archive.current_vectors import keep_vectors, vectors
from morphoscope.archive.feature_version import FeatureVersion
from morphoscope.archive.nearest_graph import NearestGraph, graph_of, graph_path
from morphoscope.archive.pictures import Entry, FileState, record_pictures
from morphoscope.archive.vector_building import principal_axes, stored_rows
from morphoscope.archive.vector_file import vector_path
from morphoscope.archive.vectors import Standard, Vectors
from morphoscope.schema import Schema

pytest.importorskip("usearch")

SHA, WIDTH, N = "ab" * 32, 256, 400


def mixtures(count: int, random: np.random.Generator) -> np.ndarray:
    """(count, WIDTH) like features of pictures: some hundred kinds, each moved towards others, and noise of its own."""
    kinds = random.standard_normal((300, 60)) * np.arange(1, 61) ** -0.5 @ random.standard_normal((60, WIDTH)) + 3
    first, second, third = random.integers(0, len(kinds), (3, count))
    moved = kinds[first] + random.normal(0, 0.5, (count, 1)) * (kinds[second] - kinds[third])
    return moved + 0.1 * kinds.std(0) * random.standard_normal((count, WIDTH))


def compared(features: np.ndarray) -> Vectors:
    """As an archive holds them, with their graph."""
    plain = Standard(features.mean(0), features.std(0), np.zeros((features.shape[1], 0), np.float32))
    standard = replace(plain, axes=principal_axes(plain.direction(features[:5000])))
    kept, numbers, version = stored_rows(standard, features), np.arange(len(features)), FeatureVersion(0, "")
    return Vectors(version, numbers, numbers, standard, kept, kept.none(), version, NearestGraph(graph_of(kept.leading)))


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_ninety_five_of_a_hundred_of_the_nearest_are_found(share: float) -> None:
    random = np.random.default_rng(0)
    known = compared(mixtures(12_000, random))
    rows = np.flatnonzero(random.random(len(known)) < share)
    found = []
    for wanted in mixtures(20, np.random.default_rng(0)):
        exact = known.most_similar(wanted, rows, 50)
        probable = probably_most_similar(known, wanted, rows, 50)
        assert probable is not None and len(probable.rows) == 50 and set(probable.rows) <= set(rows)
        assert (np.diff(probable.cosine) <= 0).all()
        np.testing.assert_allclose(probable.cosine, known.similarity(wanted, probable.rows), atol=1e-6)
        found.append(len(set(exact.rows) & set(probable.rows)) / 50)
    assert np.mean(found) >= 0.95


def test_narrow_searches_and_long_lists_are_exact() -> None:
    known = compared(mixtures(1500, np.random.default_rng(1)))
    everything = np.arange(len(known))
    wanted = known.standard.centre + known.standard.scale
    assert probably_most_similar(known, wanted, everything, 50) is not None
    assert probably_most_similar(known, wanted, everything[:700], 50) is None
    assert probably_most_similar(known, wanted, everything, 201) is None
    assert probably_most_similar(known, wanted, everything, 0) is None
    assert probably_most_similar(replace(known, graph=None), wanted, everything, 50) is None


@pytest.fixture
def large(archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """An archive that counts as very large, as `index` leaves it."""
    monkeypatch.setattr(current_module, "FEWEST", 1)
    monkeypatch.setattr(graph_module, "LEAST_ROWS", N)
    pictures = [Entry(FileState(folder / f"{i}.tif", str(i), 1, 0, 0.0), error="not read") for i in range(N + 1)]
    model = record_model(archive, ModelIdentity(SHA, "run", "/models/run", Schema(())))
    numbers = record_pictures(archive, pictures)
    record_embeddings(archive, model, numbers[:N], mixtures(N, np.random.default_rng(2)))
    keep_vectors(archive, model)
    yield archive


def found(archive: Archive, query: str = "like:7") -> tuple[list[int], bool]:
    """What another program finds, and whether by the graph."""
    with Archive.open(archive.path) as again:
        result = search(again, query, limit=10)
        return [hit.id for hit in result.hits], result.is_approximate


def test_index_leaves_a_graph_that_searches_use(large: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    probable, is_approximate = found(large)
    assert is_approximate and probable[0] == 7
    assert not found(large, "like:7 name=1*")[1]
    asked = search(large, "like:7", limit=10, is_exact=True)
    monkeypatch.setattr(graph_module, "has_graphs", lambda: False)
    exact, is_approximate = found(large)
    assert not is_approximate and len(set(exact) & set(probable)) >= 9
    assert not asked.is_approximate and [hit.id for hit in asked.hits] == exact


@pytest.mark.parametrize("spoil", ["truncated", "other bytes", "of other rows", "gone"])
def test_a_graph_that_does_not_fit_is_not_used(large: Archive, spoil: str) -> None:
    exact = [hit.id for hit in search(large, "like:7", limit=10).hits]
    path = graph_path(vector_path(large.path, SHA))
    content = path.read_bytes()
    path.unlink()
    if spoil != "gone":
        stamp = vectors(large, 1).version.stamp.encode()
        spoilt = {
            "truncated": content[:-5],
            "other bytes": content[:256] + b"\xff" * (len(content) - 256),
            "of other rows": content.replace(stamp, b"0" * len(stamp)),
        }
        path.write_bytes(spoilt[spoil])
    ids, is_approximate = found(large)
    assert not is_approximate and len(set(ids) & set(exact)) >= 9
    keep_vectors(large, 1)
    assert found(large)[1], "the next `index` makes it anew"


def test_late_and_gone_pictures_are_seen(large: Archive) -> None:
    seventh = large.connection.execute("SELECT vector FROM embedding WHERE picture = 7").fetchone()[0]
    record_embeddings(large, 1, [N + 1], np.frombuffer(seventh, "<f2")[None])
    with large.writing() as connection:
        connection.execute("DELETE FROM embedding WHERE picture = 8")
        connection.execute("UPDATE picture SET revision = (SELECT revision FROM archive) WHERE id = 8")
    ids, is_approximate = found(large)
    assert is_approximate and ids[:2] == [7, N + 1]
    assert 8 not in found(large, f"like:{N + 1}")[0]
