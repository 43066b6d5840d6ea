"""A search finds what its parts say, together and in the order asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.archive import Archive, facets, search
from morphoscope.errors import QueryError


def found(archive: Archive, query: str, **options: str) -> list[int]:
    """The numbers that a search gives."""
    return [hit.id for hit in search(archive, query, **options).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", range(1, 13)),
        ("gold -rod", [2, 4]),
        ('"gold rods"', [1, 3, 5]),
        ("annealed", [3]),
        ("Morphology=Rod", [3, 6, 9]),
        ("morphology=rod|cube confidence>0.7", [6, 7, 9, 10]),
        ("Morphology!=Rod state=ok", [1, 2, 4, 5, 7, 8, 10, 11]),
        ("Morphology=Fibres", [2, 5, 8, 11]),
        ("Morphology=unknown", [12]),
        ("Morphology.answer=known", [8, 9, 10, 11]),
        ("Morphology.confidence >= 0.9", [10, 11]),
        ('"crystal system"=Hexagonal novelty<.3', [2, 3]),
        ("hv_kv=200 pixel_size_nm<5", [2, 4]),
        ("pixel_size_nm=4..8", [4, 6, 8]),
        ("pixel_size_nm>4..8", [4, 6, 8]),
        ("pixel_size_nm=8..", [8, 10]),
        ("pixel_size_nm<0.005µm", [2, 4]),
        ("pixel_size_nm=unknown", [1, 3, 5, 7, 9, 11, 12]),
        ("maker=FEI -gold", [6, 8, 10]),
        ("state=error", [12]),
        ("sample=S1|S2 -sample=S2", [1, 4, 7, 10]),
        ("name=*_03*", [3]),
        ("diameter_nm>1", []),
    ],
)
def test_every_part_holds(filled: Archive, query: str, expected: list[int]) -> None:
    assert sorted(found(filled, query)) == list(expected)


def test_a_folder_holds_what_lies_below_it(filled: Archive, folder: Path) -> None:
    assert len(found(filled, f'folder="{folder.parent}"')) == 12
    assert not found(filled, f'folder="{folder}x"')


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("Morphologi=Rod", "there is no field 'Morphologi'.*Did you mean 'Morphology'"),
        ("Morphology=Rood", "no class 'Rood'; expected one of .*Did you mean 'Rod'"),
        ("Morphology>Rod", "compares classes; expected = or !="),
        ("hv_kv=high", "has no number; expected one"),
        ('"gold', "character 1: found a quote that is never closed"),
        ("maker=", r"character 7: it ends here; expected a value after 'maker='"),
        ("=3", "character 1: found '='"),
        ("like:nothing.tif", "there is no such file"),
        ("like:99", "picture 99 has no features of run"),
    ],
)
def test_what_is_wrong_is_said(filled: Archive, query: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        search(filled, query)


def test_the_most_similar_come_first_and_filters_hold(filled: Archive) -> None:
    everything = search(filled, "like:3")
    assert everything.hits[0].id == 3 and everything.hits[0].score == pytest.approx(1, abs=1e-3)
    scores = [hit.score for hit in everything.hits]
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert everything.without_features == 1
    some = search(filled, "like:3 gold")
    assert [hit.id for hit in some.hits] == [hit.id for hit in everything.hits if hit.id < 6]


def test_similarity_is_the_cosine_of_standardised_features(filled: Archive) -> None:
    angle = np.linspace(0, np.pi / 2, 11)
    features = np.stack([np.cos(angle), np.sin(angle), np.zeros(11)], 1).astype(np.float16).astype(float)
    standard = (features - features.mean(0)) / (features.std(0) + 0.01 * features.std())
    standard /= np.linalg.norm(standard, axis=1, keepdims=True)
    expected = dict(zip(range(1, 12), standard @ standard[6], strict=True))
    for hit in search(filled, "like:7").hits:
        assert hit.score == pytest.approx(expected[hit.id], abs=2e-3)


def test_pages_are_pieces_of_the_whole(filled: Archive) -> None:
    whole = found(filled, "like:1")
    assert [hit.id for hit in search(filled, "like:1", limit=2, offset=1).hits] == whole[1:3]
    assert search(filled, "like:1", limit=2).total == 11
    assert search(filled, "like:1", limit=0).hits == []


def test_orders(filled: Archive) -> None:
    assert found(filled, "gold", sort="name") == [2, 4, 1, 3, 5]
    assert found(filled, "pixel_size_nm=known", sort="-pixel_size_nm") == [10, 8, 6, 4, 2]
    assert found(filled, "", sort="pixel_size_nm")[:5] == [2, 4, 6, 8, 10]
    assert found(filled, "state=ok", sort="-Morphology.confidence")[0] == 11
    assert found(filled, "", sort="-added")[0] == 12
    with pytest.raises(QueryError, match="Did you mean 'novelty'"):
        search(filled, "", sort="novelti")
    with pytest.raises(QueryError, match="no picture was given"):
        search(filled, "", sort="similarity")


def test_a_hit_says_what_is_known(filled: Archive) -> None:
    (hit,) = search(filled, "annealed").hits
    assert (hit.width, hit.height, hit.sample, hit.state) == (40, 30, "S0", "ok")
    assert hit.classes["Morphology"].best == "Rod"
    assert hit.classes["Morphology"].confidence == pytest.approx(0.59, abs=1e-3)
    assert not hit.classes["Morphology"].is_sure


def test_facets_count_what_is_found(filled: Archive) -> None:
    counted = facets(filled, "gold")
    assert counted.total == 5
    assert counted.tasks["Morphology"] == {"Cube": 2, "Fibres/Polymer": 2, "Rod": 1}
    assert counted.ranges["pixel_size_nm"] == (2.0, 4.0)
    assert counted.makers == {"FEI": 2}
