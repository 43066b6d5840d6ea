"""Jobs on disk: what was ordered, how far it is, how it ended. The folder is the only truth, so that a server may come and go."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from morphoscope.apps.verbs.arguments import command_line
from morphoscope.apps.web.answers.jobs import JobKind, JobState
from morphoscope.apps.web.jobs.options import Value
from morphoscope.apps.web.jobs.process import CANCELLED, ENDED, LOG, ORDER, STARTED, is_alive, now, write_whole
from morphoscope.apps.web.refusal import RefusalError

OUT = "out"
_ID = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{6}")


@dataclass(frozen=True)
class StoredJob:
    """A job as its folder tells it."""

    folder: Path
    kind: JobKind
    name: str
    options: Mapping[str, Value]
    words: Sequence[str]
    created: str
    by: str
    started: Mapping[str, Any] | None
    ended: Mapping[str, Any] | None
    is_cancelled: bool

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def out(self) -> Path:
        """Where its results lie."""
        return self.folder / OUT

    @property
    def state(self) -> JobState:
        if self.ended is not None:
            return "done" if self.ended["code"] == 0 else "cancelled" if self.is_cancelled else "failed"
        if self.is_cancelled:
            return "cancelled"
        if self.started is None:
            return "queued"
        return "running" if is_alive(dict(self.started)) else "failed"

    @property
    def command(self) -> str:
        return command_line(*self.words)

    def log_tail(self, n_bytes: int) -> str:
        """The last bytes of what it wrote, as whole lines of text."""
        try:
            with (self.folder / LOG).open("rb") as log:
                end = log.seek(0, 2)
                log.seek(max(0, end - n_bytes))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text if end <= n_bytes else text.partition("\n")[2]


class JobStore:
    """The folder of all jobs."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def order(
        self, kind: JobKind, name: str, options: Mapping[str, Value], words: Sequence[str], by: str, job_id: str
    ) -> StoredJob:
        """Writes an order down; `words` is the command. by: who ordered."""
        folder = self.home / job_id
        (folder / OUT).mkdir(parents=True)
        document = {"kind": kind, "name": name, "options": dict(options), "words": list(words), "created": now(), "by": by}
        write_whole(folder / ORDER, document)
        return self.get(job_id)

    def new_id(self) -> str:
        """Sorts by time."""
        moment = datetime.now(UTC)
        return f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03d}-{secrets.token_hex(3)}"

    def get(self, job_id: str) -> StoredJob:
        """Raises RefusalError (404)."""
        found = _read(self.home / job_id) if _ID.fullmatch(job_id) else None
        if found is None:
            raise RefusalError(404, f"There is no job '{job_id[:60]}'; expected one of the list. Load it again.")
        return found

    def all(self) -> list[StoredJob]:
        """The newest first."""
        folders = sorted((path for path in _children(self.home) if _ID.fullmatch(path.name)), reverse=True)
        return [job for folder in folders if (job := _read(folder))]


def _children(home: Path) -> list[Path]:
    return list(home.iterdir()) if home.is_dir() else []


def _read(folder: Path) -> StoredJob | None:
    order = _document(folder / ORDER)
    if order is None:
        return None
    # Read in this order: a job that ends meanwhile has its end.
    is_cancelled = (folder / CANCELLED).exists()
    started = _document(folder / STARTED)
    ended = _document(folder / ENDED)
    named = {name: order[name] for name in ("kind", "name", "options", "words", "created", "by")}
    return StoredJob(folder, **named, started=started, ended=ended, is_cancelled=is_cancelled)


def _document(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
