"""Finding a class in one large picture."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from morphoscope.apps.web.answers.live import FindOrder, TiledMap
from morphoscope.apps.web.finding import found_in
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.routes.pictures import Key
from morphoscope.apps.web.services import ServicesOf

router = APIRouter(prefix="/api/pictures", tags=["pictures"], dependencies=[Depends(Needs("viewer"))])


@router.post("/{key}/find")
def find(services: ServicesOf, key: Key, order: FindOrder) -> TiledMap:
    """How probable a class is in each part of a picture."""
    with services.classifying.slot():
        return found_in(services, key, order)
