"""Fits a segmenter to pictures with instance maps, on a GPU where there is one, else on the processor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from morphoscope.models.segmenter import Segmenter, SegmenterSpec
from morphoscope.training.segmentation.losses import segmentation_losses, total_loss
from morphoscope.training.segmentation.samples import SegmentationSamples
from morphoscope.training.segmentation.views import ViewMaker

WARM_UP_SHARE = 0.08
REPORT_STEPS = 50


@dataclass(frozen=True)
class SegmentationSettings:
    """steps: views seen over the batch size; fewer where the deadline comes first. view_px: side of a view."""

    steps: int = 6000
    batch_size: int = 16
    view_px: int = 320
    sizes_px: tuple[float, float] = (20.0, 180.0)
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    averaging_share: float = 0.03
    """The averaged weights, which are kept, remember about this share of the steps."""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class FittedSegmenter:
    """network: with averaged weights, on the CPU, in evaluation mode. history: mean losses, a row each REPORT_STEPS steps."""

    network: Segmenter
    steps: int
    seconds: float
    history: list[dict[str, float]] = field(default_factory=list)


def fit_segmenter(
    samples: SegmentationSamples,
    shares: np.ndarray,
    spec: SegmenterSpec,
    settings: SegmentationSettings,
    *,
    start: dict[str, torch.Tensor] | None = None,
    minutes: float = math.inf,
    device: torch.device | None = None,
    say: Callable[[dict[str, float]], None] = lambda row: None,
) -> FittedSegmenter:
    """shares: (N,) how often a picture is drawn, against the others. start: weights of an encoder (a timm state dict).

    The learning rate falls to zero at the last step or at the end of the minutes, whichever comes first.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings.seed)
    generator = torch.Generator(device).manual_seed(settings.seed)
    network = Segmenter(spec)
    if start is not None:
        network.encoder.model.load_state_dict(start)
    network = network.to(device).to(memory_format=torch.channels_last).train()
    average = AveragedModel(network, multi_avg_fn=_ema(settings), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    samples, chances = samples.to(device), torch.from_numpy(shares.astype(np.float32)).to(device)
    make_views = ViewMaker(settings.view_px, settings.sizes_px)
    history: list[dict[str, float]] = []
    recent: list[torch.Tensor] = []
    began, step, progress = time.monotonic(), 0, 0.0
    while progress < 1:
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(progress)
        rows = torch.multinomial(chances, settings.batch_size, replacement=True, generator=generator)
        with torch.no_grad():
            views = make_views(samples, rows, generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            maps = network(views.pictures.contiguous(memory_format=torch.channels_last))
        losses = segmentation_losses(maps, views)
        optimizer.zero_grad(set_to_none=True)
        total_loss(losses).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update_parameters(network)
        recent.append(torch.stack([loss.detach() for loss in losses.values()]))
        step += 1
        elapsed = time.monotonic() - began
        progress = max(step / settings.steps, elapsed / 60 / minutes)
        if len(recent) == REPORT_STEPS or progress >= 1:
            means = torch.stack(recent).mean(0).tolist()
            history.append({"step": step, "seconds": elapsed, **dict(zip(losses, means, strict=True))})
            say(history[-1])
            recent.clear()
    return FittedSegmenter(average.module.cpu().eval(), step, time.monotonic() - began, history)  # type: ignore[arg-type]


def _ema(settings: SegmentationSettings) -> Callable:
    decay = 1 - 1 / max(2.0, settings.averaging_share * settings.steps)
    return get_ema_multi_avg_fn(decay)


def _schedule(progress: float) -> float:
    """Up in a straight line, down along a cosine."""
    if progress < WARM_UP_SHARE:
        return (progress + 1e-3) / WARM_UP_SHARE
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))))
