"""Fits one network to the training rows of one split. Resumable to the bit, bounded in time, repeatable."""

from __future__ import annotations

import copy
import json
import logging
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from safetensors.torch import load_file, save_file

from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.branches.picture import PictureBranch
from morphoscope.models.encoders import RANDOM, start_from
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.training.callbacks import (
    CHECKPOINT_SECONDS,
    AfterEpoch,
    AtomicCheckpoint,
    BestWeights,
    EpochBar,
    EpochRecord,
    GentleInterrupt,
    HistoryFile,
    PlainCheckpointIO,
    StopAt,
    Watch,
    plain_interrupts,
)
from morphoscope.training.module import MultitaskModule
from morphoscope.training.objectives import MultitaskLoss, log_priors
from morphoscope.training.precision import autocast_precision
from morphoscope.training.recipe import Recipe
from morphoscope.training.samples import Samples

_CHECKPOINT, _PLAN, _FINISHED, _WEIGHTS = "last.ckpt", "plan.json", "finished.json", "weights.safetensors"
_HISTORY = "history.csv"
"""While a fit runs."""
PICTURES_SEEN, PICTURES_SEEN_FROM_ENCODER = 24_000, 10_000
"""Views that a fit looks at where the recipe leaves the epochs open: fewer where the network starts from an encoder."""
MIN_EPOCHS, MAX_EPOCHS = 12, 100
PROBE_STEPS = 3
BUDGET_MARGIN = 0.9
"""Share of the time left that the planned epochs may take; the rest absorbs what a short probe can't foresee."""


@dataclass(frozen=True)
class Fitted:
    """network: averaged weights of the best epoch, on the CPU. epochs: planned; stopped_after: done; best_epoch: kept.
    pretraining_epochs: done before, by a recipe that pretrains."""

    network: MultimodalNetwork
    history: pd.DataFrame
    batch_size: int
    epochs: int
    stopped_after: int
    best_epoch: int
    seconds: float
    pretraining_epochs: int = 0


@dataclass(frozen=True)
class FitTask:
    """What is fitted: rows to learn from, rows to stop by (never the test rows), and where its checkpoint lives. watch: who
    hears of each epoch and may end the fit."""

    spec: NetworkSpec
    metadata_encoder: MetadataEncoder
    samples: Samples
    training: np.ndarray
    validation: np.ndarray
    recipe: Recipe
    folder: Path
    label: str = "training"
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    watch: Watch | None = None


def fit(task: FitTask, deadline: float | None = None, resume: bool = False) -> Fitted:
    """Trains from the recipe's seed. deadline: on time.monotonic(); the epochs are planned to end before it, with the
    learning rate brought down in full. resume: goes on from the folder's checkpoint where there is one.

    Ctrl-C finishes the epoch, keeps a checkpoint of it (with the best weights so far) and raises KeyboardInterrupt; a second
    one does not wait. Raises OSError where the folder can't be written.
    """
    started = time.monotonic()
    quiet()
    if resume and (finished := _load_finished(task)):
        return finished
    torch.manual_seed(task.recipe.seed)
    network = _initialised(task)
    recipe = _plan(task, network, deadline, resume)
    module = _module(task, network, recipe)
    patience = recipe.fit.patience_epochs or max(1, round(recipe.fit.patience * recipe.fit.epochs))
    record, best = EpochRecord(), BestWeights(patience)
    checkpoint = AtomicCheckpoint(task.folder / _CHECKPOINT, task.checkpoint_seconds)
    interrupt = GentleInterrupt(checkpoint)
    stop = StopAt(recipe.fit.stopped_after or None, None if recipe.fit.stopped_after else deadline)
    trainer = _trainer(
        network,
        recipe,
        [
            record,
            HistoryFile(record, task.folder / _HISTORY),
            best,
            stop,
            *([AfterEpoch(record, task.watch)] if task.watch else []),
            checkpoint,
            EpochBar(task.label),
            interrupt,
        ],
        max_epochs=recipe.fit.epochs,
        limit_val_batches=1.0 if len(task.validation) else 0,
        logger=TensorBoardLogger(task.folder / "tensorboard", name="", version=""),
        gradient_clip_val=5.0,
        reload_dataloaders_every_n_epochs=1,
        log_every_n_steps=1,
    )
    resumed = checkpoint.path if resume and checkpoint.path.is_file() else None
    with plain_interrupts(), interrupt:
        trainer.fit(module, ckpt_path=resumed, weights_only=True)
    if interrupt.cut_short:
        raise KeyboardInterrupt
    module.averaged_network.load_state_dict(best.weights)
    fitted = Fitted(
        module.averaged_network.cpu().eval(),
        pd.DataFrame(record.rows),
        recipe.fit.batch_size,
        recipe.fit.epochs,
        len(record.rows),
        best.epoch,
        time.monotonic() - started,
    )
    _keep_finished(task, fitted)
    if interrupt.was_asked:
        raise KeyboardInterrupt
    return fitted


def _trainer(network: MultimodalNetwork, recipe: Recipe, callbacks: list[pl.Callback], **further: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=1,
        precision=autocast_precision(recipe.fit.precision, network),
        callbacks=callbacks,
        plugins=PlainCheckpointIO(),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **further,
    )


def _module(task: FitTask, network: MultimodalNetwork, recipe: Recipe) -> MultitaskModule:
    schema = task.spec.schema
    priors = log_priors(schema, [torch.from_numpy(truth[task.training]) for truth in task.samples.truths])
    loss = MultitaskLoss(schema, priors, recipe.fit.logit_adjustment, recipe.fit.label_smoothing)
    return MultitaskModule(network, task.metadata_encoder, recipe, task.samples, task.training, task.validation, loss)


def _initialised(task: FitTask) -> MultimodalNetwork:
    network = MultimodalNetwork(task.spec).to(memory_format=torch.channels_last)
    for name, branch in network.branches.items():
        looking = branch.image if isinstance(branch, PictureBranch) else branch
        if isinstance(looking, ImageBranch):
            start_from(task.recipe.encoder, looking)
        elif hasattr(branch, "standardise_by"):
            branch.standardise_by(torch.from_numpy(_present(task.samples, name, task.training)))  # type: ignore[operator]
    return network


def _present(samples: Samples, name: str, rows: np.ndarray) -> np.ndarray:
    """(M, …) what a branch takes of some rows, less those without it; all rows of the run where no such row has it."""
    absent = samples.absent.get(name, np.zeros(len(samples), bool))
    some = rows[~absent[rows]]
    return samples.vectors[name][some if len(some) else ~absent]


def _plan(task: FitTask, network: MultimodalNetwork, deadline: float | None, resume: bool) -> Recipe:
    """The recipe with epochs and batch size decided once a fit: a resumed one must follow the same learning-rate schedule."""
    path = task.folder / _PLAN
    if resume and path.is_file():
        plan = json.loads(path.read_text(encoding="utf-8"))
        return task.recipe.model_copy(update={"fit": task.recipe.fit.model_copy(update=plan)})
    recipe = _planned(task, network, deadline)
    task.folder.mkdir(parents=True, exist_ok=True)
    (task.folder / _CHECKPOINT).unlink(missing_ok=True)
    _write_whole(path, {"epochs": recipe.fit.epochs, "batch_size": recipe.fit.batch_size})
    return recipe


def _keep_finished(task: FitTask, fitted: Fitted) -> None:
    """A finished fit as two small files in place of its checkpoint, so that a resumed run of many fits skips it."""
    save_file({name: tensor.contiguous() for name, tensor in fitted.network.state_dict().items()}, task.folder / _WEIGHTS)
    document = {name: getattr(fitted, name) for name in ("batch_size", "epochs", "stopped_after", "best_epoch", "seconds")}
    document["history"] = fitted.history.to_dict("records")
    _write_whole(task.folder / _FINISHED, document)
    for name in (_CHECKPOINT, _HISTORY):
        (task.folder / name).unlink(missing_ok=True)


def _write_whole(path: Path, document: dict[str, Any]) -> None:
    """JSON that is there complete or not at all, whenever the process is killed."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document), encoding="utf-8")
    part.replace(path)


def what_is_left_of(folder: Path) -> str:
    """What an interrupted run has kept of a fit, in words."""
    if (folder / _FINISHED).is_file():
        return "is finished already"
    return "goes on from its checkpoint" if (folder / _CHECKPOINT).is_file() else "begins anew"


def _load_finished(task: FitTask) -> Fitted | None:
    path = task.folder / _FINISHED
    if not path.is_file():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    network = MultimodalNetwork(task.spec).to(memory_format=torch.channels_last)  # another layout would round otherwise
    network.load_state_dict(load_file(task.folder / _WEIGHTS))
    return Fitted(network.eval(), pd.DataFrame(document.pop("history")), **document)


def _planned(task: FitTask, network: MultimodalNetwork, deadline: float | None) -> Recipe:
    """The recipe with its batch size and epochs decided: by the data, and by the clock where a deadline is given."""
    fit, count = task.recipe.fit, len(task.training)
    batch_size = fit.batch_size or int(np.clip(2 ** round(np.log2(max(1, count / 16))), 4, 32))
    seen = PICTURES_SEEN if task.recipe.encoder == RANDOM else PICTURES_SEEN_FROM_ENCODER
    of_stages = sum(stage.epochs for stage in fit.stages)
    epochs = fit.epochs or of_stages or int(np.clip(round(seen / max(1, count)), MIN_EPOCHS, MAX_EPOCHS))
    planned = task.recipe.model_copy(update={"fit": fit.model_copy(update={"batch_size": batch_size, "epochs": epochs})})
    if deadline is None or fit.stopped_after:
        return planned
    seconds = _seconds_per_epoch(task, network, planned)
    affordable = int(BUDGET_MARGIN * (deadline - time.monotonic()) / seconds) - 1  # an epoch's time for the answers afterwards
    return planned.model_copy(update={"fit": planned.fit.model_copy(update={"epochs": max(1, min(epochs, affordable))})})


def _seconds_per_epoch(task: FitTask, network: MultimodalNetwork, recipe: Recipe) -> float:
    """Measured on a copy for a few steps after one that warms up; a picture to stop by counts as a third of one to learn from."""
    module = _module(task, copy.deepcopy(network), recipe)
    probe = _trainer(network, recipe, [clock := _StepClock()], max_steps=1 + PROBE_STEPS, limit_val_batches=0, logger=False)
    with plain_interrupts():
        probe.fit(module)
    pictures = len(task.training) + len(task.validation) / 3
    return max(1e-6, clock.seconds_per_step * pictures / recipe.fit.batch_size)


class _StepClock(pl.Callback):
    """Median seconds from one step to the next, the first left out."""

    def __init__(self) -> None:
        self._ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self._ends.append(time.monotonic())

    @property
    def seconds_per_step(self) -> float:
        return float(np.median(np.diff(self._ends))) if len(self._ends) > 1 else 1.0


def quiet() -> None:
    """Lightning's advice is for its own users; ours see a bar and a report."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    warnings.filterwarnings(
        "ignore", message=".*(does not have many workers|isinstance\\(treespec, LeafSpec\\)|is a wall clock).*"
    )
    warnings.filterwarnings("ignore", message=".*number of training batches.*log.*interval.*")
