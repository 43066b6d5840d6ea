"""The process that runs one job to its end, whatever becomes of the server. `python -m morphoscope.apps.web.jobs.process FOLDER`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ORDER, STARTED, ENDED, CANCELLED, LOG = "order.json", "started.json", "ended.json", "cancelled", "log.txt"


def write_whole(path: Path, document: dict[str, Any]) -> None:
    """JSON that is there complete or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document), encoding="utf-8")
    part.replace(path)


def now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def run(folder: Path) -> int:
    """Runs the command of a job's order; its exit code, which is written down beside."""
    order = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    me = psutil.Process()
    write_whole(folder / STARTED, {"pid": me.pid, "created": me.create_time(), "started": now()})
    if hasattr(os, "nice"):
        os.nice(10)  # a person who classifies beside it comes first
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with (folder / LOG).open("ab") as log:
        words = [sys.executable, "-m", "morphoscope.apps.cli.main", *order["words"]]
        code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, check=False).returncode  # noqa: S603
    write_whole(folder / ENDED, {"code": code, "ended": now()})
    return code


def is_alive(started: dict[str, Any]) -> bool:
    """Whether the process that wrote this still runs."""
    try:
        process = psutil.Process(started["pid"])
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - started["created"]) < 2
    except (psutil.Error, KeyError, TypeError):
        return False


def stop(started: dict[str, Any], patience_s: float = 10.0) -> None:
    """Ends a job's process and all it started: asks first, which keeps what was done, then insists."""
    try:
        parent = psutil.Process(started["pid"])
        family = [*parent.children(recursive=True), parent]
    except psutil.Error:
        return
    for process in family[:-1]:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, left = psutil.wait_procs(family, timeout=patience_s)
    for process in left:
        try:
            process.kill()
        except psutil.Error:
            continue
    time.sleep(0)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
