"""Annotation as the API tells it and takes it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from morphoscope import archive as archives
from morphoscope.apps.web.answers.annotation import AnnotationTask, ClassDefinition, TaskChange
from morphoscope.apps.web.answers.pictures import Prediction, TaskAnswer
from morphoscope.apps.web.archived import archived_prediction
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.services import Services
from morphoscope.archive import Archive
from morphoscope.errors import ArchiveError, MorphoscopeError


def annotation_tasks(archive: Archive) -> list[AnnotationTask]:
    """All tasks with the classes that can be answered."""
    return [
        AnnotationTask(
            name=task.name,
            classes=[
                ClassDefinition(name=one.name, definition=one.definition, examples=[f"a{number}" for number in one.examples])
                for one in task.open_classes
            ],
            multi_label=task.is_multilabel,
        )
        for task in archives.label_tasks(archive)
    ]


def changed_task(archive: Archive, asked: TaskChange, who: str) -> None:
    """Does one change. Raises ArchiveError, RefusalError."""
    task, name, to = asked.task, asked.name, asked.to
    if asked.change == "add":
        with archive.writing():
            if task not in {one.name for one in archives.label_tasks(archive)}:
                archives.add_task(archive, task, [], who, is_multilabel=asked.multi_label)
            archives.add_class(archive, task, name, who, asked.definition)
            if asked.examples:
                archives.define_class(archive, task, name, who, examples=_numbers(archive, asked.examples))
    elif asked.change == "define":
        archives.define_class(archive, task, name, who, asked.definition, _numbers(archive, asked.examples))
    elif asked.change == "several":
        archives.allow_several(archive, task, asked.multi_label, who)
    elif asked.change == "split":
        archives.split_class(archive, task, name, to, who)
    elif len(to) != 1:
        raise RefusalError(422, f"{asked.change} takes one name in 'to', found {len(to)}; expected the new one. Fill it in.")
    elif asked.change == "rename":
        archives.rename_class(archive, task, name, to[0], who)
    else:
        archives.merge_classes(archive, task, [name], to[0], who)


def number_of(archive: Archive, key: str) -> int:
    """The archive's number of a picture. Raises RefusalError (404)."""
    if not (key[:1] == "a" and key[1:].isascii() and key[1:].isdecimal() and len(key) < 17):
        raise RefusalError(404, f"'{key}' is no picture of the archive; expected a key such as a12. Search again.")
    try:
        return archives.picture(archive, int(key[1:])).id
    except ArchiveError as error:
        raise RefusalError(404, str(error)) from error


def guess_of(services: Services, key: str, task: str) -> TaskAnswer | None:
    """What the model says of a task; None where it doesn't know the task or can't read the picture."""
    prediction = _prediction(services, key)
    return next((one for one in prediction.tasks if one.task == task), None) if prediction else None


def _prediction(services: Services, key: str) -> Prediction | None:
    source = services.desk.source(key)
    stored = archived_prediction(services.needed_archive, source, services.classifier)
    if stored or services.classifier is None:
        return stored
    with suppress(MorphoscopeError):
        return services.desk.prediction(key)
    return None


def _numbers(archive: Archive, keys: Sequence[str]) -> list[int]:
    return [number_of(archive, key) for key in keys]
