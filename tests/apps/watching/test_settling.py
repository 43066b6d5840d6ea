"""Which file is ready, by the looks alone: no clock, no disk."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from morphoscope.apps.watching.settling import PATIENCE, Settling
from morphoscope.apps.watching.source import Version

A, B = Path("a.tif"), Path("b.tif")


def version(size: int, modified: str = "2026-01-01T00:00:00.000000000") -> Version:
    return Version(size, modified)


def names(ready: list[tuple[Path, Version, float]]) -> list[str]:
    return [path.name for path, _, _ in ready]


def test_a_file_is_ready_after_as_many_equal_looks_as_asked_for() -> None:
    settling = Settling(looks=2)
    assert [names(settling.look({A: version(5)}, now)) for now in range(4)] == [[], [], ["a.tif"], []]


def test_growing_and_touching_begin_the_wait_anew() -> None:
    settling = Settling(looks=2)
    contents = [version(1), version(1), version(2), version(2), version(2, "later"), version(2, "later"), version(2, "later")]
    found = [names(settling.look({A: each}, now)) for now, each in enumerate(contents)]
    assert found == [[], [], [], [], [], [], ["a.tif"]]


def test_the_time_is_that_of_the_first_sight_of_the_last_content() -> None:
    settling = Settling(looks=1)
    settling.look({A: version(1)}, 10)
    settling.look({A: version(2)}, 20)
    assert settling.look({A: version(2)}, 30) == [(A, version(2), 20)]


def test_an_empty_file_is_never_ready() -> None:
    settling = Settling(looks=1)
    assert not any(settling.look({A: version(0)}, now) for now in range(20))


def test_what_comes_back_changed_is_read_anew_and_what_comes_back_unchanged_is_not() -> None:
    settling = Settling(looks=1)
    days: list[dict[Path, Version]] = [{A: version(1)}, {A: version(1)}, {}, {A: version(1)}, {A: version(1)}]
    assert [names(settling.look(files, 0)) for files in days] == [[], ["a.tif"], [], [], []]
    assert names(settling.look({A: version(7)}, 0)) + names(settling.look({A: version(7)}, 0)) == ["a.tif"]


def test_a_temporary_name_that_vanishes_is_forgotten() -> None:
    settling = Settling(looks=2)
    settling.look({A: version(5)}, 0)
    settling.look({A: version(5)}, 1)
    assert [names(settling.look({B: version(5)}, now)) for now in range(3)] == [[], [], ["b.tif"]]
    assert not settling.waiting()


def test_a_file_that_cannot_be_read_gets_one_more_and_longer_chance() -> None:
    settling = Settling(looks=2)
    for now in range(3):
        ready = settling.look({A: version(5)}, now)
    assert names(ready) == ["a.tif"] and settling.may_wait(A)
    again = [names(settling.look({A: version(5)}, now)) for now in range(3, 3 + 2 * PATIENCE)]
    assert again == [[]] * (2 * PATIENCE - 1) + [["a.tif"]]
    assert not settling.may_wait(A)


def test_what_is_skipped_is_wanted_once_it_changes() -> None:
    settling = Settling(looks=1)
    settling.skip({A: version(5)})
    assert not settling.look({A: version(5)}, 0) and not settling.look({A: version(5)}, 1)
    settling.look({A: version(6)}, 2)
    assert names(settling.look({A: version(6)}, 3)) == ["a.tif"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(1, 4))
def test_each_content_is_given_at_most_once_in_a_row_and_only_when_it_stood_still(sizes: list[int], looks: int) -> None:
    settling, given_sizes = Settling(looks), []
    for now, size in enumerate(sizes):
        for _, found, _ in settling.look({A: version(size)}, now):
            given_sizes.append(found.size)
            assert sizes[now - looks : now + 1] == [size] * (looks + 1)
    assert all(before != after for before, after in itertools.pairwise(given_sizes))
