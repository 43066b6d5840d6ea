"""Files in, rows of predictions.csv out; nothing is kept."""

from __future__ import annotations

from fastapi import APIRouter, Depends, UploadFile

from morphoscope.apps.web.answers.pictures import Row
from morphoscope.apps.web.classifying import Look
from morphoscope.apps.web.desk import predicted_rows
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.sent_files import SentPicture, sent_pictures
from morphoscope.apps.web.services import Services, ServicesOf
from morphoscope.apps.web.uploads import shown_name
from morphoscope.errors import MorphoscopeError

BATCH = 8

router = APIRouter(prefix="/api", tags=["classify"], dependencies=[Depends(Needs("viewer"))])


@router.post("/predict")
def predict(services: ServicesOf, files: list[UploadFile]) -> list[Row]:
    """Labels pictures: a row a file, as `morphoscope predict` writes them. A file that can't be read gives an error row."""
    classifier = services.desk.needed_classifier()
    rows: list[Row] = []
    with services.classifying.slot():
        pictures = sent_pictures(files)
        for start in range(0, len(pictures), BATCH):  # so that memory doesn't grow with what is sent
            some = pictures[start : start + BATCH]
            looks = [_looked(services, picture) for picture in some]
            rows += predicted_rows(classifier, [shown_name(picture.name) for picture in some], looks)
    return rows


def _looked(services: Services, picture: SentPicture) -> Look | str:
    upload = services.uploads.add(picture.name, picture.file, picture.sidecars)
    try:
        return services.desk.decoded(services.desk.source(upload.key), {})
    except MorphoscopeError as error:
        return str(error)
    finally:
        services.uploads.remove(upload.key)
