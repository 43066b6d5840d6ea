"""Jobs in processes: results as they end, talk both ways, and a process that ends costs its job only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from morphoscope.apps.verbs.workers import Failure, in_workers
from morphoscope.errors import MorphoscopeError


def work(job: str, talk: Callable[[Any], Any]) -> str:
    if job == "ends":
        os._exit(3)
    if job == "refuses":
        raise MorphoscopeError("the picture is too small")
    if job == "breaks":
        raise ValueError("shapes differ\nand more")
    return f"{job} {talk(job)}"


@pytest.mark.parametrize("count", [1, 2])
def test_a_job_that_fails_is_a_sentence_and_the_others_go_on(count: int) -> None:
    jobs = ["first", "refuses", "breaks", *(["ends"] if count > 1 else []), "last"]
    found = dict(in_workers(work, iter(jobs), count, lambda job, said: said.upper()))
    assert set(found) == set(jobs)
    assert [found["first"], found["last"]] == ["first FIRST", "last LAST"]
    failures = {job: outcome.sentence for job, outcome in found.items() if isinstance(outcome, Failure)}
    assert failures["refuses"] == "the picture is too small"
    assert failures["breaks"] == "it failed (ValueError: shapes differ)."
    if count > 1:
        assert "its process was ended" in failures["ends"]


def test_what_came_out_may_decide_what_comes_next() -> None:
    seen: list[str] = []

    def jobs() -> Any:
        yield "one"
        yield seen[-1] + "!"

    for _, outcome in in_workers(work, jobs(), 1, lambda job, said: ""):
        seen.append(str(outcome).strip())
    assert seen == ["one", "one!"]


def test_a_script_that_starts_workers_is_not_run_by_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from morphoscope.apps.verbs.workers import in_workers\n"
        "print('began', flush=True)\n"
        "print(len(list(in_workers(print, iter(['a', 'b', 'c']), 2, print))), __file__)\n",
        encoding="utf-8",
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, encoding="utf-8", check=True)
    assert found.stdout.count("began") == 1
    assert found.stdout.rstrip().endswith(f"3 {script}")
