"""The search: it finds the better settings, ends poor trials early, and goes on after a kill as if there had been none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from morphoscope.errors import OutputError
from morphoscope.training.sweep.search import JOURNAL, Search
from morphoscope.training.sweep.space import Parameter
from morphoscope.training.sweep.trial import SweepScore

SPACE = [Parameter("fit.dropout", 0.0, 1.0), Parameter("model.branches", choices=(["image"], ["image", "texture"]))]


def score(value: float, epochs: int = 3, is_pruned: bool = False) -> SweepScore:
    return SweepScore(value, {"Shape": value}, 0.9, 1 - value, epochs, epochs, 100, 0.1, is_pruned)


def run(search: Search, most: int) -> Iterator[int]:
    """Trials that are right in the share `dropout`, and half as often without texture."""
    while asked := search.ask(most):
        number, values = asked
        value = values["fit.dropout"] * (1.0 if "texture" in values["model.branches"] else 0.5)
        goes_on, epoch = True, 0
        while goes_on and epoch < 5:
            epoch += 1
            goes_on = search.may_go_on(number, epoch, value * epoch / 5)
        search.tell(number, score(value * epoch / 5, epoch, not goes_on))
        yield number


def proposals(search: Search) -> list[tuple[object, ...]]:
    return [(record.number, record.state, *record.values.values()) for record in search.records()]


def test_it_prefers_what_is_better_and_ends_what_is_poor(tmp_path: Path) -> None:
    search = Search(tmp_path, SPACE, "these pictures", 0, "median")
    assert list(run(search, 25)) == list(range(25))
    best = search.best()
    assert best
    assert best.score
    assert best.values["model.branches"] == ["image", "texture"]
    assert best.score.validation_accuracy > 0.85
    states = {record.state for record in search.records()}
    assert states == {"complete", "pruned"}
    assert all(record.score and record.score.epochs < 5 for record in search.records() if record.state == "pruned")
    for shares in search.importances().values():
        assert set(shares) == {"fit.dropout", "model.branches"}
        assert sum(shares.values()) == pytest.approx(1)


def test_a_killed_search_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = Search(tmp_path / "whole", SPACE, "x", 3, "median")
    list(run(whole, 9))
    killed = Search(tmp_path / "killed", SPACE, "x", 3, "median")
    for _, number in zip(range(5), run(killed, 9), strict=False):
        assert number < 5
    asked = killed.ask(9)
    assert asked
    killed.may_go_on(asked[0], 1, 0.1)
    journal = tmp_path / "killed" / JOURNAL
    with journal.open("ab") as file:
        file.write(b'{"op_code": 8, "half a li')  # what a kill leaves of a line
    Path(f"{journal}.lock").touch()
    again = Search(tmp_path / "killed", SPACE, "x", 3, "median")
    assert next(iter(run(again, 9))) == asked[0]
    list(run(again, 9))
    assert [(n, *values) for n, _, *values in proposals(again)][:6] == [(n, *values) for n, _, *values in proposals(whole)][:6]
    assert len(again.records()) == 9
    assert not {"running", "failed"} & {record.state for record in again.records()}


def test_wherever_it_is_killed_the_proposals_are_the_same(tmp_path: Path) -> None:
    """Also between two settings of one trial: any line of the journal that begins one may be the last written."""
    (tmp_path / "whole").mkdir()
    whole = Search(tmp_path / "whole", SPACE, "x", 3, "median")
    list(run(whole, 8))
    lines = (tmp_path / "whole" / JOURNAL).read_bytes().splitlines(keepends=True)
    cuts = [count for count, line in enumerate(lines, start=1) if b"param_name" in line or b"datetime_start" in line]
    assert len(cuts) == 8 * (1 + len(SPACE))
    for count in cuts:
        folder = tmp_path / f"after {count}"
        folder.mkdir()
        (folder / JOURNAL).write_bytes(b"".join(lines[:count]))
        again = Search(folder, SPACE, "x", 3, "median")
        list(run(again, 8))
        assert proposals(again) == proposals(whole), lines[count - 1]


def test_another_search_is_not_gone_on_with(tmp_path: Path) -> None:
    Search(tmp_path, SPACE, "these pictures", 0, "none")
    with pytest.raises(OutputError, match="a sweep of other pictures"):
        Search(tmp_path, SPACE, "those pictures", 0, "none")


def test_failures_are_kept_and_never_the_best(tmp_path: Path) -> None:
    search = Search(tmp_path, SPACE, "x", 0, "hyperband")
    asked = search.ask(1)
    assert asked
    search.tell_failure(asked[0], "memory ran out")
    assert search.ask(1) is None
    (record,) = search.records()
    assert (record.state, record.error, record.score) == ("failed", "memory ran out", None)
    assert search.best() is None
    assert search.importances() == {}
