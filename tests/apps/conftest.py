"""Rendered folders, a quick way to train on them, and the command line as a person meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pytest

from morphoscope.apps.cli.main import main
from morphoscope.synthesis import write_dataset

SIZE = (72, 96)
SMALL = ["model.backbone=test_resnet", "model.image_size=64"]
FROM_THE_SHIPPED_ENCODER = ["model.backbone=resnet10t", "model.image_size=64"]
CLOCK_FIGURES = ("seconds_training", "seconds_inference_per_image", "peak_memory_mb")


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one error of a command that failed as it should: no traceback, nothing after it."""
        assert self.code == 2, self.err
        assert "Traceback" not in self.err
        (line,) = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        assert self.err.rstrip().endswith(line)
        return line.removeprefix("Error: ")


class Morphoscope(Protocol):
    def __call__(self, *words: object) -> Said: ...


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """images/, labels.csv (five tasks, blanks, Sample), truth.csv: 36 pictures of 12 samples."""
    folder = tmp_path_factory.mktemp("rendered")
    write_dataset("particles", 36, folder, size=SIZE, seed=3)
    return folder


@pytest.fixture(scope="session")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """images/ with ten class folders of three SEM pictures."""
    folder = tmp_path_factory.mktemp("class folders")
    write_dataset("sem10", 30, folder, size=SIZE, seed=4, layout="folders")
    return folder / "images"


@pytest.fixture(scope="session")
def settings_sheet(rendered: Path) -> Path:
    """A metadata sheet for `rendered` with a known name, a number and a category, blank in places."""
    names = pd.read_csv(rendered / "labels.csv")["filename"]
    sheet = pd.DataFrame({"filename": names, "hv_kv": 15.0, "anneal_C": [i % 4 * 100 for i in range(len(names))]})
    sheet["operator"] = ["Ada" if i % 2 else "Ben" for i in range(len(names))]
    sheet.loc[::5, ["anneal_C", "operator"]] = None
    path = rendered / "settings.csv"
    sheet.to_csv(path, index=False)
    return path


@pytest.fixture
def morphoscope(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Morphoscope:
    """Runs the command line in this process."""

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["morphoscope", *map(str, words)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return Said(code, *capfd.readouterr())

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command line as a process of its own, which does not outlive the test."""
    processes: list[subprocess.Popen[str]] = []

    def started(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "morphoscope.apps.cli.main", *map(str, words)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, encoding="utf-8", env=dict(os.environ))
        processes.append(process)
        return process

    yield started
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def small() -> list[str]:
    """Options of the command line for a fit of a second."""
    return [word for setting in SMALL for word in ("--set", setting)]


@pytest.fixture(scope="session")
def figures() -> Callable[[Path], tuple[dict[str, Any], str, str]]:
    """What a run folder says that must not depend on the clock: metrics, history and predictions."""

    def read(run: Path) -> tuple[dict[str, Any], str, str]:
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        tables = [(run / name).read_text(encoding="utf-8") for name in ("history.csv", "predictions.csv")]
        return {key: value for key, value in metrics.items() if key not in CLOCK_FIGURES}, tables[0], tables[1]

    return read


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, rendered: Path, settings_sheet: Path) -> Path:
    """A finished run on every task, with groups and a metadata sheet."""
    from morphoscope.apps.verbs.train import train

    out = tmp_path_factory.mktemp("trained") / "run"
    train(
        rendered / "images",
        labels=rendered / "labels.csv",
        group="Sample",
        metadata=settings_sheet,
        epochs=2,
        seed=1,
        settings=FROM_THE_SHIPPED_ENCODER,
        out=out,
    )
    return out
