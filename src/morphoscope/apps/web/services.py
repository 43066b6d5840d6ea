"""What the routes work with, made once when the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

from fastapi import Depends, Request

from morphoscope.apps.web.admission import Admission
from morphoscope.apps.web.classifying import Classifier
from morphoscope.apps.web.desk import Desk
from morphoscope.apps.web.guards.access import Access
from morphoscope.apps.web.settings import Settings
from morphoscope.apps.web.uploads import UploadStore
from morphoscope.apps.web.workers.pool import WorkerPool

PAGE = Path(__file__).parent / "page"
"""Where the front end is built to."""


@dataclass(frozen=True, eq=False)
class Services:
    """archive: the open archive, or None."""

    settings: Settings
    access: Access
    classifying: Admission
    classifier: Classifier | None
    uploads: UploadStore
    decoders: WorkerPool
    desk: Desk
    archive: Any | None = None

    @classmethod
    def start(cls, settings: Settings) -> Services:
        """Loads the model and prepares folders and workers. Raises MorphoscopeError."""
        limits = settings.limits
        classifier = Classifier(settings.model) if settings.model else None
        uploads = UploadStore(limits.store_bytes)
        decoders = WorkerPool("morphoscope.apps.web.workers.decoder", limits.decoders, limits.decode_bytes, limits.decode_seconds)
        return cls(
            settings=settings,
            access=Access(settings.tokens),
            classifying=Admission(limits.classifying, limits.waiting, limits.wait_seconds),
            classifier=classifier,
            uploads=uploads,
            decoders=decoders,
            desk=Desk(limits, decoders, uploads, classifier),
        )

    def close(self) -> None:
        """Ends the workers and removes the uploads."""
        self.decoders.close()
        self.uploads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesOf = Annotated[Services, Depends(_services)]
"""A route's parameter of this type receives the server's services."""
