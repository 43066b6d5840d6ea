"""Annotation: tasks and their classes, answers of people, how far they agree, and what settles a disagreement."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from morphoscope import archive as archives
from morphoscope.apps.web.annotating import annotation_tasks, changed_task, guess_of, number_of
from morphoscope.apps.web.answers.annotation import (
    Adjudication,
    AnnotationTask,
    Answered,
    AnswerSheet,
    Disagreement,
    Recorded,
    TaskChange,
    Vote,
)
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.services import Services, ServicesOf
from morphoscope.apps.web.settings import Token

router = APIRouter(prefix="/api/annotation", tags=["annotation"])

Annotator = Annotated[Token, Depends(Needs("annotator"))]
TaskName = Annotated[str, Query(min_length=1, max_length=200)]


@router.get("/tasks", dependencies=[Depends(Needs("viewer"))])
def tasks(services: ServicesOf) -> list[AnnotationTask]:
    """What people are asked; the model's tasks to begin with."""
    return annotation_tasks(services.needed_archive)


@router.put("/tasks")
def change(services: ServicesOf, asked: TaskChange, who: Annotated[Token, Depends(Needs("admin"))]) -> list[AnnotationTask]:
    """Adds, renames, merges, splits or defines a class. Answers keep the words that were given, and mean what the class became."""
    archive = services.needed_archive
    changed_task(archive, asked, who.name)
    return annotation_tasks(archive)


@router.post("/answers")
def answer(services: ServicesOf, sheet: AnswerSheet, who: Annotator) -> Answered:
    """Records an answer, and tells the model's guess now that it can't sway the person."""
    archive = services.needed_archive
    number = archives.give_answer(
        archive, number_of(archive, sheet.key), sheet.task, sheet.class_, annotator_name(services, who, sheet.annotator)
    )
    return Answered(id=number, guess=guess_of(services, sheet.key, sheet.task))


@router.delete("/answers/{answer_id}", status_code=204)
def undo(services: ServicesOf, answer_id: Annotated[int, Path(ge=1, lt=2**53)], who: Annotator) -> None:
    """Takes one's own answer back; without tokens, anyone's."""
    archive = services.needed_archive
    row = archive.connection.execute("SELECT annotator FROM answer WHERE id = ?", (answer_id,)).fetchone()
    if row is None:
        raise RefusalError(404, f"There is no answer {answer_id}; expected one that was given. Load the list again.")
    archives.undo_answer(archive, answer_id, annotator_name(services, who, row[0]))


@router.get("/disagreements", dependencies=[Depends(Needs("annotator"))])
def disagreements(services: ServicesOf, task: TaskName) -> list[Disagreement]:
    """Pictures that annotators called differently and nobody settled, those with the most votes first."""
    return [
        Disagreement(
            key=f"a{one.picture}", task=task, votes=[Vote(annotator=name, class_=vote) for name, vote in one.votes.items()]
        )
        for one in archives.disagreements(services.needed_archive, task)
    ]


@router.post("/adjudications")
def adjudicate(services: ServicesOf, sheet: Adjudication, who: Annotator) -> Recorded:
    """Settles what a picture is, whatever the annotators said."""
    archive = services.needed_archive
    if sheet.class_ is None:
        raise RefusalError(422, "An adjudication names a class; expected one of the task's. Choose one.")
    name = annotator_name(services, who, sheet.annotator)
    return Recorded(id=archives.adjudicate(archive, number_of(archive, sheet.key), sheet.task, sheet.class_, name))


def annotator_name(services: Services, who: Token, said: str) -> str:
    """Who a token was given to; where there are no tokens, who the person says they are."""
    return who.name if services.access.tokens else said
