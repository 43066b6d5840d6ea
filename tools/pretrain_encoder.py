"""Pretrains the encoder that Morphoscope ships, on one device, within a number of minutes.

    python tools/pretrain_encoder.py --pictures pictures.npz --render 20000 --minutes 6 --out encoder [--probe probe.npz]

Two things are learned at once: the labels of rendered micrographs, every task a head (missing labels are left out), and, of
unlabelled real and rendered ones alike, that two views of a picture belong together (SimCLR, Barlow Twins or VICReg). Pictures
lie on the device as bytes, and views are made there. The learning rate follows the clock, so that a run ends when it should.

pictures.npz (`tools/gather_pictures.py` writes it): `pictures` (N, Y, Y) uint8; may hold `is_real` (N,) bool, and, of rendered
ones, `truths` (N, T) class numbers, -1 where unknown, with `tasks`, the JSON of their names and classes.
--render draws further pictures beside the training, on the processors that are otherwise idle.
probe.npz: `pictures` (M, y, x) uint8, `labels` (T, M) class numbers, -1 where unknown, `groups` (M,), `names` (T,): frozen features
are asked for them, from eight labels a class, while it learns; nothing is learned from them.

Needs torch, timm, numpy, safetensors and scipy alone. Writes encoder.safetensors (half precision) and encoder.json.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
import torch.nn.functional as F
from rendered_tasks import MIX, TASKS, rendered_pictures
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from morphoscope.data.views import Views
from morphoscope.training.selfsupervised.barlow_twins import barlow_twins_loss
from morphoscope.training.selfsupervised.collapse import collapse_measures
from morphoscope.training.selfsupervised.method import projector
from morphoscope.training.selfsupervised.probes import few_label_accuracy
from morphoscope.training.selfsupervised.simclr import simclr_loss
from morphoscope.training.selfsupervised.vicreg import vicreg_loss

LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], float]] = {
    "simclr": (partial(simclr_loss, temperature=0.15), 1.0),
    "barlow_twins": (barlow_twins_loss, 0.01),
    "vicreg": (vicreg_loss, 0.1),
}
"""The loss, and the factor that brings it to the size of a cross-entropy."""
GREY_MEAN, GREY_STD = 0.5, 0.25
CHUNK, RENDER_SEED = 64, 50_000
AVERAGE_OVER_STEPS = 500
WARM_UP_SHARE = 0.05


class PicturePool:
    """Pictures (capacity, 1, Y, Y) uint8 on the device, with what is known of each; grows as rendered ones come in."""

    def __init__(self, capacity: int, side: int, device: torch.device) -> None:
        self.pictures = torch.zeros(capacity, 1, side, side, dtype=torch.uint8, device=device)
        self.truths = torch.full((capacity, len(TASKS)), -1, dtype=torch.long, device=device)
        self._count, self._device = 0, device
        self.real = torch.zeros(0, dtype=torch.long, device=device)
        self.rendered = torch.zeros(0, dtype=torch.long, device=device)
        self.held_back = torch.zeros(0, dtype=torch.long, device=device)

    def add(self, pictures: np.ndarray, truths: np.ndarray, *, is_real: bool = False, held_back: bool = False) -> None:
        """Pictures (N, Y, Y) and class numbers (N, T); held-back ones are only ever asked about."""
        room = slice(self._count, self._count + len(pictures))
        self.pictures[room, 0] = torch.from_numpy(pictures).to(self._device)
        self.truths[room] = torch.from_numpy(truths).to(self._device)
        rows = torch.arange(room.start, room.stop, device=self._device)
        name = "held_back" if held_back else "real" if is_real else "rendered"
        setattr(self, name, torch.cat([getattr(self, name), rows]))
        self._count = room.stop

    def draw(self, count: int, real_share: float, generator: torch.Generator) -> Tensor:
        """Rows, of which about a share is real where there are any."""
        n_real = round(count * real_share) if len(self.real) else 0
        n_real = count if not len(self.rendered) else n_real
        return torch.cat([_some(self.real, n_real, generator), _some(self.rendered, count - n_real, generator)])


def _some(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of the rows, none again before all were drawn: a picture must not be its own negative."""
    if not count:
        return rows[:0]
    rounds = [torch.randperm(len(rows), generator=generator, device=rows.device) for _ in range(-(-count // len(rows)))]
    return rows[torch.cat(rounds)[:count]]


class Learner(nn.Module):
    """Backbone, projector and one linear head a task."""

    def __init__(self, backbone: str, start: Path | None) -> None:
        super().__init__()
        self.backbone = timm.create_model(backbone, pretrained=False, in_chans=1, num_classes=0)
        if start:
            self.backbone.load_state_dict(
                {name: w.float() if w.is_floating_point() else w for name, w in load_file(start).items()}
            )
        width = int(self.backbone.num_features)
        self.projector = projector([width, 1024, 1024, 512])
        self.heads = nn.ModuleList([nn.Linear(width, len(classes)) for classes in TASKS.values()])

    def features(self, pictures: Tensor) -> Tensor:
        """(B, F) of display values (B, 1, y, x)."""
        return self.backbone(((pictures - GREY_MEAN) / GREY_STD).contiguous(memory_format=torch.channels_last))

    def supervised_loss(self, features: Tensor, truths: Tensor, smoothing: float) -> Tensor:
        """Mean over tasks of the cross-entropy of the labelled rows."""
        losses, present = [], []
        for head, truth in zip(self.heads, truths.T, strict=True):
            known = (truth >= 0).sum()
            summed = F.cross_entropy(head(features).float(), truth, ignore_index=-1, label_smoothing=smoothing, reduction="sum")
            losses.append(summed / known.clamp_min(1))
            present.append(known > 0)
        return torch.stack(losses).sum() / torch.stack(present).sum().clamp_min(1)


class Average:
    """Exponential average of weights and statistics; young, it follows closely."""

    def __init__(self, learner: Learner) -> None:
        self._steps = 0
        self.state = {name: tensor.detach().clone() for name, tensor in learner.state_dict().items()}

    def update(self, learner: Learner) -> None:
        """Takes in the present weights."""
        self._steps += 1
        share = max(1 / AVERAGE_OVER_STEPS, 1 / (1 + self._steps / 4))
        floating = [(mine, new) for mine, new in zip(self.state.values(), learner.state_dict().values(), strict=True)]
        kept = [(mine, new) for mine, new in floating if mine.is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in kept], [new for _, new in kept], share)


class Renderer:
    """Chunks of rendered pictures from other processes, taken in when they are there."""

    def __init__(self, count: int, side: int, workers: int) -> None:
        self._pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) if count else None
        chunks = range(0, count, CHUNK)
        self._waiting: list[Future[Any]] = []
        if self._pool:
            self._waiting = [
                self._pool.submit(rendered_pictures, MIX[i % len(MIX)], RENDER_SEED, start, CHUNK, side)
                for i, start in enumerate(chunks)
            ]
        self.capacity = len(self._waiting) * CHUNK
        self._taken = 0

    def deliver(self, pool: PicturePool) -> None:
        """Puts finished chunks into the pool; the first of every kind is held back."""
        done = [future for future in self._waiting if future.done()]
        for future in done:
            pictures, truths = future.result()
            pool.add(pictures, truths, held_back=self._taken < len(MIX))
            self._taken += 1
        self._waiting = [future for future in self._waiting if future not in set(done)]

    def stop(self) -> None:
        """Ends the processes without waiting for what nobody will look at."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


def filled_pool(path: Path, further: int, device: torch.device) -> PicturePool:
    """The pool with the file's pictures and room for further ones."""
    with np.load(path, allow_pickle=False) as stored:
        pictures = stored["pictures"]
        is_real = stored["is_real"] if "is_real" in stored.files else np.ones(len(pictures), bool)
        truths = np.full((len(pictures), len(TASKS)), -1)
        if "truths" in stored.files:
            names = json.loads(str(stored["tasks"]))
            if names != {task: list(classes) for task, classes in TASKS.items()}:
                raise SystemExit(f"{path}: its tasks are {names}; expected {TASKS}. Gather the pictures again.")
            truths = stored["truths"]
    pool = PicturePool(len(pictures) + further, pictures.shape[1], device)
    pool.add(pictures[is_real], truths[is_real], is_real=True)
    known = np.flatnonzero(~is_real)
    back = known[:: max(12, len(known) // 400)] if len(known) else known
    pool.add(pictures[back], truths[back], held_back=True)
    pool.add(pictures[np.setdiff1d(known, back)], truths[np.setdiff1d(known, back)])
    return pool


class Pretraining:
    """One run: the clock, the steps, and what is looked at in between."""

    def __init__(self, options: argparse.Namespace, device: torch.device) -> None:
        self.options, self.device = options, device
        self.renderer = Renderer(options.render, options.side, options.workers)
        self.pool = filled_pool(options.pictures, self.renderer.capacity, device)
        torch.manual_seed(options.seed)
        self.learner = Learner(options.backbone, options.start).to(device, memory_format=torch.channels_last)
        self.average = Average(self.learner)
        self.generator = torch.Generator(device).manual_seed(options.seed)
        self.crops = Views(options.view, crop=(options.smallest_crop, 1.0))
        self.whole = Views(options.view, crop=(0.8, 1.0), contrast=0.35, brightness=0.08, gamma=0.35, blur=0.3)
        self.loss, self.factor = LOSSES[options.method]
        decayed = [p for p in self.learner.parameters() if p.ndim > 1]
        plain = [p for p in self.learner.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.learning_rate)
        self.history: list[dict[str, Any]] = []

    def run(self) -> None:
        """Learns until the minutes are over."""
        while self.options.render and not len(self.pool.rendered) and self.options.supervised:
            self.renderer.deliver(self.pool)
            time.sleep(0.2)
        began = looked = time.monotonic()
        seconds, step = 60 * self.options.minutes, 0
        sums = torch.zeros(2, device=self.device)
        while (gone := (time.monotonic() - began) / seconds) < 1:
            rate = self.options.learning_rate * min(1.0, gone / WARM_UP_SHARE, 0.5 + 0.5 * math.cos(math.pi * gone) + 1e-3)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            sums += self.step()
            step += 1
            if step % 20 == 0:
                self.renderer.deliver(self.pool)
                if self.device.type == "cuda":
                    torch.cuda.synchronize()
            if time.monotonic() - looked > seconds / self.options.looks or step == 3:
                self.look(step, time.monotonic() - began, sums, rate)
                sums.zero_()
                looked = time.monotonic()
        self.renderer.deliver(self.pool)
        self.look(step, time.monotonic() - began, sums, 0.0)
        self.renderer.stop()

    def step(self) -> Tensor:
        """One step; the supervised and the self-supervised loss."""
        options, dice = self.options, self.generator
        rows = self.pool.draw(options.batch, options.real_share, dice)
        labelled = _some(self.pool.rendered, options.batch if options.supervised and len(self.pool.rendered) else 0, dice)
        pictures = self.pool.pictures[torch.cat([rows, rows, labelled])].float() / 255
        crops, whole = pictures[: 2 * len(rows)], pictures[2 * len(rows) :]
        views = [self.crops(crops, dice)[0]] + ([self.whole(whole, dice)[0]] if len(whole) else [])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            features = self.learner.features(torch.cat(views))
            first, second = self.learner.projector(features[: 2 * len(rows)]).chunk(2)
            labels_loss = self.learner.supervised_loss(features[2 * len(rows) :], self.pool.truths[labelled], 0.05)
        views_loss = self.loss(first.float(), second.float()) * self.factor
        total = options.supervised * labels_loss + options.unsupervised * views_loss
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), 5.0)
        self.optimizer.step()
        self.average.update(self.learner)
        return torch.stack([labels_loss.detach(), views_loss.detach()])

    def look(self, step: int, seconds: float, sums: Tensor, rate: float) -> None:
        """Notes how far it has come, and keeps the encoder as it is now."""
        judged = Learner(self.options.backbone, None).to(self.device)
        judged.load_state_dict(self.average.state)
        judged.eval()
        steps = step - (self.history[-1]["step"] if self.history else 0)
        found: dict[str, Any] = {"step": step, "seconds": round(seconds, 1), "learning_rate": rate}
        found |= dict(zip(("labels_loss", "views_loss"), (sums / max(1, steps)).tolist(), strict=True))
        found |= {"real": len(self.pool.real), "rendered": len(self.pool.rendered)}
        some = self.pool.real[:1000] if len(self.pool.real) > 1 else self.pool.rendered[:1000]
        found |= collapse_measures(self._features(judged, self.pool.pictures[some, 0]).numpy())
        found["held_back"] = self._held_back(judged)
        found["probes"] = probed(partial(self._features, judged), self.options.probe)
        self.history.append(found)
        print(json.dumps(found), flush=True)
        self._keep(judged, seconds)

    @torch.no_grad()
    def _features(self, judged: Learner, pictures: Tensor) -> Tensor:
        parts = [judged.features(part[:, None].to(self.device).float() / 255).float().cpu() for part in pictures.split(256)]
        return torch.cat(parts)

    @torch.no_grad()
    def _held_back(self, judged: Learner) -> dict[str, float]:
        """Accuracy on held-back rendered pictures, a task; they are seen at the size of the views."""
        rows = self.pool.held_back
        if not len(rows):
            return {}
        small = F.interpolate(self.pool.pictures[rows].float(), self.options.view, mode="area")
        features = self._features(judged, small[:, 0]).to(self.device)
        accuracies = {}
        for task, head, truth in zip(TASKS, judged.heads, self.pool.truths[rows].T, strict=True):
            if bool((truth >= 0).any()):
                right = head(features).argmax(1) == truth
                accuracies[task] = float(right[truth >= 0].float().mean())
        return accuracies

    def _keep(self, judged: Learner, seconds: float) -> None:
        out: Path = self.options.out
        out.mkdir(parents=True, exist_ok=True)
        weights = judged.backbone.state_dict()
        halved = {n: (t.half() if t.is_floating_point() else t).cpu().contiguous() for n, t in weights.items()}
        save_file(halved, out / "encoder.safetensors")
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self.options).items()}
        card = {"backbone": self.options.backbone, "seconds": round(seconds, 1), "device": _device_name(self.device)}
        document = card | {"settings": settings, "history": self.history}
        (out / "encoder.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def probed(features_of: Callable[[Tensor], Tensor], path: Path | None) -> dict[str, dict[str, float]]:
    """What frozen features tell of labelled pictures, a task of the probe's file."""
    if path is None:
        return {}
    with np.load(path, allow_pickle=False) as stored:
        pictures, labels, groups, names = (stored[name] for name in ("pictures", "labels", "groups", "names"))
    features = features_of(torch.from_numpy(pictures)).numpy()
    return {str(name): few_label_accuracy(features, truth, groups) for name, truth in zip(names, labels, strict=True)}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--probe", type=Path)
    parser.add_argument("--backbone", default="resnet10t")
    parser.add_argument("--start", type=Path, help="An encoder.safetensors to go on from.")
    parser.add_argument("--method", choices=list(LOSSES), default="simclr")
    parser.add_argument("--supervised", type=float, default=1.0, help="Weight of the loss of the labels.")
    parser.add_argument("--unsupervised", type=float, default=1.0, help="Weight of the loss of the views.")
    parser.add_argument("--render", type=int, default=0, help="Pictures to draw beside the training.")
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--side", type=int, default=192, help="Of rendered pictures, as in the file, in px.")
    parser.add_argument("--view", type=int, default=128)
    parser.add_argument("--smallest-crop", type=float, default=0.45, help="Side of a crop as a share of the picture's.")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--real-share", type=float, default=0.5)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--looks", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Pretrains on the accelerator where there is one."""
    options = arguments()
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    Pretraining(options, torch.device("cuda" if torch.cuda.is_available() else "cpu")).run()


if __name__ == "__main__":
    main()
