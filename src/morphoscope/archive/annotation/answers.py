"""Answers of people: only ever added. Undoing is an event of its own, and so is the word that settles a disagreement."""

from __future__ import annotations

import json
from dataclasses import dataclass

from morphoscope.archive.annotation.tasks import LabelTask, label_task, label_tasks
from morphoscope.archive.store import Archive, now
from morphoscope.errors import ArchiveError, did_you_mean
from morphoscope.schema import CLASS_SEPARATOR

ANSWER, ADJUDICATION, UNDO = "answer", "adjudication", "undo"


@dataclass(frozen=True)
class Answer:
    """One answer. class_name: the class that it means now (several of a multi-label task: `A|B`), None where the annotator was
    unsure or (`is_outdated`) a class was split since and it must be asked again. given: what was given then; blank: unsure."""

    id: int
    picture: int
    task: str
    annotator: str
    kind: str
    class_name: str | None
    given: str
    made_at: str
    is_outdated: bool = False
    is_undone: bool = False


def give_answer(archive: Archive, picture: int, task: str, class_name: str | None, annotator: str) -> int:
    """Records an annotator's answer, in place of an earlier one of theirs; None is unsure. Its number, for undoing.

    class_name: one class, or several of a multi-label task in any order (`A|B`).

    Raises ArchiveError for a picture, task or class that there isn't, and for a blank annotator.
    """
    return _record(archive, picture, task, class_name, annotator, ANSWER)


def adjudicate(archive: Archive, picture: int, task: str, class_name: str, annotator: str) -> int:
    """Settles what a picture is, whatever the annotators say."""
    return _record(archive, picture, task, class_name, annotator, ADJUDICATION)


def undo_answer(archive: Archive, answer: int, annotator: str) -> int:
    """Takes an answer back; the one before it holds again. The number of that event.

    Raises ArchiveError where there is no such answer of this annotator, or it is undone already.
    """
    with archive.writing() as connection:
        row = connection.execute(
            "SELECT a.picture, a.task, a.annotator, a.kind, u.id FROM answer a LEFT JOIN answer u ON u.undoes = a.id WHERE a.id = ?",
            (answer,),
        ).fetchone()
        if row is None or row[3] == UNDO or row[2] != annotator or row[4] is not None:
            raise ArchiveError(
                f"{archive.path}: {annotator} has no answer number {answer} to undo; expected one that was given and not undone. "
                "Look the pictures up again."
            )
        cursor = connection.execute(
            "INSERT INTO answer (made_at, annotator, kind, picture, task, given, hash, undoes) "
            "SELECT ?, ?, ?, id, ?, '', hash, ? FROM picture WHERE id = ?",
            (now(), annotator, UNDO, row[1], answer, row[0]),
        )
        return int(cursor.lastrowid or 0)


def current_answers(archive: Archive, task: str, picture: int | None = None) -> list[Answer]:
    """The answer that holds of each annotator and picture, by picture; not the adjudications."""
    return _holding(archive, label_task(archive, task), ANSWER, "a.picture, a.annotator", picture)


def adjudications(archive: Archive, task: str, picture: int | None = None) -> dict[int, Answer]:
    """The word that settles, by picture."""
    return {one.picture: one for one in _holding(archive, label_task(archive, task), ADJUDICATION, "a.picture", picture)}


def answer_history(archive: Archive, picture: int) -> list[Answer]:
    """Everything that was ever said of a picture, the first first, undone answers too."""
    tasks = {task.id: task for task in label_tasks(archive)}
    rows = archive.connection.execute(
        f"{_SELECT}, u.id FROM answer a LEFT JOIN answer u ON u.undoes = a.id WHERE a.picture = ? ORDER BY a.id",
        (picture,),
    ).fetchall()
    return [_answer(tasks[row[2]], row[:9], is_undone=row[9] is not None) for row in rows]


def annotators(archive: Archive) -> list[str]:
    """Everyone who answered anything."""
    rows = archive.connection.execute("SELECT DISTINCT annotator FROM answer WHERE kind = ? ORDER BY annotator", (ANSWER,))
    return [row[0] for row in rows]


_SELECT = "SELECT a.id, a.picture, a.task, a.annotator, a.kind, a.class, a.further, a.given, a.made_at"


def _holding(archive: Archive, task: LabelTask, kind: str, group: str, picture: int | None) -> list[Answer]:
    # SQLite takes the bare columns of a group from the row that has its maximum.
    of_picture = "" if picture is None else "AND a.picture = ?"
    rows = archive.connection.execute(
        f"{_SELECT}, max(a.id) FROM answer a LEFT JOIN answer u ON u.undoes = a.id "
        f"WHERE a.task = ? AND a.kind = ? AND u.id IS NULL {of_picture} GROUP BY {group} ORDER BY a.picture, a.annotator",
        (task.id, kind) if picture is None else (task.id, kind, picture),
    ).fetchall()
    return [_answer(task, row[:9]) for row in rows]


def _answer(task: LabelTask, row: tuple[int, int, int, str, str, int | None, str, str, str], is_undone: bool = False) -> Answer:
    number, picture, _, annotator, kind, class_id, further, given, made_at = row
    meant = task.meaning([] if class_id is None else [class_id, *json.loads(further)])
    is_outdated = class_id is not None and meant is None
    return Answer(number, picture, task.name, annotator, kind, meant, given, made_at, is_outdated, is_undone)


def _record(archive: Archive, picture: int, task: str, class_name: str | None, annotator: str, kind: str) -> int:
    if not annotator.strip():
        raise ArchiveError(f"{archive.path}: an answer came without a name; expected who gave it. Say who you are.")
    with archive.writing() as connection:
        asked = label_task(archive, task)
        given = "" if class_name is None else asked.joined(_chosen(archive, asked, class_name))
        ids = {one.name: one.id for one in asked.open_classes}
        first, *further = [ids[name] for name in given.split(CLASS_SEPARATOR)] if given else [None]
        cursor = connection.execute(
            "INSERT INTO answer (made_at, annotator, kind, picture, task, class, further, given, hash) "
            "SELECT ?, ?, ?, id, ?, ?, ?, ?, hash FROM picture WHERE id = ?",
            (now(), annotator.strip(), kind, asked.id, first, json.dumps(further), given, picture),
        )
        if cursor.rowcount != 1:
            raise ArchiveError(
                f"{archive.path}: it has no picture number {picture}; expected one that a search gave. Search again."
            )
        return int(cursor.lastrowid or 0)


def _chosen(archive: Archive, task: LabelTask, text: str) -> list[str]:
    """The classes that an answer names. Raises ArchiveError."""
    classes = [one.name for one in task.open_classes]
    chosen = text.split(CLASS_SEPARATOR)
    for name in chosen:
        if name not in classes:
            raise ArchiveError(
                f"{archive.path}: '{task.name}' has no class '{name}'; expected one of {', '.join(classes)}."
                f"{did_you_mean(name, classes)} Add the class, or choose another."
            )
    if len(chosen) > 1 and not task.is_multilabel:
        raise ArchiveError(
            f"{archive.path}: '{text}' names {len(chosen)} classes of '{task.name}'; expected one. Choose one, or let the task take "
            "several at once."
        )
    return chosen
