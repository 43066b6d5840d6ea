"""One picture: what is known of it, what the model says, and small copies to look at."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from morphoscope.apps.web.answers.pictures import XY, Picture, Prediction
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.picture_settings import settings_of
from morphoscope.apps.web.services import ServicesOf
from morphoscope.apps.web.webp import webp
from morphoscope.data.preprocessing import resample

router = APIRouter(prefix="/api/pictures", tags=["pictures"], dependencies=[Depends(Needs("viewer"))])

Key = Annotated[
    str, Path(max_length=40, pattern=r"^[au][0-9a-f]+$", description="a<number> of the archive, or u<word> of an upload")
]


@router.get("/{key}")
def picture(services: ServicesOf, key: Key) -> Picture:
    """What the file says, and what was found out since."""
    source = services.desk.source(key)
    micrograph = services.desk.look(key, quick=True).micrograph
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
        prediction=services.desk.known_prediction(key),
        annotations=[],
    )


@router.get("/{key}/prediction")
def prediction(services: ServicesOf, key: Key, quick: bool = False) -> Prediction:
    """What the model says. quick: at once, without reading the picture's own scale bar; `is_final` tells whether that changed
    anything, and asking again without `quick` gives the row of `morphoscope predict`."""
    known = services.desk.known_prediction(key)
    if known and (known.is_final or quick):
        return known
    with services.classifying.slot():
        return services.desk.prediction(key, quick=quick)


@router.get("/{key}/thumbnail.webp", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
def thumbnail(services: ServicesOf, key: Key, size: Annotated[int, Query(ge=16, le=512)] = 256) -> Response:
    """The whole picture, its longer side at most `size` px."""
    preview = services.desk.look(key, quick=True).preview
    zoom = min(1.0, size / max(preview.shape))
    small = resample(preview, (max(1, round(preview.shape[0] * zoom)), max(1, round(preview.shape[1] * zoom))))
    return webp(small, max_age=3600)
