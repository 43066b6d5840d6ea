"""What a job's files say of it: curves, figures, confusion, progress."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from morphoscope.apps.web.answers.jobs import Confusion, ConfusionCell, Job, JobHistory, JobMetrics
from morphoscope.apps.web.jobs.store import StoredJob
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.errors import did_you_mean
from morphoscope.io.find import find_micrographs

_ERROR_BYTES, _MOST_EPOCHS, _MOST_ROWS, _MOST_FILES, _MOST_OF_CELL = 20_000, 5000, 1_000_000, 200, 500
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

KeyOf = Callable[[Path], str | None]
"""Gives a key by which the page can open a file."""


def job_answer(job: StoredJob) -> Job:
    """A job as the list shows it."""
    state = job.state
    return Job(
        id=job.id,
        kind=job.kind,
        name=job.name,
        state=state,
        options=dict(job.options),
        command=job.command,
        created=job.created,
        started=job.started["started"] if job.started else None,
        ended=job.ended["ended"] if job.ended else None,
        progress=1.0 if state == "done" else _progress(job),
        error=_error(job) if state == "failed" else "",
        metrics=_metrics(job),
        files=_files(job),
    )


def history(job: StoredJob) -> JobHistory:
    """The curves so far: of the finished run, else of the fit that runs."""
    rows = _history_rows(job)[:_MOST_EPOCHS]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return JobHistory(columns={name: [_figure(row.get(name)) for row in rows] for name in names})


def confusion(job: StoredJob, task: str, key_of: KeyOf) -> Confusion:
    """The confusion matrix of a task on held-out pictures, and the pictures of each cell. Raises RefusalError (404)."""
    tasks = _metrics_document(job).get("tasks", {})
    task = task or next(iter(tasks), "")
    if task not in tasks or "confusion" not in tasks[task]:
        raise RefusalError(
            404,
            f"The job has no confusion of '{task[:80]}'; expected one of {', '.join(tasks) or 'none yet'}.{did_you_mean(task, tasks)}",
        )
    cells: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in _predictions(job):
        if row.get(f"{task}.true"):
            cells[row[f"{task}.true"], row.get(f"{task}.best", "")].append(row["path"])
    homes = _homes(job)
    return Confusion(
        task=task,
        classes=tasks[task]["classes"],
        matrix=tasks[task]["confusion"],
        cells=[
            ConfusionCell(true=true, predicted=guess, n=len(paths), paths=paths[:_MOST_OF_CELL], keys=_keys(paths, homes, key_of))
            for (true, guess), paths in sorted(cells.items())
        ],
    )


def report_file(job: StoredJob) -> Path:
    """Its report.html. Raises RefusalError (404)."""
    file = job.out / "report.html"
    if not file.is_file():
        raise RefusalError(404, "The job has no report; expected one at its end. Wait for it, or look at its log.")
    return file


def _keys(paths: list[str], homes: list[Path], key_of: KeyOf) -> list[str]:
    found = []
    for text in paths[:_MOST_OF_CELL]:
        places = (home / text for home in homes)
        key = next((key for place in places if place.is_file() and (key := key_of(place))), None)
        found += [key] if key else []
    return found


def _homes(job: StoredJob) -> list[Path]:
    """The folders that the paths of its table may begin in."""
    images = job.options.get("images")
    texts = images if isinstance(images, list) else [images]
    named = [Path(word) for word in job.words if not word.startswith("-") and Path(word).is_dir()]
    return [*(Path(text) for text in texts if isinstance(text, str)), *named, Path("/")]


def _predictions(job: StoredJob) -> Iterator[dict[str, str]]:
    try:
        with (job.out / "predictions.csv").open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if number >= _MOST_ROWS:
                    return
                yield row
    except OSError:
        return


def _history_rows(job: StoredJob) -> list[dict[str, Any]]:
    finished = _table(job.out / "history.csv")
    if finished:
        return finished
    folders = sorted((job.out / "fits").glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders:
        if rows := _table(folder / "history.csv"):
            return rows
        if rows := _document(folder / "finished.json").get("history", []):
            return list(rows)
    return []


def _progress(job: StoredJob) -> float | None:
    """A share where it can be known: epochs of a fit, or rows of a table."""
    if job.started is None:
        return None
    if job.kind == "train":
        plans = sorted((job.out / "fits").glob("*/plan.json"))
        epochs = _document(plans[-1]).get("epochs") if plans else None
        return min(1.0, len(_history_rows(job)) / epochs) if epochs else None
    name = "predictions.csv" if job.kind == "predict" else "summary.csv"
    total = _document(job.folder / "pictures.json").get("count")
    return min(1.0, _lines(job.out / name) / total) if total else None


def count_pictures(words: list[str], start: int) -> int:
    """How many files a command's paths name."""
    return len(find_micrographs([word for word in words[start:] if not word.startswith("--")]))


def _lines(path: Path) -> int:
    """Rows of a table below its header."""
    try:
        with path.open("rb") as file:
            return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(2**20), b"")) - 1)
    except OSError:
        return 0


def _metrics(job: StoredJob) -> dict[str, JobMetrics]:
    names = ("accuracy", "accuracy_ci95", "majority_accuracy", "balanced_accuracy", "macro_f1", "n")
    found = {}
    for task, figures in _metrics_document(job).get("tasks", {}).items():
        if isinstance(figures, dict) and {"accuracy", "n"} <= figures.keys():
            found[task] = JobMetrics(**{name: figures.get(name) for name in names})
    return found


def _metrics_document(job: StoredJob) -> dict[str, Any]:
    return _document(job.out / "metrics.json")


def _error(job: StoredJob) -> str:
    if job.ended is None:
        return "The job's process ended without a word; expected an end of its own. Was the machine restarted, or out of memory?"
    lines = _ESCAPES.sub("", job.log_tail(_ERROR_BYTES)).strip().splitlines()
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return errors[-1] if errors else lines[-1] if lines else f"The command ended with exit code {job.ended['code']}."


def _files(job: StoredJob) -> list[str]:
    return sorted(path.name for path in job.out.glob("*") if path.is_file() and not path.name.startswith("."))[:_MOST_FILES]


def _table(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError:
        return []


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _figure(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
