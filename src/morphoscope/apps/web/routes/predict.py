"""Files in, rows of predictions.csv out; nothing is kept."""

from __future__ import annotations

from fastapi import APIRouter, Depends, UploadFile

from morphoscope.apps.web.answers.pictures import Row
from morphoscope.apps.web.classifying import Look
from morphoscope.apps.web.desk import predicted_rows
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.sent_files import sent_pictures
from morphoscope.apps.web.services import Services, ServicesOf
from morphoscope.apps.web.uploads import Upload
from morphoscope.errors import MorphoscopeError

router = APIRouter(prefix="/api", tags=["classify"], dependencies=[Depends(Needs("viewer"))])


@router.post("/predict")
def predict(services: ServicesOf, files: list[UploadFile]) -> list[Row]:
    """Labels pictures: a row a file, as `morphoscope predict` writes them. A file that can't be read gives an error row."""
    classifier = services.desk.needed_classifier()
    uploads = []
    with services.classifying.slot():
        try:
            for picture in sent_pictures(files):
                uploads.append(services.uploads.add(picture.name, picture.file, picture.sidecars))
            looks = [_looked(services, upload) for upload in uploads]
            return predicted_rows(classifier, [upload.name for upload in uploads], looks)
        finally:
            for upload in uploads:
                services.uploads.remove(upload.key)


def _looked(services: Services, upload: Upload) -> Look | str:
    try:
        return services.desk.decoded(services.desk.source(upload.key), {})
    except MorphoscopeError as error:
        return str(error)
