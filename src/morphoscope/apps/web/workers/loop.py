"""The worker's side: takes a job, does it within its memory, answers, until the server goes away."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from morphoscope.apps.web.workers.messages import Message, receive, send
from morphoscope.errors import MorphoscopeError

Work = Callable[[dict[str, Any]], Message]


def work_on(verbs: Mapping[str, Work], memory_bytes: int) -> None:
    """Answers jobs from standard input on standard output. memory_bytes: that a job may take beyond what is loaded now."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a decoder prints is no answer
    _limit_memory(memory_bytes)
    send(answers, Message({"ready": True}))
    while True:
        try:
            job = receive(sys.stdin.buffer)
        except EOFError:
            return
        send(answers, _answered(verbs[job.document["verb"]], job.document))


def _answered(work: Work, job: dict[str, Any]) -> Message:
    try:
        return work(job)
    except MorphoscopeError as error:
        return Message({"error": str(error)})
    except MemoryError:
        name = job.get("name", "The file")
        return Message(
            {"error": f"{name}: it needs more memory than one picture may take here; expected a smaller one. Crop or bin it."}
        )
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return Message({"error": f"{job.get('name', 'The file')}: it can't be worked on ({reason}); expected a sound picture."})


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    import psutil

    held = psutil.Process().memory_info().vms
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = held + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
