"""What takes longer than an answer, asked for when it is looked at: objects with their sizes, and why the model says so."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from morphoscope import archive as archives
from morphoscope.apps.web.answers.pictures import Hit, Objects
from morphoscope.apps.web.archived import hit
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.heat_picture import heat_picture
from morphoscope.apps.web.person_scale import keep_measurement
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.routes.keys import Key
from morphoscope.apps.web.services import ServicesOf
from morphoscope.apps.web.webp import WEBP, webp
from morphoscope.errors import did_you_mean

router = APIRouter(prefix="/api/pictures/{key}", tags=["pictures"], dependencies=[Depends(Needs("viewer"))])


@router.get("/objects")
def objects(services: ServicesOf, key: Key) -> Objects:
    """Outlines of the objects and their measurements, as `morphoscope measure` gives them."""
    found = services.desk.known_objects(key)
    if found is None:
        with services.analysing.slot():
            found = services.desk.objects(key)
    keep_measurement(services, key, found)
    return found.objects


@router.get("/similar")
def similar(services: ServicesOf, key: Key, count: Annotated[int, Query(ge=1, le=500)] = 12) -> list[Hit]:
    """The archive's pictures that look most like this one, without itself."""
    archive = services.needed_archive
    with services.classifying.slot():
        features = services.eyes.features(archive, key)
    found = archives.search(archive, features=features, limit=count + 1, is_exact=True)
    return [hit(one) for one in found.hits if f"a{one.id}" != key][:count]


@router.get("/attention.webp", response_class=Response, responses=WEBP)
def attention(services: ServicesOf, key: Key) -> Response:
    """What the model's features gather, whatever the answer, to lay over the picture: attention rollout, dark where a place has no
    more than an even share. Only of transformers: `explanations` of the model says so."""
    with services.classifying.slot():
        return webp(heat_picture(services.desk.look(key).micrograph, services.desk.attention(key)), max_age=600)


@router.get("/heat-map.webp", response_class=Response, responses=WEBP)
def heat_map(services: ServicesOf, key: Key, task: Annotated[str, Query(max_length=200)]) -> Response:
    """What speaks for the best guess of a task, to lay over the picture: colours, transparent where nothing does."""
    classifier = services.desk.needed_classifier()
    names = [one.name for one in classifier.bundle.schema.tasks]
    if task not in names:
        raise RefusalError(
            404, f"The model has no task '{task[:80]}'; expected one of {', '.join(names)}.{did_you_mean(task, names)}"
        )
    with services.classifying.slot():
        look = services.desk.look(key)
        return webp(heat_picture(look.micrograph, services.desk.heat(key, task)), max_age=600)
