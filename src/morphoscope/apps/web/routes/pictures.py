"""One picture: what is known of it, what the model says, and a small copy to look at."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from morphoscope.apps.web.answers.pictures import XY, Annotation, Picture, Prediction
from morphoscope.apps.web.archived import archived_prediction, archived_thumbnail, picture_annotations
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.picture_settings import settings_of
from morphoscope.apps.web.routes.keys import Key
from morphoscope.apps.web.services import Services, ServicesOf
from morphoscope.apps.web.sources import Source
from morphoscope.apps.web.webp import WEBP, webp, webp_bytes
from morphoscope.data.preprocessing import resample
from morphoscope.micrograph import Micrograph

router = APIRouter(prefix="/api/pictures/{key}", tags=["pictures"], dependencies=[Depends(Needs("viewer"))])

DAY_S = 86400


@router.get("")
def picture(services: ServicesOf, key: Key) -> Picture:
    """What the file says, and what was found out since."""
    source = services.desk.source(key)
    micrograph = _micrograph(services, source)
    height, width = micrograph.pixels.shape
    size = micrograph.pixel_size
    return Picture(
        key=key,
        name=source.name,
        path=source.shown_path,
        width=width,
        height=height,
        dtype=micrograph.pixels.dtype.name,
        metadata=settings_of(micrograph),
        pixel_size_nm=XY(x=size.x_nm, y=size.y_nm) if size else None,
        pixel_size_origin=size.origin if size else None,
        warnings=list(micrograph.warnings),
        prediction=_known_prediction(services, source),
        annotations=_annotations(services, source),
    )


@router.get("/prediction")
def prediction(services: ServicesOf, key: Key, quick: bool = False) -> Prediction:
    """What the model says. quick: at once, without reading the picture's own scale bar; `is_final` tells whether that left
    anything out, and asking again without `quick` gives the row of `morphoscope predict`."""
    known = _known_prediction(services, services.desk.source(key))
    if known and (known.is_final or quick):
        return known
    services.desk.needed_classifier()
    with services.classifying.slot():
        return services.desk.prediction(key, reading="never" if quick else "needed")


@router.get("/thumbnail.webp", response_class=Response, responses=WEBP)
def thumbnail(services: ServicesOf, key: Key, size: Annotated[int, Query(ge=16, le=1024)] = 256) -> Response:
    """The picture, its longer side at most `size` px."""
    source = services.desk.source(key)
    if services.archive and source.stored and (kept := archived_thumbnail(services.archive, source.stored.id, size)):
        return webp_bytes(kept, max_age=DAY_S)
    preview = services.desk.look(key, reading="never").preview
    zoom = min(1.0, size / max(preview.shape))
    small = resample(preview, (max(1, round(preview.shape[0] * zoom)), max(1, round(preview.shape[1] * zoom))))
    return webp(small, max_age=DAY_S)


def _micrograph(services: Services, source: Source) -> Micrograph:
    """As the archive knows it, with what people said of it."""
    stored = source.stored.micrograph if source.stored else None
    if stored is not None:
        return stored
    return services.desk.look(source.key, reading="never").micrograph


def _known_prediction(services: Services, source: Source) -> Prediction | None:
    """The one made here, or the archive's by the same model."""
    if known := services.desk.known_prediction(source.key):
        return known
    if services.archive is None or source.stored is None:
        return None
    return archived_prediction(services.archive, source, services.classifier)


def _annotations(services: Services, source: Source) -> list[Annotation]:
    if services.archive is None or source.stored is None:
        return []
    return picture_annotations(services.archive, source.stored.id)
