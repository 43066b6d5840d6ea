"""Whether the server runs, and what it was started with."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from morphoscope import __version__
from morphoscope.apps.web.answers.server import ArchiveName, Health, ModelDescription, ModelName
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.services import PAGE, Services, ServicesOf
from morphoscope.archive import count_pictures

router = APIRouter(prefix="/api", tags=["server"])


@router.get("/health")
def health(request: Request, services: ServicesOf) -> Health:
    """For health checks, without a token. What the server was started with is told to those who have one."""
    is_known = request.scope["state"].get("who") is not None
    return Health(
        version=__version__,
        model=_model(services) if is_known else None,
        archive=_archive(services) if is_known else None,
        page=(PAGE / "index.html").is_file(),
        token_needed=not is_known,
    )


@router.get("/model", dependencies=[Depends(Needs("viewer"))])
def model(services: ServicesOf) -> ModelDescription:
    """The tasks and classes of the model."""
    return services.desk.needed_classifier().description()


def _model(services: Services) -> ModelName | None:
    classifier = services.classifier
    return ModelName(name=classifier.name, tasks=[task.name for task in classifier.bundle.schema.tasks]) if classifier else None


def _archive(services: Services) -> ArchiveName | None:
    archive = services.archive
    return ArchiveName(path=archive.path.name, pictures=count_pictures(archive)) if archive else None
