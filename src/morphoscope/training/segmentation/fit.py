"""Fits a segmenter to pictures with instance maps, on a GPU where there is one, else on the processor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from morphoscope.models.bfloat16 import bf16_is_native
from morphoscope.models.segmenter import Segmenter, SegmenterSpec
from morphoscope.training.segmentation.choice import Choice
from morphoscope.training.segmentation.losses import WEIGHTS, segmentation_losses, total_loss
from morphoscope.training.segmentation.samples import SegmentationSamples
from morphoscope.training.segmentation.views import ViewMaker

WARM_UP_SHARE = 0.08
REPORT_STEPS, REPORT_ROWS = 50, 40
"""A row of losses each so many steps; oftener in a short fit, so that there are about so many rows."""
PROBE_STEPS = 3
LOSSES = tuple(WEIGHTS)
_WHOLE = "head.weight"  # an encoder has no such weights


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
    encoder_rate: float = 1.0
    """The encoder's learning rate over that of the rest; at 0 its weights stay as they start."""
    kept_statistics: Literal["none", "encoder", "all"] = "none"
    """Of normalisation: a few small views tell less of a picture's grey levels than what the start has seen."""
    is_dice_alone: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class FittedSegmenter:
    """network: with averaged weights, on the CPU, in evaluation mode; those of kept_step where a choice was made.
    history: a row now and then with mean losses since the last, and with a look's scores where one was taken."""

    network: Segmenter
    steps: int
    seconds: float
    history: list[dict[str, float]] = field(default_factory=list)
    kept_step: int = 0
    was_stopped: bool = False


@dataclass(frozen=True, eq=False)
class Watch:
    """Who follows a fit. say: hears each row of the history. progress: the share done. is_stopped: asked after each step
    whether someone wants it to end. choice: looks at validation pictures; without one, the last weights are kept."""

    say: Callable[[dict[str, float]], None] = lambda row: None
    progress: Callable[[float], None] = lambda share: None
    is_stopped: Callable[[], bool] = lambda: False
    choice: Choice | None = None


UNWATCHED = Watch()


def fit_segmenter(
    samples: SegmentationSamples,
    shares: np.ndarray,
    spec: SegmenterSpec,
    settings: SegmentationSettings,
    *,
    start: dict[str, torch.Tensor] | None = None,
    minutes: float = math.inf,
    device: torch.device | None = None,
    watch: Watch = UNWATCHED,
) -> FittedSegmenter:
    """shares: (N,) how often a picture is drawn, against the others. start: weights of a whole segmenter, or of an encoder (a
    timm state dict).

    The learning rate falls to zero at the last step or at the end of the minutes, whichever comes first.
    """
    fit = _Fit(samples, shares, spec, settings, start, device)
    choice, history, recent = watch.choice, [], []
    report_steps = max(1, min(REPORT_STEPS, settings.steps // REPORT_ROWS))
    began, progress, was_stopped = time.monotonic(), 0.0, False
    if choice and choice.is_due(0.0):
        history.append({"step": 0, "seconds": 0.0} | choice.look(fit.averaged, 0))
    while progress < 1 and not was_stopped and not (choice and choice.is_over):
        recent.append(fit.step(progress))
        elapsed = time.monotonic() - began
        progress = max(fit.steps / settings.steps, elapsed / 60 / minutes)
        was_stopped = watch.is_stopped()
        is_due = choice is not None and not was_stopped and choice.is_due(progress)
        if len(recent) == report_steps or progress >= 1 or is_due or was_stopped:
            means = torch.stack(recent).mean(0).tolist()
            history.append({"step": fit.steps, "seconds": elapsed, **dict(zip(LOSSES, means, strict=True))})
            if choice and is_due:
                history[-1] |= choice.look(fit.averaged, fit.steps)
            watch.say(history[-1])
            recent.clear()
        watch.progress(min(1.0, progress))
    kept = fit.averaged.cpu()
    if choice and choice.weights:
        kept.load_state_dict(choice.weights)
    kept_step = choice.step if choice and choice.weights else fit.steps
    return FittedSegmenter(kept.eval(), fit.steps, time.monotonic() - began, history, kept_step, was_stopped)


def seconds_per_step(
    samples: SegmentationSamples, spec: SegmenterSpec, settings: SegmentationSettings, device: torch.device | None = None
) -> float:
    """Timed on a few steps of a network that is thrown away; the first, which is slow, does not count."""
    fit = _Fit(samples, np.ones(len(samples)), spec, settings, None, device)
    times = []
    for _ in range(PROBE_STEPS):
        began = time.perf_counter()
        fit.step(0.0)
        times.append(time.perf_counter() - began)
    return float(np.median(times[1:]))


class _Fit:
    """A network with its average, its optimizer and the pictures it learns from, on one device."""

    def __init__(
        self,
        samples: SegmentationSamples,
        shares: np.ndarray,
        spec: SegmenterSpec,
        settings: SegmentationSettings,
        start: dict[str, torch.Tensor] | None,
        device: torch.device | None,
    ) -> None:
        self._device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._settings, self.steps = settings, 0
        torch.manual_seed(settings.seed)
        self._generator = torch.Generator(self._device).manual_seed(settings.seed)
        network = Segmenter(spec)
        if start is not None:
            (network if _WHOLE in start else network.encoder.model).load_state_dict(start)
        self._network = network.to(self._device).to(memory_format=torch.channels_last).train()
        if settings.kept_statistics != "none":
            kept = self._network if settings.kept_statistics == "all" else self._network.encoder
            for module in kept.modules():
                if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                    module.eval()
        self._average = AveragedModel(self._network, multi_avg_fn=_ema(settings), use_buffers=True)
        self._optimizer = torch.optim.AdamW(self._learners(), weight_decay=settings.weight_decay)
        self._samples = samples.to(self._device)
        self._chances = torch.from_numpy(shares.astype(np.float32)).to(self._device)
        self._make_views = ViewMaker(settings.view_px, settings.sizes_px)

    @property
    def averaged(self) -> Segmenter:
        return self._average.module  # type: ignore[return-value]

    def _learners(self) -> list[dict[str, Any]]:
        """What learns, with its learning rate at its highest."""
        encoder, rate = self._network.encoder, self._settings.learning_rate
        rest = [each for name, part in self._network.named_children() if name != "encoder" for each in part.parameters()]
        if not self._settings.encoder_rate:
            encoder.requires_grad_(False)
            return [{"params": rest, "highest": rate}]
        own = {"params": list(encoder.parameters()), "highest": rate * self._settings.encoder_rate}
        return [own, {"params": rest, "highest": rate}]

    def step(self, progress: float) -> torch.Tensor:
        """(L,) the losses of one step, at this share of the fit."""
        for group in self._optimizer.param_groups:
            group["lr"] = group["highest"] * _schedule(progress)
        rows = torch.multinomial(self._chances, self._settings.batch_size, replacement=True, generator=self._generator)
        with torch.no_grad():
            views = self._make_views(self._samples, rows, self._generator)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=bf16_is_native()):
            maps = self._network(views.pictures.contiguous(memory_format=torch.channels_last))
        losses = segmentation_losses(maps, views)
        self._optimizer.zero_grad(set_to_none=True)
        total_loss(losses, self._settings.is_dice_alone).backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimizer.step()
        self._average.update_parameters(self._network)
        self.steps += 1
        return torch.stack([losses[name].detach() for name in LOSSES])


def _ema(settings: SegmentationSettings) -> Callable:
    decay = 1 - 1 / max(2.0, settings.averaging_share * settings.steps)
    return get_ema_multi_avg_fn(decay)


def _schedule(progress: float) -> float:
    """Up in a straight line, down along a cosine."""
    if progress < WARM_UP_SHARE:
        return (progress + 1e-3) / WARM_UP_SHARE
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))))
