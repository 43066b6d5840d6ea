"""What the routes work with, made once when the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

from fastapi import Depends, Request

from morphoscope.apps.web.admission import Admission
from morphoscope.apps.web.classifying import Classifier
from morphoscope.apps.web.desk import Desk
from morphoscope.apps.web.eyes import Eyes
from morphoscope.apps.web.guards.access import Access
from morphoscope.apps.web.jobs.board import JobBoard
from morphoscope.apps.web.pyramids import Pyramids
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.settings import Settings
from morphoscope.apps.web.sources import Sources
from morphoscope.apps.web.uploads import UploadStore
from morphoscope.apps.web.workers.pool import WorkerPool
from morphoscope.archive import Archive, add_tasks_of, facets

_WORKERS = "morphoscope.apps.web.workers"
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
    analysts: WorkerPool
    analysing: Admission
    pyramids: Pyramids
    desk: Desk
    eyes: Eyes
    jobs: JobBoard
    archive: Archive | None = None

    @classmethod
    def start(cls, settings: Settings) -> Services:
        """Loads the model and prepares folders and workers. Raises MorphoscopeError."""
        limits = settings.limits
        classifier = Classifier.load(settings.model) if settings.model else None
        archive = Archive.open(settings.archive, must_exist=True) if settings.archive else None
        if archive and classifier:
            add_tasks_of(archive, classifier.bundle.schema, classifier.name)
        uploads = UploadStore(limits.store_bytes)
        decoders = WorkerPool(f"{_WORKERS}.decoder", limits.decoders, limits.decode_bytes, limits.decode_seconds)
        analysts = WorkerPool(f"{_WORKERS}.analyst", 1, limits.analyse_bytes, limits.analyse_seconds)
        pyramids = Pyramids(decoders, limits.tile_bytes)
        sources = Sources(uploads, archive)
        desk = Desk(limits, sources, decoders, analysts, pyramids, classifier)
        return cls(
            settings=settings,
            access=Access(settings.tokens),
            classifying=Admission(limits.classifying, limits.waiting, limits.wait_seconds),
            classifier=classifier,
            uploads=uploads,
            decoders=decoders,
            analysts=analysts,
            analysing=Admission(1, limits.waiting, limits.analyse_seconds),
            pyramids=pyramids,
            desk=desk,
            eyes=Eyes(desk),
            jobs=JobBoard(_runs(settings), _readable(settings, archive), sources),
            archive=archive,
        )

    @property
    def needed_archive(self) -> Archive:
        """The open archive. Raises RefusalError (404) where the server has none."""
        if self.archive is None:
            raise RefusalError(404, "No archive is open; expected `morphoscope serve --archive FILE`. Start the server with one.")
        return self.archive

    def close(self) -> None:
        """Ends the workers and removes uploads and tiles. A job that runs goes on."""
        self.jobs.queue.close()
        self.decoders.close()
        self.analysts.close()
        self.uploads.close()
        self.pyramids.close()
        if self.archive:
            self.archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _runs(settings: Settings) -> Path:
    """Where jobs lie; beside the archive unless said otherwise."""
    if settings.runs:
        return settings.runs
    return settings.archive.with_name(f"{settings.archive.name}-runs") if settings.archive else Path("morphoscope-runs")


def _readable(settings: Settings, archive: Archive | None) -> list[Path]:
    """The folders that jobs may read: those of --data, else the archive's, else the current one; and the model's."""
    folders = list(settings.data)
    if not folders and archive is not None:
        folders = [Path(folder) for folder in facets(archive).folders]
    if not folders:
        folders = [Path.cwd()]
    if settings.model:
        folders.append(settings.model)
    return [folder.resolve() for folder in folders if folder.is_dir()]


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesOf = Annotated[Services, Depends(_services)]
"""A route's parameter of this type receives the server's services."""
