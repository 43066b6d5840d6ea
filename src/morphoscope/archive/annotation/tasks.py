"""Tasks and classes that people label by. Changing them changes no answer: a class that was merged or split stays, closed,
and leads to what its answers mean now. Every change is an event with its time and its author."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from morphoscope.archive.store import Archive, now
from morphoscope.errors import ArchiveError, did_you_mean
from morphoscope.schema import CLASS_SEPARATOR, Schema

OPEN, MERGED, SPLIT = "open", "merged", "split"


@dataclass(frozen=True)
class LabelClass:
    """A class. definition: what belongs to it; examples: numbers of pictures that show it. state: open, merged or split;
    successor: the class that its answers mean now, by number."""

    id: int
    name: str
    definition: str
    examples: tuple[int, ...]
    state: str
    successor: int | None


@dataclass(frozen=True)
class LabelTask:
    """A question. classes: all that there ever were, in order. Multi-label: several can hold at once."""

    id: int
    name: str
    classes: tuple[LabelClass, ...]
    is_multilabel: bool = False

    @property
    def open_classes(self) -> tuple[LabelClass, ...]:
        """Those that can be answered."""
        return tuple(one for one in self.classes if one.state == OPEN)

    def meaning(self, class_ids: Sequence[int]) -> str | None:
        """What an answer means now, as a cell of a label sheet holds it (`Particles|Nanowires`), in the task's order.

        None where it was unsure, or must be asked again: a class of it was split, or it names several where only one can hold.
        """
        by_id = {one.id: one for one in self.classes}
        meant = set()
        for number in class_ids:
            one: LabelClass | None = by_id[number]
            while one is not None and one.state != OPEN:
                one = by_id[one.successor] if one.successor is not None else None
            if one is None:
                return None
            meant.add(one.name)
        return self.joined(meant) if len(meant) == 1 or (meant and self.is_multilabel) else None

    def joined(self, names: Iterable[str]) -> str:
        """Names of open classes as a cell of a label sheet holds them, `Particles|Nanowires`: in the task's order, each once."""
        named = set(names)
        return CLASS_SEPARATOR.join(one.name for one in self.open_classes if one.name in named)


def label_tasks(archive: Archive) -> list[LabelTask]:
    """All tasks with their classes."""
    rows = archive.connection.execute(
        "SELECT task, id, name, definition, examples, state, successor FROM class ORDER BY task, position, id"
    ).fetchall()
    classes: dict[int, list[LabelClass]] = {}
    for task, number, name, definition, examples, state, successor in rows:
        one = LabelClass(number, name, definition, tuple(json.loads(examples)), state, successor)
        classes.setdefault(task, []).append(one)
    tasks = archive.connection.execute("SELECT id, name, is_multilabel FROM task ORDER BY id").fetchall()
    return [LabelTask(number, name, tuple(classes.get(number, ())), bool(several)) for number, name, several in tasks]


def label_task(archive: Archive, name: str) -> LabelTask:
    """The task of that name. Raises ArchiveError that lists those there are."""
    tasks = {task.name: task for task in label_tasks(archive)}
    if name not in tasks:
        raise ArchiveError(
            f"{archive.path}: people label no task '{name}'; expected one of {', '.join(tasks) or 'none yet'}."
            f"{did_you_mean(name, tasks)} Add the task first."
        )
    return tasks[name]


def add_task(archive: Archive, name: str, classes: Sequence[str], annotator: str, *, is_multilabel: bool = False) -> LabelTask:
    """A new task. Raises ArchiveError for a name that is taken or blank."""
    name = _checked(archive, name, "task", [task.name for task in label_tasks(archive)])
    with archive.writing() as connection:
        number = int(
            connection.execute("INSERT INTO task (name, is_multilabel) VALUES (?, ?)", (name, is_multilabel)).lastrowid or 0
        )
        _log(connection, annotator, "task added", number, {"name": name, "is_multilabel": is_multilabel})
        for one in classes:
            _insert(archive, connection, label_task(archive, name), one, annotator)
    return label_task(archive, name)


def add_tasks_of(archive: Archive, schema: Schema, annotator: str) -> list[LabelTask]:
    """The tasks of a model, those that people label already left as they are."""
    known = {task.name for task in label_tasks(archive)}
    return [
        add_task(archive, task.name, task.classes, annotator, is_multilabel=task.is_multilabel)
        for task in schema.tasks
        if task.name not in known
    ]


def allow_several(archive: Archive, task: str, is_multilabel: bool, annotator: str) -> None:
    """Whether several classes can hold at once. Where they can't any more, answers that name several are asked again."""
    with archive.writing() as connection:
        asked = label_task(archive, task)
        connection.execute("UPDATE task SET is_multilabel = ? WHERE id = ?", (is_multilabel, asked.id))
        _log(connection, annotator, "several allowed" if is_multilabel else "one class only", asked.id, {})
        _all_changed(connection, asked.id)


def add_class(archive: Archive, task: str, name: str, annotator: str, definition: str = "") -> LabelClass:
    """A new class at the end. Raises ArchiveError for a name that is taken or blank."""
    with archive.writing() as connection:
        return _insert(archive, connection, label_task(archive, task), name, annotator, definition)


def define_class(
    archive: Archive, task: str, name: str, annotator: str, definition: str | None = None, examples: Sequence[int] | None = None
) -> None:
    """Says what belongs to a class, in words and by example pictures; None leaves it."""
    with archive.writing() as connection:
        asked = label_task(archive, task)
        one = _open_class(archive, asked, name)
        shown = None if examples is None else json.dumps([int(number) for number in examples])
        connection.execute(
            "UPDATE class SET definition = coalesce(?, definition), examples = coalesce(?, examples) WHERE id = ?",
            (definition, shown, one.id),
        )
        detail = {"class": one.id, "name": name, "before": one.definition, "definition": definition, "examples": examples}
        _log(connection, annotator, "class defined", asked.id, detail)


def rename_class(archive: Archive, task: str, old: str, new: str, annotator: str) -> None:
    """Another name for a class; answers under the old one keep saying which name was given."""
    with archive.writing() as connection:
        asked = label_task(archive, task)
        one = _open_class(archive, asked, old)
        others = [each.name for each in asked.open_classes if each.id != one.id]
        new = _checked(archive, new, "class", others)
        connection.execute("UPDATE class SET name = ? WHERE id = ?", (new, one.id))
        _log(connection, annotator, "class renamed", asked.id, {"class": one.id, "from": old, "to": new})
        _all_changed(connection, asked.id)


def merge_classes(archive: Archive, task: str, names: Sequence[str], into: str, annotator: str) -> None:
    """Closes classes whose answers now mean `into`, which is one of them, another class, or a new one."""
    with archive.writing() as connection:
        asked = label_task(archive, task)
        merged = [_open_class(archive, asked, name) for name in dict.fromkeys(names)]
        target = next((one for one in asked.open_classes if one.name == into), None)
        target = target or _insert(archive, connection, asked, into, annotator)
        closed = [one for one in merged if one.id != target.id]
        if not closed:
            raise ArchiveError(
                f"{archive.path}: merging {', '.join(names) or 'no class'} into '{into}' changes nothing; expected a class besides "
                "it. Name one."
            )
        connection.executemany(
            "UPDATE class SET state = ?, successor = ? WHERE id = ?", [(MERGED, target.id, one.id) for one in closed]
        )
        detail = {"classes": [one.id for one in closed], "names": [one.name for one in closed], "into": target.id, "name": into}
        _log(connection, annotator, "classes merged", asked.id, detail)
        _all_changed(connection, asked.id)


def split_class(archive: Archive, task: str, name: str, into: Sequence[str], annotator: str, keep: str | None = None) -> None:
    """Closes a class in favour of several. Its answers now mean `keep`, one of these, or are asked again where it is None."""
    with archive.writing() as connection:
        asked = label_task(archive, task)
        one = _open_class(archive, asked, name)
        if len(set(into)) < 2 or (keep is not None and keep not in into):
            raise ArchiveError(
                f"{archive.path}: '{name}' can't be split into {', '.join(into) or 'nothing'} keeping {keep}; expected two classes or "
                "more, of which the kept one is one. Name them."
            )
        connection.execute("UPDATE class SET state = ? WHERE id = ?", (SPLIT, one.id))
        parts = {}
        for each in dict.fromkeys(into):
            asked = label_task(archive, task)
            known = next((other for other in asked.open_classes if other.name == each), None)
            parts[each] = known or _insert(archive, connection, asked, each, annotator)
        if keep is not None:
            connection.execute("UPDATE class SET successor = ? WHERE id = ?", (parts[keep].id, one.id))
        detail = {"class": one.id, "name": name, "into": [part.id for part in parts.values()], "names": list(parts), "keep": keep}
        _log(connection, annotator, "class split", asked.id, detail)
        _all_changed(connection, asked.id)


def class_history(archive: Archive, task: str) -> list[dict[str, Any]]:
    """Every change of a task's classes, the first one first: made_at, annotator, kind, and what was changed."""
    rows = archive.connection.execute(
        "SELECT made_at, annotator, kind, detail FROM class_event WHERE task = ? ORDER BY id", (label_task(archive, task).id,)
    ).fetchall()
    return [{"made_at": at, "annotator": who, "kind": kind} | json.loads(detail) for at, who, kind, detail in rows]


def _insert(
    archive: Archive, connection: sqlite3.Connection, task: LabelTask, name: str, annotator: str, definition: str = ""
) -> LabelClass:
    name = _checked(archive, name, "class", [one.name for one in task.open_classes])
    position = len(task.classes)
    cursor = connection.execute(
        "INSERT INTO class (task, name, definition, position) VALUES (?, ?, ?, ?)", (task.id, name, definition, position)
    )
    number = int(cursor.lastrowid or 0)
    _log(connection, annotator, "class added", task.id, {"class": number, "name": name, "definition": definition})
    return LabelClass(number, name, definition, (), OPEN, None)


def _open_class(archive: Archive, task: LabelTask, name: str) -> LabelClass:
    names = {one.name: one for one in task.open_classes}
    if name not in names:
        raise ArchiveError(
            f"{archive.path}: '{task.name}' has no class '{name}'; expected one of {', '.join(names) or 'none yet'}."
            f"{did_you_mean(name, names)} Add the class, or name another."
        )
    return names[name]


def _checked(archive: Archive, name: str, what: str, taken: Sequence[str]) -> str:
    name = name.strip()
    if not name or CLASS_SEPARATOR in name or name in taken:
        why = "is taken" if name in taken else f"is blank or holds '{CLASS_SEPARATOR}'"
        raise ArchiveError(f"{archive.path}: the {what} name '{name}' {why}; expected a new one. Choose another.")
    return name


def _log(connection: sqlite3.Connection, annotator: str, kind: str, task: int, detail: dict[str, Any]) -> None:
    connection.execute(
        "INSERT INTO class_event (made_at, annotator, kind, task, detail) VALUES (?, ?, ?, ?, ?)",
        (now(), annotator, kind, task, json.dumps(detail)),
    )


def _all_changed(connection: sqlite3.Connection, task: int) -> None:
    """Pictures whose answers may mean something else now."""
    connection.execute(
        "UPDATE picture SET revision = (SELECT revision FROM archive) WHERE id IN (SELECT picture FROM answer WHERE task = ?)",
        (task,),
    )
