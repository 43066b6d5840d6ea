"""Looks at an encoder while it learns: whether it has collapsed, what it finds alike, what labelled pictures say of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from PIL import Image

from morphoscope.data.picture_file import PictureFile
from morphoscope.errors import MorphoscopeError
from morphoscope.inference.embedding import frozen_features
from morphoscope.models.branches.image import ImageBranch
from morphoscope.training.selfsupervised.collapse import collapse_measures, has_collapsed
from morphoscope.training.selfsupervised.divergence import diverged
from morphoscope.training.selfsupervised.probes import few_label_accuracy

SAMPLE = 512
"""Pictures that are looked at."""
SHEET = "neighbours.png"
_QUERIES, _NEIGHBOURS, _TILE_PX, _GAP_PX = 10, 6, 96, 4


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """canvases: (M, Y, X) uint8. labels: class numbers (M,) a task, -1 where unknown. groups: (M,) kept whole by the probes."""

    canvases: np.ndarray
    labels: dict[str, np.ndarray]
    groups: np.ndarray


class Looks(pl.Callback):
    """Some ten rows of figures a run, in TensorBoard too, and the sheet of nearest neighbours; survives a resume."""

    def __init__(
        self,
        pictures: PictureFile,
        labelled: LabelledPictures | None,
        folder: Path,
        looks: int,
        say: Callable[[str], None],
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self._start: dict[str, float] = {}
        self._unprobed: set[str] = set()
        self._pictures, self._labelled, self._folder, self._looks, self._say = pictures, labelled, folder, looks, say
        self._sample = np.unique(np.linspace(0, len(pictures) - 1, SAMPLE).astype(int))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self._start:
            branch: ImageBranch = pl_module.branch  # type: ignore[assignment]
            features = frozen_features(branch, self._pictures.canvases[self._sample])
            if not np.isfinite(features).all():
                raise MorphoscopeError(
                    "pretrain: the encoder that it starts from gives features that are not finite; expected one that has learned. "
                    "Choose another --encoder."
                )
            self._start = collapse_measures(features)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch, last = trainer.current_epoch + 1, trainer.max_epochs or 1
        every = max(1, last // self._looks)
        if epoch % every == 0 or epoch == last:
            self.look(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self.rows or self.rows[-1]["epoch"] < trainer.current_epoch:
            self.look(trainer, pl_module, trainer.current_epoch)

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int | None = None) -> None:
        """One row; says so where the features have collapsed."""
        branch: ImageBranch = pl_module.branch  # type: ignore[assignment]
        canvases = self._pictures.canvases[self._sample]
        features, epoch = frozen_features(branch, canvases), epoch or trainer.current_epoch + 1
        if not np.isfinite(features).all():  # the loss was, before the last step
            raise diverged(epoch, "the features are not finite", pl_module.learning)  # type: ignore[arg-type]
        row: dict[str, Any] = {"epoch": epoch} | collapse_measures(features)
        if has_collapsed(row, self._start or None):
            self._say(
                f"Epoch {row['epoch']}: the features have collapsed (spread {row['spread']:.2f}, effective rank "
                f"{row['effective_rank']:.1f} of {min(len(features) - 1, features.shape[1])}): pictures are hardly told apart. "
                "Use a smaller learning rate, a larger batch or another --method."
            )
        self.rows.append(row | self._probed(branch))
        for writer in trainer.loggers:
            writer.log_metrics(
                {f"look/{name}": value for name, value in self.rows[-1].items() if name != "epoch"}, trainer.global_step
            )
        neighbour_sheet(canvases, features).save(self._folder / SHEET)

    def _probed(self, branch: ImageBranch) -> dict[str, float]:
        """Accuracy a probe and task; says once which tasks can't be asked."""
        if self._labelled is None:
            return {}
        known = frozen_features(branch, self._labelled.canvases)
        row: dict[str, float] = {}
        for task, labels in self._labelled.labels.items():
            found = few_label_accuracy(known, labels, self._labelled.groups)
            row |= {f"{probe}[{task}]": accuracy for probe, accuracy in found.items()}
            if not found and task not in self._unprobed:
                self._unprobed.add(task)
                groups, classes = (len(np.unique(what[labels >= 0])) for what in (self._labelled.groups, labels))
                self._say(
                    f"No probes of {task}: the labelled pictures are of {classes} classes in {groups} groups; expected two classes "
                    "in each half of the groups. Label pictures of other groups, or choose another --group."
                )
        return row

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "start": self._start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self._start = list(state_dict["rows"]), dict(state_dict.get("start", {}))


def neighbour_sheet(pictures: np.ndarray, features: np.ndarray) -> Image.Image:
    """Rows of tiles: a picture, then those that the features (N, F) find most alike, by cosine; pictures (N, Y, X) uint8."""
    unit = features - features.mean(axis=0)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    asked = np.unique(np.linspace(0, len(unit) - 1, min(_QUERIES, len(unit))).astype(int))
    alike = unit[asked] @ unit.T
    alike[np.arange(len(asked)), asked] = math.inf
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, : _NEIGHBOURS + 1]
    step = _TILE_PX + _GAP_PX
    sheet = Image.new("L", (step * nearest.shape[1] + 2 * _GAP_PX, step * len(asked)), 255)
    for row, found in enumerate(nearest):
        for column, number in enumerate(found):
            tile = Image.fromarray(pictures[number]).resize((_TILE_PX, _TILE_PX), Image.Resampling.BOX)
            sheet.paste(tile, (step * column + (2 * _GAP_PX if column else 0), step * row))
    return sheet
