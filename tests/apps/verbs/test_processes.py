"""Many files through a few processes: in order, and none lost to another's crash."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from morphoscope.apps.verbs.processes import FEWEST_FILES, in_processes


def _work(number: int) -> int:
    if number == 5:
        os._exit(1)
    return number * number


def _lost(number: int) -> int:
    return -number


def _same(number: int) -> int:
    return number


def test_a_pool_that_broke_before_it_got_all_its_work_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = list(range(FEWEST_FILES))
    usual = ProcessPoolExecutor.submit

    def late(pool: ProcessPoolExecutor, work: Callable[[int], int], number: int) -> Future[int]:
        if number == 3 and not pools:  # as if the first item had ended its process by now
            pools.append(pool)
            raise BrokenProcessPool
        return usual(pool, work, number)

    pools: list[ProcessPoolExecutor] = []
    monkeypatch.setattr(ProcessPoolExecutor, "submit", late)
    assert list(in_processes(_same, numbers, _lost, workers=2, label="Reading")) == numbers


def test_few_files_stay_in_this_process() -> None:
    calls: list[int] = []
    assert list(in_processes(lambda n: calls.append(n) or n, [1, 2, 3], _lost, workers=4, label="Reading")) == [1, 2, 3]
    assert calls == [1, 2, 3]


@pytest.mark.parametrize("workers", [2])
def test_a_process_that_ends_costs_one_file_and_the_order_stays(workers: int) -> None:
    numbers = list(range(FEWEST_FILES + 4))
    results = list(in_processes(_work, numbers, _lost, workers=workers, label="Reading"))
    assert results == [-5 if number == 5 else number * number for number in numbers]
