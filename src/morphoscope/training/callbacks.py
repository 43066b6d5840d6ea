"""What watches a fit: the record of its epochs, the best weights, the checkpoint for resuming, the clock, the progress bar."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

CHECKPOINT_SECONDS = 20.0
"""A checkpoint is written at the end of an epoch once this long has passed since the last one."""


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

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if time.monotonic() - self._written >= CHECKPOINT_SECONDS:
            self.write(trainer)

    def write(self, trainer: pl.Trainer) -> None:
        """Writes the state at the end of the epoch that has just finished."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        trainer.save_checkpoint(part)
        part.replace(self.path)
        self._written = time.monotonic()


class StopAt(pl.Callback):
    """Ends a fit after a number of epochs (a repeat) or at a point in time (a budget), whichever is given."""

    def __init__(self, epoch: int | None, deadline: float | None) -> None:
        """deadline: on the clock of time.monotonic()."""
        self._epoch, self._deadline = epoch, deadline

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        reached = self._epoch is not None and trainer.current_epoch + 1 >= self._epoch
        late = self._deadline is not None and time.monotonic() >= self._deadline
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
        self._bar = Progress(*columns, TextColumn("{task.fields[loss]}"), disable=not sys.stderr.isatty())
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
