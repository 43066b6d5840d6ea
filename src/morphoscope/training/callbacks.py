"""What watches a fit: the record of its epochs, the best weights, the checkpoint for resuming, the clock, the progress bar."""

from __future__ import annotations

import io
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Self

import lightning.pytorch as pl
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

CHECKPOINT_SECONDS = 20.0
"""A checkpoint is written at the end of an epoch once this long has passed since the last one; 0: at the end of each."""


class EpochRecord(pl.Callback):
    """One row of figures an epoch; survives a resume."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.rows.append({"epoch": trainer.current_epoch + 1, "learning_rate": float(rate)} | figures)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = list(state_dict["rows"])


class HistoryFile(pl.Callback):
    """The figures so far as a table on disk after each epoch, for whoever watches from outside. A full disk doesn't end the fit."""

    def __init__(self, record: EpochRecord, path: Path) -> None:
        """record: a callback that stands before this one."""
        self._record, self._path = record, path

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        columns = list(dict.fromkeys(name for row in self._record.rows for name in row))
        lines = [",".join(columns), *(",".join(str(row.get(name, "")) for name in columns) for row in self._record.rows)]
        part = self._path.with_suffix(".part")
        with suppress(OSError):
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")
            part.replace(self._path)


Watch = Callable[[int, Mapping[str, float]], bool]
"""Hears an epoch's number and its figures, each epoch once, and says whether the fit is to go on."""


class AfterEpoch(pl.Callback):
    """Tells a watcher of each epoch, of those before a resume too, and ends the fit where the watcher has seen enough."""

    def __init__(self, record: EpochRecord, watch: Watch) -> None:
        """record: a callback that stands before this one."""
        self._record, self._watch = record, watch
        self._told = 0

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for row in self._record.rows[self._told :]:
            if not self._watch(int(row["epoch"]), row):
                trainer.should_stop = True
        self._told = len(self._record.rows)


class BestWeights(pl.Callback):
    """Keeps the averaged weights of the epoch with the lowest validation loss, and stops when that is long ago."""

    def __init__(self, patience: int) -> None:
        """patience: epochs."""
        self._patience = patience
        self.epoch, self.loss = 0, math.inf
        self.weights: dict[str, torch.Tensor] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loss = float(trainer.callback_metrics.get("validation_loss", math.inf))
        if loss <= self.loss or not self.weights:
            state = pl_module.averaged_network.state_dict()  # type: ignore[union-attr]
            self.weights = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
            self.epoch, self.loss = trainer.current_epoch + 1, loss
        elif trainer.current_epoch + 1 - self.epoch >= self._patience:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "loss": self.loss, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epoch, self.loss, self.weights = state_dict["epoch"], state_dict["loss"], state_dict["weights"]


class AtomicCheckpoint(pl.Callback):
    """Writes `last.ckpt` now and then, beside it first, so that a process killed while writing leaves the older one whole."""

    def __init__(self, path: Path, every_seconds: float = CHECKPOINT_SECONDS) -> None:
        self.path = path
        self._every_seconds = every_seconds
        self._written = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if time.monotonic() - self._written >= self._every_seconds:
            self.write(trainer)

    def write(self, trainer: pl.Trainer) -> None:
        """Writes the state at the end of the epoch that has just finished. Raises OSError, the older checkpoint being whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        try:
            trainer.save_checkpoint(part)
            part.replace(self.path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._written = time.monotonic()


class PlainCheckpointIO(TorchCheckpointIO):
    """Writes to the place it is given. Lightning's own way leads through the system's folder for temporary files, which may
    be small, or on another disk so that a kill leaves half a file."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        Path(path).write_bytes(buffer.getbuffer())


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, here and afterwards; Lightning turns it into an exit and ignores it from then on."""
    usual = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        if _signals_can_be_caught():
            signal.signal(signal.SIGINT, usual)


def _signals_can_be_caught() -> bool:
    return threading.current_thread() is threading.main_thread()


class GentleInterrupt(pl.Callback):
    """Ctrl-C lets the epoch finish, keeps its state and ends the fit; a second Ctrl-C ends it at once.

    To be the last of the callbacks, and used in a `with` around the fit.
    """

    def __init__(self, checkpoint: AtomicCheckpoint) -> None:
        self._checkpoint = checkpoint
        self.was_asked = False
        self.cut_short = False

    def __enter__(self) -> Self:
        if _signals_can_be_caught():
            self._usual = signal.signal(signal.SIGINT, self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        if _signals_can_be_caught():
            signal.signal(signal.SIGINT, self._usual)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.was_asked = True
        signal.signal(signal.SIGINT, self._usual)
        print("Stopping at the end of this epoch, to keep it. Ctrl-C again stops at once.", file=sys.stderr, flush=True)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        is_last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        if self.was_asked and not is_last:
            self._checkpoint.write(trainer)
            self.cut_short = trainer.should_stop = True


class StopAt(pl.Callback):
    """Ends a fit after a number of epochs (a repeat), or before an epoch that would end too late (a budget)."""

    def __init__(self, epoch: int | None, deadline: float | None) -> None:
        """deadline: on the clock of time.monotonic()."""
        self._epoch, self._deadline = epoch, deadline

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now = time.monotonic()
        reached = self._epoch is not None and trainer.current_epoch + 1 >= self._epoch
        late = self._deadline is not None and now + (now - self._started) > self._deadline
        if reached or late:
            trainer.should_stop = True


class EpochBar(pl.Callback):
    """A bar over the epochs with the time that remains; silent when the output is not a terminal."""

    def __init__(self, label: str) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        is_watched = sys.stderr.isatty()
        self._bar = Progress(*columns, TextColumn("{task.fields[loss]}"), console=Console(stderr=True), disable=not is_watched)
        self._label = label

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._bar.start()
        self._task = self._bar.add_task(self._label, total=trainer.max_epochs, completed=trainer.current_epoch, loss="")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loss = trainer.callback_metrics.get("validation_loss")
        shown = "" if loss is None else f"validation loss {float(loss):.3f}"
        self._bar.update(self._task, completed=trainer.current_epoch + 1, loss=shown)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._bar.stop()
