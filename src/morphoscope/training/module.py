"""One training step and one validation pass, as Lightning wants them."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from morphoscope.data.augmentation import Augmentation
from morphoscope.models.branches.channel import ChannelBranch
from morphoscope.models.branches.metadata import MetadataEncoder, MetadataJitter
from morphoscope.models.confidence import TaskConfidence, to_probabilities
from morphoscope.models.network import Batch, MultimodalNetwork
from morphoscope.training.objectives import MultitaskLoss
from morphoscope.training.optimisation import freeze, optimizer_for, schedule_for
from morphoscope.training.recipe import Recipe
from morphoscope.training.samples import Rows, Samples, display_values, loader, ordered_batches, shuffled_batches

EVALUATION_BATCH = 64


class MultitaskModule(pl.LightningModule):
    """Trains a network and keeps the exponential average of its weights, which is what is evaluated and kept."""

    def __init__(
        self,
        network: MultimodalNetwork,
        metadata_encoder: MetadataEncoder,
        recipe: Recipe,
        samples: Samples,
        training: np.ndarray,
        validation: np.ndarray,
        loss: MultitaskLoss,
    ) -> None:
        """training, validation: rows of the samples. recipe: with epochs and batch size decided."""
        super().__init__()
        self.network = network
        self._recipe, self._samples, self._training, self._validation, self._loss = recipe, samples, training, validation, loss
        steps = len(shuffled_batches(training, recipe.fit.batch_size, 0, 0)) * recipe.fit.epochs
        decay = 1 - 1 / max(2.0, recipe.fit.averaging * steps) if recipe.fit.averaging else 0.0
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self._steps = steps
        self._augmentation = Augmentation(**recipe.augmentation.model_dump())
        self._jitter = MetadataJitter(metadata_encoder, recipe.model.metadata_drop)
        self._scored: list[tuple[list[Tensor], list[Tensor]]] = []

    @property
    def averaged_network(self) -> MultimodalNetwork:
        network = self.average.module
        if not isinstance(network, MultimodalNetwork):
            raise TypeError(f"the averaged module is a {type(network).__name__}")
        return network

    def train_dataloader(self) -> DataLoader[Rows]:
        fit = self._recipe.fit
        return loader(self._samples, shuffled_batches(self._training, fit.batch_size, self._recipe.seed, self.current_epoch))

    def val_dataloader(self) -> DataLoader[Rows]:
        return loader(self._samples, ordered_batches(self._validation, EVALUATION_BATCH))

    def transfer_batch_to_device(self, batch: Rows, device: torch.device, dataloader_idx: int) -> Rows:
        return batch.to(device)

    def training_step(self, rows: Rows, batch_idx: int) -> Tensor:
        # Dropout draws from the global generator, as loaders do: seeded anew a step, a resumed run equals an undisturbed one.
        seed = _epoch_seed(self._recipe.seed, self.current_epoch) + batch_idx
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        batch = self._augmented(rows, generator)
        features, auxiliary = self.network.learn(batch)
        loss = fused = self._loss(self.network.logits(features), rows.truths)
        fit = self._recipe.fit
        if len(features) > 1 and fit.branch_loss:
            for name in features:
                loss = loss + fit.branch_loss * self._loss(self.network.logits(features, {name}), rows.truths)
        if auxiliary:
            loss = loss + fit.auxiliary_loss * self._loss(auxiliary, rows.truths)
        if "autoencoder" in features and fit.reconstruction_loss:
            drawn = self.network.branches["autoencoder"].reconstruction_loss(features["autoencoder"], batch.inputs["image"])  # type: ignore[operator]
            loss = loss + fit.reconstruction_loss * drawn
        # Of the fused answer and a task, to stand beside the validation loss.
        self.log("train_loss", fused / len(rows.truths), on_step=False, on_epoch=True, prog_bar=True, batch_size=len(rows))
        return loss

    @torch.autocast("cpu", enabled=False)  # resampling in bf16 would round positions to pixels
    @torch.autocast("cuda", enabled=False)
    def _augmented(self, rows: Rows, generator: torch.Generator) -> Batch:
        pictures, log_zoom = self._augmentation(display_values(rows.pictures), generator)
        vectors = dict(rows.vectors)
        if "metadata" in vectors:
            vectors["metadata"] = self._jitter(vectors["metadata"], log_zoom, generator)
        absent = {}
        for name, rows_absent in rows.absent.items():
            branch: ChannelBranch = self.network.branches[name]  # type: ignore[assignment]
            vectors[name] = branch.augmented(vectors[name], self._augmentation, generator)
            dropped = torch.rand(len(rows), generator=generator) < self._recipe.model.channel_drop
            absent[name] = rows_absent | dropped.to(rows_absent.device)
        return Batch({"image": pictures.contiguous(memory_format=torch.channels_last), **vectors}, absent)

    def on_train_batch_end(self, *_: Any) -> None:
        self.average.update_parameters(self.network)

    def validation_step(self, rows: Rows, batch_idx: int) -> None:
        self._scored.append((self.average(rows.batch()), rows.truths))

    def on_validation_epoch_end(self) -> None:
        logits = [torch.cat(parts).float().cpu().numpy() for parts in zip(*[scored[0] for scored in self._scored], strict=True)]
        truths = [torch.cat(parts).cpu().numpy() for parts in zip(*[scored[1] for scored in self._scored], strict=True)]
        self._scored.clear()
        losses = []
        for task, task_logits, truth in zip(self.network.spec.schema.tasks, logits, truths, strict=True):
            labelled = truth.any(1)
            if not labelled.any():
                continue
            prediction = TaskConfidence.fit(task, task_logits, truth).predict(task, task_logits[labelled])
            self.log(f"validation_accuracy[{task.name}]", float((prediction.chosen() == truth[labelled]).all(1).mean()))
            losses.append(_calibrated_loss(task, task_logits[labelled], truth[labelled]))
        self.log("validation_loss", float(np.mean(losses)) if losses else math.inf, prog_bar=True)

    def on_train_epoch_start(self) -> None:
        freeze(self.network, self._recipe, self.current_epoch)

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_for(self.network, self._recipe.fit)
        schedule = schedule_for(optimizer, self._recipe.fit, self._steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _calibrated_loss(task: Any, logits: np.ndarray, truth: np.ndarray) -> float:
    """Negative log-likelihood at the best temperature: what a picture tells, whatever the network's confidence."""
    temperature = TaskConfidence.fit(task, logits, truth).temperature
    p = np.clip(to_probabilities(task, logits / temperature), 1e-7, 1 - 1e-7)
    return float(-(np.where(truth, np.log(p), np.log1p(-p) if task.is_multilabel else 0.0)).sum(1).mean())


def _epoch_seed(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch) * 100_003 % 2**62
