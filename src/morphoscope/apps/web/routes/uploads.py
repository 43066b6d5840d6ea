"""Files in, keys out: the page opens what it uploaded by key."""

from __future__ import annotations

from fastapi import APIRouter, Depends, UploadFile

from morphoscope.apps.web.answers.pictures import Upload
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.sent_files import SentPicture, sent_pictures
from morphoscope.apps.web.services import Services, ServicesOf
from morphoscope.apps.web.uploads import shown_name
from morphoscope.errors import MorphoscopeError

router = APIRouter(prefix="/api", tags=["classify"], dependencies=[Depends(Needs("viewer"))])


@router.post("/uploads")
def upload(services: ServicesOf, files: list[UploadFile]) -> list[Upload]:
    """Keeps pictures for a while. A file that is no readable picture has no key, and a sentence says why."""
    services.analysts.start_soon()  # outlines are asked for next
    with services.classifying.slot():
        return [_kept(services, picture) for picture in sent_pictures(files)]


def _kept(services: Services, picture: SentPicture) -> Upload:
    kept = services.uploads.add(picture.name, picture.file, picture.sidecars)
    try:
        micrograph = services.desk.look(kept.key, reading="never").micrograph
    except MorphoscopeError as error:
        services.uploads.remove(kept.key)
        return Upload(key=None, name=shown_name(picture.name), status="error", error=str(error), bytes=kept.n_bytes)
    height, width = micrograph.pixels.shape
    return Upload(
        key=kept.key,
        name=kept.name,
        status="ok",
        error="",
        width=width,
        height=height,
        dtype=micrograph.pixels.dtype.name,
        bytes=kept.n_bytes,
    )
