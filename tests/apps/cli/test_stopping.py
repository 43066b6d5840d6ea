"""Ctrl-C, as a person presses it on a command that runs."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any, NoReturn

import pandas as pd
import pytest
import torch

from morphoscope.apps.verbs import predict, train
from morphoscope.inference.predictor import Predicted
from morphoscope.reporting.predictions_table import Row

Morphoscope = Callable[..., Any]
Start = Callable[..., "Popen[str]"]


def wait_until(condition: Callable[[], bool], process: Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal can't be sent to one process there")
def test_ctrl_c_keeps_the_last_epoch_and_the_best_and_says_how_to_go_on(
    rendered: Path, small: list[str], tmp_path: Path, start: Start
) -> None:
    run = tmp_path / "run"
    data = [rendered / "images", "--labels", rendered / "labels.csv", "--tasks", "Modality"]
    endless = ["--epochs", 500, "--set", "fit.patience=500"]
    process = start("train", *data, *small, *endless, "--out", run)
    wait_until(lambda: bool(list(run.rglob("events.out.tfevents.*"))), process)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Stopping at the end of this epoch" in err
    last = err.splitlines()[-1]
    assert last.startswith("Stopped. ")
    assert last.endswith(" --resume")
    assert f"--out {run}" in last
    kept = torch.load(run / "fits" / "model" / "last.ckpt", weights_only=True)
    assert kept["state_dict"]
    (best,) = [state for name, state in kept["callbacks"].items() if "BestWeights" in name]
    assert best["weights"]
    assert 1 <= best["epoch"] <= kept["epoch"] + 1
    assert not (run / "metrics.json").exists()


def interrupted(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def test_ctrl_c_before_training_says_that_nothing_was_begun(
    rendered: Path, tmp_path: Path, morphoscope: Morphoscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "read_folder", interrupted)
    said = morphoscope("train", rendered / "images", "--labels", rendered / "labels.csv", "--out", tmp_path / "run")
    assert said.code == 130
    assert said.err.splitlines() == [
        "Stopped before training began. The pictures that were read are in the cache; the same command starts again."
    ]


def test_ctrl_c_elsewhere_keeps_what_was_written(
    rendered: Path, trained: Path, tmp_path: Path, morphoscope: Morphoscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, batches = predict._rows, []

    def second_batch_interrupted(batch: Predicted) -> list[Row]:
        batches.append(batch)
        return usual(batch) if len(batches) == 1 else interrupted()

    monkeypatch.setattr(predict, "_rows", second_batch_interrupted)
    said = morphoscope("predict", trained, rendered / "images", "--out", tmp_path / "table.csv")
    assert said.code == 130
    assert said.err.splitlines()[-1] == "Stopped. What was written until now is kept."
    assert len(pd.read_csv(tmp_path / "table.csv")) == len(batches[0].paths)
