"""How far a run is: by its steps exactly, by the clock where that is ahead, never back."""

from __future__ import annotations

import time

import pytest

from morphoscope.training.selfsupervised.course import Course


def test_without_a_deadline_it_is_the_share_of_the_steps() -> None:
    course = Course(7)
    course.begin()
    assert [course.at(step) for step in range(9)] == [step / 7 for step in range(8)] + [1]


def test_with_a_deadline_the_time_counts_where_it_is_ahead() -> None:
    course = Course(1000, time.monotonic() + 30)
    assert course.at(5) == 0.005, "time does not count before the run begins"
    course.begin()
    assert course.at(5) == pytest.approx(0.005, abs=0.1)
    assert course.at(900) == 0.9, "steps may be ahead"
    late = Course(1000, time.monotonic() - 1)
    late.begin()
    assert late.at(1) == 1


def test_it_goes_on_from_where_the_clock_had_brought_it() -> None:
    for deadline in (None, time.monotonic() + 60):
        course = Course(1000, deadline)
        course.reached = 0.5
        assert course.at(0) == 0.5, "asked by the schedule that is built anew"
        course.begin()
        assert course.at(10) == pytest.approx(0.5, abs=0.1)
        assert course.at(10) >= 0.5
