"""Where a network looks, and which of its branches decide: a heat map a picture and task.

The map is gradient times activation, summed over channels (HiResCAM, Draelos & Carin 2020), taken at the last few stages of
the backbone and multiplied: the late stages know what matters, the earlier ones where it is. It works for whatever timm
builds, convolutions and transformers; where a backbone names no stages, the picture itself is the stage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphoscope.inference.predictor import Seen, as_batch
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.bundle import Bundle
from morphoscope.models.network import Batch, MultimodalNetwork
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Task

N_STAGES = 3
_DOUBT = 0.03
"""Added to each stage's map, whose maximum is one: a stage that sees nothing somewhere doesn't outvote the others."""
_SMOOTHING_SHARE = 1 / 32
"""Of the picture's side: the standard deviation of the blur that turns a gradient at single pixels into places."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why one task got its answer for one picture. heat: (Y, X) float32 in [0, 1] over the working copy, what speaks for the
    answer; all 0 where no picture is looked at. shares: branch to its part of the evidence for the answer, together 1."""

    heat: np.ndarray
    shares: dict[str, float]


class Explainer:
    """A bundle that says why. It runs in PyTorch, since it needs gradients."""

    def __init__(self, bundle: Bundle) -> None:
        self._network, self._preprocessing = bundle.network, bundle.preprocessing

    def explain(self, seen: Sequence[Seen], predictions: Sequence[ClassPrediction]) -> list[list[Explanation]]:
        """For each picture of a batch, an explanation a task, of the predictions' best guess."""
        batch = as_batch(seen)
        chosen = [prediction.best for prediction in predictions]
        with torch.enable_grad(), _Stages(self._network) as stages:
            features = stages.features(batch)
            asked = zip(self._network.spec.schema.tasks, self._network.logits(features), chosen, strict=True)
            evidence = [_evidence(*each) for each in asked]
            maps = [stages.map_of(one) for one in evidence]
        shares = _shares(self._network, features, evidence, chosen)
        return [
            [
                Explanation(self._preprocessing.from_canvas(maps[task][row], one.working.shape), shares[task][row])
                for task in range(len(predictions))
            ]
            for row, one in enumerate(seen)
        ]


class _Stages(ExitStack):
    """What the last stages of the image branch give while a batch goes through it."""

    def __init__(self, network: MultimodalNetwork) -> None:
        super().__init__()
        self._network = network
        self._backbone: Any = next((b.backbone for b in network.branches.values() if isinstance(b, ImageBranch)), None)
        self._outputs: list[tuple[Tensor, int]] = []
        self._picture: Tensor | None = None

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """The network's features, with the path back to the picture kept."""
        self._network.eval()
        if self._backbone is not None:
            self._picture = batch.inputs["image"].requires_grad_()
            modules = dict(self._backbone.named_modules())
            for stage in list(getattr(self._backbone, "feature_info", ()))[-N_STAGES:]:
                if stage["module"] in modules:
                    hook = partial(self._keep, channels=stage["num_chs"])
                    self.callback(modules[stage["module"]].register_forward_hook(hook).remove)
        return self._network.features(batch)

    def _keep(self, stage: nn.Module, inputs: Any, output: Any, channels: int) -> Any:
        if not isinstance(output, Tensor):
            return output
        self._outputs.append((output, channels))
        return output.clone()  # some backbones go on in place

    def map_of(self, evidence: Tensor) -> np.ndarray:
        """(B, Y, X) float32 in [0, 1] on the network's canvas: what raises the evidence (B,)."""
        if self._picture is None:
            return np.zeros((len(evidence), 1, 1), np.float32)
        sources = [self._picture, *(output for output, _ in self._outputs)]
        at_picture, *gradients = torch.autograd.grad(evidence.sum(), sources, retain_graph=True, allow_unused=True)
        height, width = self._picture.shape[-2:]
        maps = []
        for (output, channels), gradient in zip(self._outputs, gradients, strict=True):
            if gradient is not None and gradient.any():  # none where only a class token goes on
                places = _in_places((output * gradient).detach(), channels, height / width)
                maps.append(F.interpolate(_scaled(places)[:, None], (height, width), mode="bilinear")[:, 0])
        if not maps:
            maps = [_scaled(_at_pixels(self._picture.detach(), at_picture))]
        together = (torch.stack(maps) + _DOUBT).prod(0) ** (1 / len(maps))
        return _scaled(together - _DOUBT).numpy()


def _in_places(relevance: Tensor, channels: int, aspect: float) -> Tensor:
    """(B, y, x) sums over the channels of (B, C, y, x), (B, y, x, C) or (B, tokens, C). aspect: height over width."""
    if relevance.ndim == 4:
        return relevance.sum(1 if relevance.shape[1] == channels else 3)
    count = relevance.shape[1]
    rows = max(1, round(math.sqrt(count * aspect)))
    columns = count // rows
    return relevance.sum(2)[:, count - rows * columns :].unflatten(1, (rows, columns))  # a class token comes first


def _at_pixels(pictures: Tensor, gradient: Tensor) -> Tensor:
    """(B, Y, X) of pictures (B, 1, Y, X): how much each place says beside an even ground."""
    relevance = ((pictures - pictures.mean((2, 3), keepdim=True)) * gradient)[:, 0]
    sigma = _SMOOTHING_SHARE * max(relevance.shape[1:])
    return torch.stack([torch.from_numpy(cv2.GaussianBlur(one.numpy(), (0, 0), sigma)) for one in relevance])


def _scaled(maps: Tensor) -> Tensor:
    """(B, Y, X) what speaks for the answer, with its maximum at one a picture."""
    positive = maps.float().clamp_min(0)
    return positive / positive.amax((1, 2), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)


def _evidence(task: Task, logits: Tensor, chosen: np.ndarray) -> Tensor:
    """(B,) log odds of the chosen class: against all others together, or, in a multi-label task, against its absence."""
    index = torch.from_numpy(chosen)[:, None]
    own = logits.gather(1, index)[:, 0]
    if task.is_multilabel or len(task.classes) == 1:
        return own
    return own - logits.scatter(1, index, -torch.inf).logsumexp(1)


@torch.no_grad()
def _shares(
    network: MultimodalNetwork, features: dict[str, Tensor], evidence: Sequence[Tensor], chosen: Sequence[np.ndarray]
) -> list[list[dict[str, float]]]:
    """For each task and picture: what each branch adds to the evidence beside its stand-in, as a share of all that is added."""
    names = list(features)
    without = {name: network.logits(features, set(names) - {name}) for name in names}
    found = []
    for row, (task, whole, best) in enumerate(zip(network.spec.schema.tasks, evidence, chosen, strict=True)):
        added = torch.stack([(whole - _evidence(task, without[name][row], best)).clamp_min(0) for name in names], 1)
        shares = added / added.sum(1, keepdim=True).clamp_min(1e-9)
        found.append([dict(zip(names, map(float, one), strict=True)) for one in shares])
    return found
