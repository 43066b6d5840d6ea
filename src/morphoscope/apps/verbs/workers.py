"""Long jobs in a few processes of one thread each. A job may talk to whoever gave it out; a process that ends costs its job only."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from morphoscope.errors import MorphoscopeError

J = TypeVar("J")
R = TypeVar("R")

Talk = Callable[[Any], Any]
"""Says something to whoever gave out the job, and gives the answer."""
Work = Callable[[J, Talk], R]

_SAYS, _ENDS = "says", "ends"
_OF_ALL = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
"""A full or read-only disk concerns every job, not only the one that met it."""


@dataclass(frozen=True)
class Failure:
    """A job without a result: why, for a person, and the traceback where there is one."""

    sentence: str
    details: str = ""


def in_workers(
    work: Work[J, R], jobs: Iterator[J], count: int, answer: Callable[[J, Any], Any]
) -> Iterator[tuple[J, R | Failure]]:
    """Each job with its result, as they end. A job is taken from `jobs` when a process is free for it, so that what came out
    before may decide what comes next. answer: replies to what a job says.

    count 1: in this process, with one thread all the same, so that results don't depend on the count. For more, work and jobs
    must be picklable. Processes end with this one, however it ends.
    """
    if count > 1:
        yield from _spread(work, jobs, count, answer)
        return
    for job in jobs:
        with one_thread():
            outcome = _attempt(work, job, partial(answer, job))
        yield job, outcome


@contextmanager
def one_thread() -> Iterator[None]:
    """The numerical libraries that are loaded use one thread, and those that are loaded meanwhile."""
    from threadpoolctl import threadpool_limits

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    usual = (torch.get_num_threads() if torch else 1, cv2.getNumThreads() if cv2 else 1)
    _use_threads(torch, cv2, (1, 1))
    try:
        with threadpool_limits(1):
            yield
    finally:
        _use_threads(torch, cv2, usual)


def _use_threads(torch: Any, cv2: Any, counts: tuple[int, int]) -> None:
    if torch:
        torch.set_num_threads(counts[0])
    if cv2:
        cv2.setNumThreads(counts[1])


def _attempt(work: Work[J, R], job: J, talk: Talk) -> R | Failure:
    """The result, or why there is none: what others wrote may raise anything, and must not stop the jobs beside it."""
    try:
        return work(job, talk)
    except MorphoscopeError as error:
        return Failure(str(error), traceback.format_exc())
    except MemoryError:
        return Failure("memory ran out; expected room for pictures and network. Use smaller pictures, batches or --jobs 1.")
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_ALL:
            raise
        first = (str(error).strip() or "no reason given").splitlines()[0]
        return Failure(f"it failed ({type(error).__name__}: {first}).", traceback.format_exc())


@dataclass(eq=False)
class _Worker:
    process: multiprocessing.process.BaseProcess
    pipe: Connection

    @classmethod
    def start(cls, work: Callable[..., Any]) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(work, theirs), daemon=True)
        with _script_hidden():
            process.start()
        theirs.close()
        return cls(process, ours)

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


@contextmanager
def _script_hidden() -> Iterator[None]:
    """A process started meanwhile does not run the user's script again, which spawning would do to find what it defines."""
    script = sys.modules["__main__"]
    hidden: dict[str, Any] = {name: script.__dict__.pop(name) for name in ("__file__", "__spec__") if name in script.__dict__}
    script.__spec__ = None
    try:
        yield
    finally:
        script.__dict__.update(hidden)


def _spread(work: Work[J, R], jobs: Iterator[J], count: int, answer: Callable[[J, Any], Any]) -> Iterator[tuple[J, R | Failure]]:
    idle: list[_Worker] = []
    busy: dict[Connection, tuple[_Worker, J]] = {}
    is_exhausted = False
    try:
        while True:
            while len(busy) < count and not is_exhausted:
                try:
                    job = next(jobs)
                except StopIteration:
                    is_exhausted = True
                    break
                worker = idle.pop() if idle else _Worker.start(work)
                busy[worker.pipe] = (worker, job)
                worker.pipe.send(job)
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker, job = busy[pipe]  # type: ignore[index]
                try:
                    kind, said = worker.pipe.recv()
                except (EOFError, OSError):
                    del busy[worker.pipe]
                    worker.end()
                    yield job, Failure(_death(worker.process.exitcode))
                    continue
                if kind == _SAYS:
                    worker.pipe.send(answer(job, said))
                    continue
                del busy[worker.pipe]
                idle.append(worker)
                if isinstance(said, OSError):
                    raise said
                yield job, said
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.end()


def _death(code: int | None) -> str:
    signal = f" by signal {-code}" if code and code < 0 else ""
    return f"its process was ended{signal}, most likely for want of memory. Use smaller pictures, batches or --jobs 1."


def _serve(work: Callable[..., Any], pipe: Connection) -> None:
    """The other process: jobs until the pipe closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C in the terminal is for the parent, which ends this process
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # progress bars of several processes would write over each other

    def talk(said: Any) -> Any:
        pipe.send((_SAYS, said))
        return pipe.recv()

    with one_thread():
        while True:
            try:
                job = pipe.recv()
            except (EOFError, OSError):
                return
            try:
                outcome = _attempt(work, job, talk)
            except OSError as error:
                outcome = error
            pipe.send((_ENDS, outcome))


def _end_with_parent() -> None:
    """A job must not go on when nobody waits for it: another command may have begun the same one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
