"""Answers are never lost, whatever happens to classes; what people say together is told without bias."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from morphoscope.archive import (
    Archive,
    add_class,
    add_task,
    add_tasks_of,
    adjudicate,
    agreement,
    allow_several,
    answer_history,
    class_history,
    consensus,
    current_answers,
    define_class,
    disagreements,
    embedding_map,
    give_answer,
    label_task,
    merge_classes,
    queue,
    rename_class,
    search,
    select,
    split_class,
    undo_answer,
)
from morphoscope.archive.annotation.sheet import answers_table
from morphoscope.archive.export import label_sheet, table
from morphoscope.data.task_labels import read_task
from morphoscope.errors import ArchiveError
from morphoscope.io.label_sheet import read_sheet
from morphoscope.schema import Schema, Task

TASK = "Morphology"


@pytest.fixture
def asked(filled: Archive) -> Archive:
    """People label the morphology of the twelve pictures."""
    add_task(filled, TASK, ["Cube", "Rod", "Fibre"], "ann")
    return filled


def said(archive: Archive) -> dict[int, str | None]:
    """The consensus by picture."""
    return {picture: one.class_name for picture, one in consensus(archive, TASK).items()}


def test_the_last_answer_holds_and_undoing_brings_back_the_one_before(asked: Archive) -> None:
    give_answer(asked, 1, TASK, "Cube", "ann")
    second = give_answer(asked, 1, TASK, "Rod", "ann")
    assert said(asked) == {1: "Rod"}
    undo_answer(asked, second, "ann")
    assert said(asked) == {1: "Cube"}
    with pytest.raises(ArchiveError, match=f"ann has no answer number {second} to undo"):
        undo_answer(asked, second, "ann")
    history = answer_history(asked, 1)
    assert [(one.kind, one.given, one.is_undone) for one in history] == [
        ("answer", "Cube", False),
        ("answer", "Rod", True),
        ("undo", "", False),
    ]


def test_nobody_undoes_anothers_answer(asked: Archive) -> None:
    first = give_answer(asked, 1, TASK, "Cube", "ann")
    with pytest.raises(ArchiveError, match="bob has no answer"):
        undo_answer(asked, first, "bob")


@pytest.mark.parametrize(
    ("picture", "task", "name", "annotator", "sentence"),
    [
        (1, "Morfology", "Cube", "ann", "Did you mean 'Morphology'"),
        (1, TASK, "Cubes", "ann", "Did you mean 'Cube'"),
        (99, TASK, "Cube", "ann", "no picture number 99"),
        (1, TASK, "Cube", " ", "without a name"),
    ],
)
def test_what_cannot_be_answered_is_said(
    asked: Archive, picture: int, task: str, name: str, annotator: str, sentence: str
) -> None:
    with pytest.raises(ArchiveError, match=sentence):
        give_answer(asked, picture, task, name, annotator)
    assert not answer_history(asked, 1)


def test_a_renamed_class_keeps_its_answers_and_their_words(asked: Archive) -> None:
    give_answer(asked, 1, TASK, "Rod", "ann")
    rename_class(asked, TASK, "Rod", "Nanorod", "bob")
    (answer,) = current_answers(asked, TASK)
    assert (answer.class_name, answer.given) == ("Nanorod", "Rod")
    assert search(asked, "Morphology.label=Nanorod").hits[0].id == 1
    assert class_history(asked, TASK)[-1] | {"made_at": ""} == {
        "made_at": "",
        "annotator": "bob",
        "kind": "class renamed",
        "class": 2,
        "from": "Rod",
        "to": "Nanorod",
    }
    with pytest.raises(ArchiveError, match="'Nanorod' is taken"):
        rename_class(asked, TASK, "Cube", "Nanorod", "bob")


def test_merged_classes_mean_the_new_one_also_when_merged_again(asked: Archive) -> None:
    give_answer(asked, 1, TASK, "Rod", "ann")
    give_answer(asked, 2, TASK, "Fibre", "ann")
    merge_classes(asked, TASK, ["Rod", "Fibre"], "Elongated", "ann")
    assert said(asked) == {1: "Elongated", 2: "Elongated"}
    merge_classes(asked, TASK, ["Elongated", "Cube"], "Cube", "ann")
    assert said(asked) == {1: "Cube", 2: "Cube"}
    assert [one.name for one in label_task(asked, TASK).open_classes] == ["Cube"]
    assert [one.given for one in current_answers(asked, TASK)] == ["Rod", "Fibre"]
    add_class(asked, TASK, "Rod", "ann", "a new class of an old name")
    assert said(asked) == {1: "Cube", 2: "Cube"}


def test_answers_of_a_split_class_are_asked_again_or_kept(asked: Archive) -> None:
    give_answer(asked, 1, TASK, "Rod", "ann")
    give_answer(asked, 2, TASK, "Cube", "ann")
    split_class(asked, TASK, "Rod", ["Thin rod", "Thick rod"], "ann")
    assert said(asked) == {1: None, 2: "Cube"}
    assert consensus(asked, TASK)[1].is_outdated
    assert queue(asked, TASK, "audit", "ann", 3)[0] == 1
    give_answer(asked, 1, TASK, "Thin rod", "ann")
    split_class(asked, TASK, "Cube", ["Cube", "Box"], "ann", keep="Cube")
    assert said(asked) == {1: "Thin rod", 2: "Cube"}
    with pytest.raises(ArchiveError, match="expected two classes or more"):
        split_class(asked, TASK, "Box", ["Box"], "ann")


def test_classes_have_definitions_with_examples(asked: Archive) -> None:
    define_class(asked, TASK, "Cube", "ann", "six equal faces", [2, 5])
    define_class(asked, TASK, "Cube", "bob", examples=[3])
    cube = label_task(asked, TASK).classes[0]
    assert (cube.definition, cube.examples) == ("six equal faces", (3,))
    assert [event["annotator"] for event in class_history(asked, TASK) if event["kind"] == "class defined"] == ["ann", "bob"]


def test_a_models_tasks_can_be_asked(filled: Archive) -> None:
    from morphoscope.archive import known_models

    schema = known_models(filled)[0].schema
    assert [task.name for task in add_tasks_of(filled, schema, "ann")] == ["Morphology", "Crystal system"]
    assert add_tasks_of(filled, schema, "ann") == []


def test_the_majority_holds_a_tie_says_nothing_and_the_adjudicator_settles(asked: Archive) -> None:
    for annotator, names in {"ann": "Cube Rod Cube", "bob": "Rod Rod Rod", "cyd": "Cube - Fibre"}.items():
        for picture, name in enumerate(names.split(), 1):
            give_answer(asked, picture, TASK, None if name == "-" else name, annotator)
    assert said(asked) == {1: "Cube", 2: "Rod", 3: None}
    assert [one.picture for one in disagreements(asked, TASK)] == [1, 3]
    assert queue(asked, TASK, "disagreement", "dan", 5)[:2] == [1, 3]
    assert queue(asked, TASK, "disagreement", "ann", 5) == []
    word = adjudicate(asked, 3, TASK, "Fibre", "eve")
    assert said(asked)[3] == "Fibre" and [one.picture for one in disagreements(asked, TASK)] == [1]
    undo_answer(asked, word, "eve")
    assert said(asked)[3] is None


def test_agreement_leaves_out_what_is_unsure(asked: Archive) -> None:
    for picture in range(1, 9):
        give_answer(asked, picture, TASK, "Cube" if picture % 2 else "Rod", "ann")
        give_answer(asked, picture, TASK, "Cube" if picture in (1, 3, 5, 7, 8) else "Rod", "bob")
    give_answer(asked, 9, TASK, None, "ann")
    found = agreement(asked, TASK)
    pair = found.pairs["ann", "bob"]
    assert pair.n == 8 and pair.kappa == pytest.approx(0.75)
    assert found.n_unsure == 1 and found.fleiss.n == 8
    assert found.per_class["Fibre"].kappa is None


CONTENT = "Content"


@pytest.fixture
def several(filled: Archive) -> Archive:
    """People say which of three things are in a picture; several can be."""
    (task,) = add_tasks_of(filled, Schema((Task(CONTENT, ("Particles", "Nanowires", "Film"), True),)), "ann")
    assert task.is_multilabel
    return filled


def test_several_classes_are_one_answer_in_the_order_of_the_task(several: Archive) -> None:
    first = give_answer(several, 1, CONTENT, "Nanowires|Particles", "ann")
    second = give_answer(several, 1, CONTENT, "Film", "ann")
    assert [one.class_name for one in current_answers(several, CONTENT)] == ["Film"]
    undo_answer(several, second, "ann")
    assert [one.class_name for one in current_answers(several, CONTENT)] == ["Particles|Nanowires"]
    assert [one.given for one in answer_history(several, 1)] == ["Particles|Nanowires", "Film", ""] and first < second
    assert [one.id for one in search(several, "Content.label=Nanowires").hits] == [1]
    with pytest.raises(ArchiveError, match=r"has no class 'Films'.*Did you mean 'Film'"):
        give_answer(several, 1, CONTENT, "Particles|Films", "ann")
    with pytest.raises(ArchiveError, match="has no class ''"):
        give_answer(several, 1, CONTENT, "", "ann")
    add_task(several, TASK, ["Cube", "Rod"], "ann")
    with pytest.raises(ArchiveError, match=r"'Cube\|Rod' names 2 classes of 'Morphology'; expected one"):
        give_answer(several, 1, TASK, "Cube|Rod", "ann")


def test_each_class_of_several_is_voted_on_by_itself(several: Archive) -> None:
    votes = {
        1: ("Particles|Film", "Particles|Nanowires", "Particles"),  # most name particles alone
        2: ("Particles|Film", "Film|Particles", None),
        3: ("Particles", "Particles|Film", None),  # a tie on the film
        4: ("Particles", "Nanowires", "Film"),  # nothing has a majority
    }
    for picture, names in votes.items():
        for annotator, name in zip(("ann", "bob", "cyd"), names, strict=True):
            give_answer(several, picture, CONTENT, name, annotator)
    found = consensus(several, CONTENT)
    assert {number: one.class_name for number, one in found.items()} == {1: "Particles", 2: "Particles|Film", 3: None, 4: None}
    assert [one.picture for one in disagreements(several, CONTENT)] == [1, 3, 4]
    adjudicate(several, 3, CONTENT, "Film|Particles", "eve")
    assert consensus(several, CONTENT)[3].class_name == "Particles|Film"
    assert not consensus(several, CONTENT)[2].is_disputed


def test_agreement_on_several_is_class_by_class_and_pooled(several: Archive) -> None:
    said_by = {
        "ann": ["Particles", "Particles|Film", "Film", "Nanowires"],
        "bob": ["Particles", "Particles", "Film", "Nanowires"],
    }
    for annotator, answers in said_by.items():
        for picture, name in enumerate(answers, 1):
            give_answer(several, picture, CONTENT, name, annotator)
    found = agreement(several, CONTENT)
    assert found.per_class["Particles"].kappa == pytest.approx(1) and found.per_class["Nanowires"].kappa == pytest.approx(1)
    assert found.per_class["Film"].kappa == pytest.approx((3 / 4 - 34 / 64) / (1 - 34 / 64)), "3 of 8 answers name a film"
    pair = found.pairs["ann", "bob"]
    observed, chance = 11 / 12, (1 / 2 + 10 / 16 + 1 / 2) / 3
    assert pair.n == 4 and pair.kappa == pytest.approx((observed - chance) / (1 - chance))
    assert found.fleiss.n == 4 and found.fleiss.kappa is not None


def test_classes_of_several_change_and_answers_follow(several: Archive) -> None:
    give_answer(several, 1, CONTENT, "Particles|Nanowires", "ann")
    give_answer(several, 2, CONTENT, "Particles|Film", "ann")
    merge_classes(several, CONTENT, ["Nanowires"], "Particles", "ann")
    now = {one.picture: one.class_name for one in current_answers(several, CONTENT)}
    assert now == {1: "Particles", 2: "Particles|Film"}
    split_class(several, CONTENT, "Film", ["Dense film", "Porous film"], "ann")
    assert {one.picture: one.is_outdated for one in current_answers(several, CONTENT)} == {1: False, 2: True}
    assert queue(several, CONTENT, "audit", "ann", 2)[0] == 2


def test_a_task_may_take_several_later_and_one_again(asked: Archive) -> None:
    give_answer(asked, 1, TASK, "Cube", "ann")
    allow_several(asked, TASK, True, "ann")
    give_answer(asked, 2, TASK, "Cube|Rod", "ann")
    assert said(asked) == {1: "Cube", 2: "Cube|Rod"}
    allow_several(asked, TASK, False, "bob")
    assert said(asked) == {1: "Cube", 2: None} and consensus(asked, TASK)[2].is_outdated
    assert [event["kind"] for event in class_history(asked, TASK)][-2:] == ["several allowed", "one class only"]
    allow_several(asked, TASK, True, "bob")
    assert said(asked) == {1: "Cube", 2: "Cube|Rod"}, "nothing was lost"


def test_training_reads_several_classes_from_the_sheet(several: Archive, tmp_path: Path) -> None:
    give_answer(several, 1, CONTENT, "Nanowires|Particles", "ann")
    give_answer(several, 2, CONTENT, "Film", "ann")
    label_sheet(several, select(several)).to_csv(tmp_path / "labels.csv", index=False)
    cells = read_sheet(tmp_path / "labels.csv")[CONTENT].tolist()
    assert cells == ["Particles|Nanowires", "Film"]
    read = read_task(CONTENT, dict(enumerate(cells)), 2)
    assert read.task.is_multilabel and read.labels == {0: ("Nanowires", "Particles"), 1: ("Film",)}


def test_no_queue_shows_what_was_answered_or_cannot_be_seen(asked: Archive) -> None:
    for order in ("informative", "audit"):
        everything = queue(asked, TASK, order, "ann", 50)  # type: ignore[arg-type]
        assert sorted(everything) == list(range(1, 12)), order
        assert queue(asked, TASK, order, "ann", 50) == everything  # type: ignore[arg-type]
    give_answer(asked, 4, TASK, "Cube", "ann")
    assert 4 not in queue(asked, TASK, "audit", "ann", 50)
    assert 4 in queue(asked, TASK, "audit", "bob", 50)
    assert 4 not in queue(asked, TASK, "informative", "bob", 50)
    assert queue(asked, TASK, "audit", "bob", 3) == queue(asked, TASK, "audit", "cyd", 3)
    with pytest.raises(ArchiveError, match="Did you mean 'audit'"):
        queue(asked, TASK, "audits", "ann")  # type: ignore[arg-type]


def test_the_model_sure_of_another_class_is_a_disagreement(asked: Archive) -> None:
    give_answer(asked, 9, TASK, "Cube", "ann")  # the model says Rod
    give_answer(asked, 3, TASK, "Rod", "ann")  # and agrees here
    assert queue(asked, TASK, "disagreement", "bob", 5) == [9, 3]


def test_the_sheet_is_one_that_training_reads(asked: Archive, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="none of 12 pictures has an answer that annotators agree on"):
        label_sheet(asked, select(asked))
    give_answer(asked, 1, TASK, "Cube", "ann")
    give_answer(asked, 2, TASK, "Rod", "ann")
    give_answer(asked, 2, TASK, "Cube", "bob")
    sheet = label_sheet(asked, select(asked))
    assert sheet.to_dict("records")[0].items() >= {TASK: "Cube", "Sample": "S1"}.items() and len(sheet) == 1
    sheet.to_csv(tmp_path / "labels.csv", index=False)
    assert list(read_sheet(tmp_path / "labels.csv").columns) == ["filename", TASK, "Sample"]
    both = label_sheet(asked, select(asked, "state=ok"), "both")
    assert both[TASK].tolist()[0] == "Cube" and len(both) == 5, "and four of which the model is sure"
    everything = answers_table(asked)
    assert everything["annotator"].tolist() == ["ann", "ann", "bob"]
    hits = table(asked, select(asked, "gold"))
    assert hits["Morphology.label"].tolist() == ["Cube", "", "", "", ""]


def test_the_map_is_kept_and_later_pictures_move_nothing(asked: Archive) -> None:
    first = embedding_map(asked)
    assert first.ids.tolist() == list(range(1, 12))
    assert max(abs(first.x).max(), abs(first.y).max()) == pytest.approx(1)
    with Archive.open(asked.path) as other:
        again = embedding_map(other)
    assert again.x.tolist() == first.x.tolist() and again.y.tolist() == first.y.tolist()


def test_four_annotators_and_four_readers_at_once_lose_nothing(asked: Archive) -> None:
    errors: list[BaseException] = []
    n_answers, writing = 30, threading.Barrier(8)

    def annotate(name: str) -> None:
        with Archive.open(asked.path) as mine:
            writing.wait()
            for number in range(n_answers):
                give_answer(mine, 1 + number % 11, TASK, ("Cube", "Rod")[number % 2], name)

    def read() -> None:
        with Archive.open(asked.path) as mine:
            writing.wait()
            for _ in range(n_answers):
                assert search(mine, "like:3 gold").total == 5
                consensus(mine, TASK)

    def guarded(work: object, *arguments: str) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(annotate, f"person {i}")) for i in range(4)]
    threads += [threading.Thread(target=guarded, args=(read,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    (count,) = asked.connection.execute("SELECT count(*) FROM answer").fetchone()
    assert count == 4 * n_answers
