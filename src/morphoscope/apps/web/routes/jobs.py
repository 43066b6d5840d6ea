"""Jobs: train, predict and measure beside the server, seen from any browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import FileResponse

from morphoscope.apps.web.answers.jobs import Confusion, Job, JobHistory, JobLog, JobOrder
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.jobs.results import confusion, history, job_answer, report_file
from morphoscope.apps.web.services import ServicesOf
from morphoscope.apps.web.settings import Token

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

JobId = Annotated[str, Path(max_length=60)]
LOG_BYTES = 100_000
REPORT_POLICY = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""A report is one self-contained file: it may show what it holds, and run nothing."""


@router.get("", dependencies=[Depends(Needs("viewer"))])
def jobs(services: ServicesOf) -> list[Job]:
    """All jobs, the newest first."""
    return [job_answer(job) for job in services.jobs.store.all()]


@router.post("", status_code=201)
def order(services: ServicesOf, asked: JobOrder, who: Annotated[Token, Depends(Needs("admin"))]) -> Job:
    """Queues a command. Paths must lie in the folders of `serve --data`; results go into the job's own folder."""
    return job_answer(services.jobs.order(asked, who.name))


@router.get("/{job_id}", dependencies=[Depends(Needs("viewer"))])
def job(services: ServicesOf, job_id: JobId) -> Job:
    """One job."""
    return job_answer(services.jobs.store.get(job_id))


@router.get("/{job_id}/history", dependencies=[Depends(Needs("viewer"))])
def job_history(services: ServicesOf, job_id: JobId) -> JobHistory:
    """The curves of a training so far."""
    return history(services.jobs.store.get(job_id))


@router.get("/{job_id}/confusion", dependencies=[Depends(Needs("viewer"))])
def job_confusion(services: ServicesOf, job_id: JobId, task: Annotated[str, Query(max_length=200)] = "") -> Confusion:
    """Truth against best guess on held-out pictures, with the pictures of each cell."""
    return confusion(services.jobs.store.get(job_id), task, services.jobs.key_of)


@router.get("/{job_id}/report", dependencies=[Depends(Needs("viewer"))], response_class=FileResponse)
def job_report(services: ServicesOf, job_id: JobId) -> FileResponse:
    """The run's report.html."""
    file = report_file(services.jobs.store.get(job_id))
    return FileResponse(file, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})


@router.get("/{job_id}/log", dependencies=[Depends(Needs("viewer"))])
def job_log(services: ServicesOf, job_id: JobId) -> JobLog:
    """The end of what the command said."""
    return JobLog(text=services.jobs.store.get(job_id).log_tail(LOG_BYTES))


@router.post("/{job_id}/cancel", dependencies=[Depends(Needs("admin"))])
def cancel(services: ServicesOf, job_id: JobId) -> Job:
    """Ends a job; what it wrote is kept."""
    services.jobs.queue.cancel(services.jobs.store.get(job_id))
    return job_answer(services.jobs.store.get(job_id))
