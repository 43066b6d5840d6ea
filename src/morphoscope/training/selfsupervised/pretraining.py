"""Pretrains one encoder on a file of pictures. Resumable, bounded in time, repeatable, watched for collapse."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from morphoscope.data.picture_file import PictureFile
from morphoscope.data.views import Views
from morphoscope.errors import MorphoscopeError
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import start_from
from morphoscope.training.callbacks import (
    AtomicCheckpoint,
    EpochBar,
    EpochRecord,
    GentleInterrupt,
    PlainCheckpointIO,
    StopAt,
    plain_interrupts,
)
from morphoscope.training.fit import quiet
from morphoscope.training.precision import autocast_precision
from morphoscope.training.samples import display_values, shuffled_batches
from morphoscope.training.selfsupervised import METHODS
from morphoscope.training.selfsupervised.course import Course, StopAtDeadline
from morphoscope.training.selfsupervised.divergence import diverged
from morphoscope.training.selfsupervised.looks import LabelledPictures, Looks
from morphoscope.training.selfsupervised.method import SelfSupervisedMethod
from morphoscope.training.selfsupervised.recipe import PretrainingRecipe

PICTURES_SEEN = 40_000
"""Pictures that a run looks at, two views each, where the recipe leaves the epochs open."""
MAX_EPOCHS = 400
USUAL_BATCH, SMALLEST_BATCH = 64, 8
CHECKPOINT = "last.ckpt"


@dataclass(frozen=True)
class Pace:
    """How a run goes beside what it computes. deadline: on time.monotonic(). looks: how often it is looked at. stop_after: epochs
    after which a repeat stops where the clock stopped the first run. by_clock: whether the deadline ends an epoch half-way, and
    the learning rate comes down with the time; a repeat then needs the recipe's stopped_after_steps."""

    deadline: float | None = None
    resume: bool = False
    checkpoint_seconds: float = 20.0
    looks: int = 10
    stop_after: int | None = None
    by_clock: bool = False


@dataclass(frozen=True, eq=False)
class Pretrained:
    """branch: the encoder, on the CPU. history: a row an epoch. looks: what was seen in between, the last at the end.
    stopped_after_steps: where the clock ended the run, or the one that it repeats; 0 for one that did all."""

    branch: ImageBranch
    history: pd.DataFrame
    looks: list[dict[str, Any]]
    epochs: int
    batch_size: int
    seconds: float
    stopped_after_steps: int = 0


def decided(recipe: PretrainingRecipe, n_pictures: int) -> PretrainingRecipe:
    """The recipe with its batch size and epochs decided by the number of pictures. Raises MorphoscopeError for too few."""
    learning = recipe.learning
    batch = learning.batch_size or min(USUAL_BATCH, max(SMALLEST_BATCH, 2 ** int(math.log2(max(1, n_pictures / 2)))))
    if n_pictures < max(2, batch):
        raise MorphoscopeError(
            f"pretrain: found {n_pictures} pictures that differ; expected at least one batch of {max(2, batch)}. Add pictures"
            + (f", or --set learning.batch_size={n_pictures}." if n_pictures >= 2 else ".")
        )
    epochs = learning.epochs or int(np.clip(round(PICTURES_SEEN / n_pictures), 1, MAX_EPOCHS))
    return recipe.model_copy(update={"learning": learning.model_copy(update={"batch_size": batch, "epochs": epochs})})


def pretrain_encoder(
    pictures: PictureFile,
    recipe: PretrainingRecipe,
    folder: Path,
    pace: Pace = Pace(),  # frozen
    labelled: LabelledPictures | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Pretrained:
    """Learns from the pictures as the recipe says; decided() has filled in batch size and epochs.

    folder: for the checkpoint, TensorBoard's events and the picture sheet. labelled: asked while it runs, never learned from.
    Ctrl-C finishes the epoch, keeps a checkpoint and raises KeyboardInterrupt. Raises DivergenceError as soon as the
    loss is no finite number, OSError where the folder can't be written.
    """
    started = time.monotonic()
    quiet()
    torch.manual_seed(recipe.seed)
    deadline = None if recipe.learning.stopped_after_steps else pace.deadline
    module = PretrainingModule(pictures.canvases, recipe, deadline if pace.by_clock else None)
    record, looks = EpochRecord(), Looks(pictures, labelled, folder, pace.looks, say)
    checkpoint = AtomicCheckpoint(folder / CHECKPOINT, pace.checkpoint_seconds)
    interrupt = GentleInterrupt(checkpoint)
    trainer = pl.Trainer(
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=1,
        precision=autocast_precision(recipe.learning.precision, module.branch),
        callbacks=[looks, record, *_stops(pace, deadline), checkpoint, EpochBar("pretraining"), interrupt],
        plugins=PlainCheckpointIO(),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        max_epochs=recipe.learning.epochs,
        max_steps=recipe.learning.stopped_after_steps or -1,
        logger=TensorBoardLogger(folder / "tensorboard", name="", version=""),
        gradient_clip_val=recipe.learning.gradient_clip or None,
        reload_dataloaders_every_n_epochs=1,
        log_every_n_steps=1,
    )
    resumed = checkpoint.path if pace.resume and checkpoint.path.is_file() else None
    with plain_interrupts(), interrupt:
        trainer.fit(module, ckpt_path=resumed, weights_only=True)
    if interrupt.cut_short:
        raise KeyboardInterrupt
    seconds = time.monotonic() - started
    stopped = trainer.global_step if trainer.global_step < module.course.steps else recipe.learning.stopped_after_steps
    history, batch_size = pd.DataFrame(record.rows), recipe.learning.batch_size
    return Pretrained(module.branch.cpu().eval(), history, looks.rows, len(history), batch_size, seconds, stopped)


def _stops(pace: Pace, deadline: float | None) -> list[pl.Callback]:
    if deadline is None or not pace.by_clock:
        return [StopAt(pace.stop_after, deadline)]
    return [StopAt(pace.stop_after, None), StopAtDeadline(deadline)]


def beginning(recipe: PretrainingRecipe) -> tuple[ImageBranch, SelfSupervisedMethod]:
    """The encoder where it starts, and the method that is to teach it. Raises MorphoscopeError where a setting of the recipe fits
    the encoder, its weights or the method not."""
    branch = ImageBranch(recipe.backbone).to(memory_format=torch.channels_last)
    start_from(recipe.encoder, branch)
    method = _built(recipe, branch.out_features)
    method.check(branch, recipe.views.side)
    return branch, method


class PretrainingModule(pl.LightningModule):
    """An encoder, and the method that teaches it."""

    def __init__(self, canvases: np.ndarray, recipe: PretrainingRecipe, deadline: float | None = None) -> None:
        """deadline: on time.monotonic(), that the learning rate comes down to."""
        super().__init__()
        self.branch, self.method = beginning(recipe)
        self.method.follow(self.branch)
        self._canvases, self._recipe, self.learning = canvases, recipe, recipe.learning
        steps = max(1, len(canvases) // recipe.learning.batch_size) * recipe.learning.epochs
        self.course = Course(min(steps, recipe.learning.stopped_after_steps or steps), deadline)
        self._views = views_of(recipe)
        self._rows = np.arange(len(canvases))

    def train_dataloader(self) -> DataLoader[Tensor]:
        learning = self._recipe.learning
        batches = shuffled_batches(self._rows, learning.batch_size, self._recipe.seed, self.current_epoch)
        sampler = [batch.tolist() for batch in batches]
        return DataLoader(_Canvases(self._canvases), batch_sampler=sampler, collate_fn=_as_it_is)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["course"] = self.course.reached

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.course.reached = checkpoint.get("course", 0.0)

    def on_train_start(self) -> None:
        self.course.begin()

    def training_step(self, pictures: Tensor, batch_idx: int) -> Tensor:
        seed = (self._recipe.seed * 1_000_003 + self.current_epoch) * 100_003 % 2**62 + batch_idx
        torch.manual_seed(seed)
        generator = torch.Generator(pictures.device).manual_seed(seed)
        first, second = self.two_views(pictures, generator)
        loss = self.method.loss(self.branch, first, second)
        if not torch.isfinite(loss):
            raise diverged(self.current_epoch + 1, f"the loss is {float(loss.detach())}", self.learning)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(pictures))
        return loss

    @torch.autocast("cpu", enabled=False)  # resampling in bf16 would round positions to pixels
    @torch.autocast("cuda", enabled=False)
    def two_views(self, pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Two views of each picture (B, 1, Y, X) uint8, or the same one twice for a method that looks at one."""
        views, _ = self._views(display_values(torch.cat([pictures] * self.method.n_views)), generator)
        chunks = views.contiguous(memory_format=torch.channels_last).chunk(self.method.n_views)
        return chunks[0], chunks[-1]

    def on_train_batch_end(self, *_: Any) -> None:
        self.method.after_step(self.branch, self.course.at(self.global_step))

    def configure_optimizers(self) -> Any:
        learning = self._recipe.learning
        learned = [p for p in self.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in learned if p.ndim > 1], "weight_decay": learning.weight_decay},
            {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer: torch.optim.Optimizer
        if learning.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=learning.learning_rate, momentum=learning.momentum)
        else:
            optimizer = torch.optim.AdamW(groups, lr=learning.learning_rate)
        rising = max(1, round(learning.warm_up * self.course.steps))

        def share(step: int) -> float:
            done = self.course.at(step)
            rise = max((step + 1) / rising, done / learning.warm_up) if learning.warm_up else 1.0
            return min(1.0, rise) * (1 + math.cos(math.pi * done)) / 2

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def views_of(recipe: PretrainingRecipe) -> Views:
    """The views of a recipe."""
    settings = recipe.views.model_dump()
    crop = settings.pop("smallest_crop"), settings.pop("largest_crop")
    return Views(crop=(min(crop), max(crop)), **settings)


def _built(recipe: PretrainingRecipe, width: int) -> SelfSupervisedMethod:
    try:
        built: SelfSupervisedMethod = METHODS.load(recipe.method)(width, **recipe.method_settings)
    except TypeError as error:
        raise MorphoscopeError(
            f"--method {recipe.name}: its method_settings don't fit {recipe.method} ({error}); expected those of the method. "
            "Correct the recipe."
        ) from error
    return built


class _Canvases(Dataset[Tensor]):
    """Whole batches (B, 1, Y, X) uint8 at once, read from the mapped file."""

    def __init__(self, canvases: np.ndarray) -> None:
        self._canvases = canvases

    def __getitems__(self, rows: list[int]) -> Tensor:
        order = np.sort(np.array(rows))  # a batch has no order, and the disk likes one
        return torch.from_numpy(np.ascontiguousarray(self._canvases[order]))[:, None]


def _as_it_is(batch: Any) -> Any:
    return batch
