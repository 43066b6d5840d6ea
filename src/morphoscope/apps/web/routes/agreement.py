"""What an annotator sees next, and how far annotators agree."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from morphoscope import archive as archives
from morphoscope.apps.web.answers.annotation import Agreement, Pair, Queued
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.routes.annotation import Annotator, TaskName, annotator_name
from morphoscope.apps.web.services import ServicesOf
from morphoscope.archive.annotation.queues import Order

router = APIRouter(prefix="/api/annotation", tags=["annotation"])


@router.get("/queue")
def queue(
    services: ServicesOf,
    task: TaskName,
    who: Annotator,
    order: Order = "informative",
    annotator: Annotated[str, Query(max_length=100)] = "",
    count: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[Queued]:
    """Pictures that this annotator has not answered. informative: those that the model doubts; disagreement: those seen
    differently; audit: by lot, the same order for everyone."""
    name = annotator_name(services, who, annotator)
    return [Queued(key=f"a{number}") for number in archives.queue(services.needed_archive, task, order, name, count)]


@router.get("/agreement", dependencies=[Depends(Needs("viewer"))])
def agreement(services: ServicesOf, task: TaskName) -> Agreement:
    """Cohen's κ of every pair of annotators, Fleiss' κ of all, and of each class against the others."""
    found = archives.agreement(services.needed_archive, task)
    return Agreement(
        pairs=[Pair(a=a, b=b, n=one.n, kappa=one.kappa, ci95=one.ci95) for (a, b), one in found.pairs.items()],
        fleiss=found.fleiss.kappa,
        per_class={name: one.kappa for name, one in found.per_class.items()},
    )
