"""The server's side: a few worker processes, one job each at a time; one that is lost or too slow is replaced."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self

from morphoscope.apps.web.workers.messages import Message, receive, send
from morphoscope.errors import MorphoscopeError

START_SECONDS = 120.0


@dataclass
class _Worker:
    """A process that is waiting for a job."""

    process: subprocess.Popen[bytes]
    stdin: BinaryIO = field(init=False)
    stdout: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        assert self.process.stdin and self.process.stdout  # noqa: S101
        self.stdin, self.stdout = self.process.stdin, self.process.stdout  # type: ignore[assignment]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.stdin, self.stdout):
            with suppress(OSError):  # what was unsent is lost with its reader
                pipe.close()


class WorkerPool:
    """Processes that run `python -m MODULE MEMORY_BYTES` and answer as `loop.work_on` does. They start when first needed."""

    def __init__(self, module: str, workers: int, memory_bytes: int, seconds: float) -> None:
        """seconds: that one job may take."""
        self._command = [sys.executable, "-m", module, str(memory_bytes)]
        self._seconds = seconds
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._alive: dict[int, _Worker] = {}
        self._lock, self._is_closed, self._is_warmed = threading.Lock(), False, False
        for _ in range(workers):
            self._idle.put(None)

    def start(self) -> None:
        """Starts one process now, so that the first job needn't wait for it."""
        worker = self._idle.get()
        try:
            worker = worker or self._started()
        finally:
            self._idle.put(worker)

    def start_soon(self) -> None:
        """The same without waiting for it, once."""
        with self._lock:
            if self._is_warmed:
                return
            self._is_warmed = True
        threading.Thread(target=self._start_quietly, daemon=True).start()

    def _start_quietly(self) -> None:
        with suppress(MorphoscopeError):  # whoever asks next is told
            self.start()

    def ask(self, job: dict[str, Any]) -> Message:
        """The answer to a job, which has a `verb`, and a `name` for sentences. Waits for a free worker.

        Raises MorphoscopeError where the job can't be done, takes too long, or ends its process.
        """
        worker = self._idle.get()
        kept: _Worker | None = None
        try:
            worker = worker or self._started()
            answer = self._asked(worker, job)
            kept = worker
        finally:
            if kept is None and worker is not None:
                self._ended(worker)
            self._idle.put(kept)
        if "error" in answer.document:
            raise MorphoscopeError(answer.document["error"])
        return answer

    def close(self) -> None:
        """Ends all processes."""
        with self._lock:
            self._is_closed = True
            alive = list(self._alive.values())
            self._alive.clear()
        for worker in alive:
            worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _started(self) -> _Worker:
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
        worker = _Worker(process)
        with self._lock:
            if self._is_closed:
                worker.end()
                raise MorphoscopeError("The server is shutting down; expected it to run. Ask again when it is back.")
            self._alive[process.pid] = worker
        timer = threading.Timer(START_SECONDS, process.kill)
        timer.start()
        try:
            receive(worker.stdout)
        except (EOFError, ValueError) as error:
            self._ended(worker)
            raise MorphoscopeError(
                "The process that reads pictures did not start; expected it to be ready within two minutes. "
                "Is there memory left on the server?"
            ) from error
        finally:
            timer.cancel()
        return worker

    def _asked(self, worker: _Worker, job: dict[str, Any]) -> Message:
        name = job.get("name", "The file")
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            worker.process.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            send(worker.stdin, Message(job))
            return receive(worker.stdout)
        except (EOFError, OSError, ValueError) as error:
            if is_late.is_set():
                raise MorphoscopeError(
                    f"{name}: it took longer than the {self._seconds:g} seconds that one picture may take here; expected a sound "
                    "picture of usual size. Export it again, or crop it."
                ) from error
            raise MorphoscopeError(
                f"{name}: reading it ended the process (a crash, or no memory left); expected a sound picture. "
                "Export it again as TIFF."
            ) from error
        finally:
            timer.cancel()

    def _ended(self, worker: _Worker) -> None:
        with self._lock:
            self._alive.pop(worker.process.pid, None)
        worker.end()
