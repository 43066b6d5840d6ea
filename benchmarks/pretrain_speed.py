"""How much of a backbone's speed `pretrain` keeps: views, loss, bookkeeping and reading against bare forward and backward passes.

    python benchmarks/pretrain_speed.py [--backbones resnet10t resnet18 resnet50] [--files 1000 100000]   # writes PRETRAIN_SPEED.md

One thread; processor time, so that other work on the machine does not count. Both sides run in the same precision. Views are 96 px,
cut from pictures of 144 px; batches of 16 pictures, so 32 views.

Memory: the whole command on folders of small pictures; the largest memory of its own, without the pages of the file of canvases,
which the system takes back when it needs them.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from morphoscope.data.picture_file import PictureFile
from morphoscope.models.branches.image import ImageBranch
from morphoscope.training.precision import autocast_precision
from morphoscope.training.selfsupervised.pretraining import Pace, decided, pretrain_encoder
from morphoscope.training.selfsupervised.recipe import load_pretraining

PAGE = Path(__file__).parent / "PRETRAIN_SPEED.md"
SIDE, VIEW, BATCH, STEPS, EPOCHS, ROUNDS = 144, 96, 16, 4, 3, 3


def pictures() -> PictureFile:
    """Pictures of noise; what they show does not matter to the clock."""
    count = BATCH * STEPS
    canvases = np.random.default_rng(0).integers(0, 255, (count, SIDE, SIDE), dtype=np.uint8)
    return PictureFile(canvases, [Path(f"{i}.png") for i in range(count)], np.full(count, np.nan), [], 0)


def seconds_per_epoch(backbone: str, folder: Path) -> float:
    """Of `pretrain`, the start and the end left out: a long run less a short one."""
    found = []
    for epochs in (1, 1 + EPOCHS):
        settings = [f"backbone={backbone}", "encoder=random", f"side={SIDE}", f"views.side={VIEW}"]
        settings += [f"learning.batch_size={BATCH}", f"learning.epochs={epochs}"]
        some = pictures()
        recipe = decided(load_pretraining("simclr", settings), len(some))
        began = time.process_time()
        pretrain_encoder(some, recipe, folder, Pace(checkpoint_seconds=1e9, looks=1))
        found.append(time.process_time() - began)
    return (found[1] - found[0]) / EPOCHS


def bare_seconds_per_epoch(backbone: str) -> float:
    """Of forward and backward passes alone, on as many views."""
    branch = ImageBranch(backbone).to(memory_format=torch.channels_last)
    is_mixed = autocast_precision("auto", branch) == "bf16-mixed"
    views = torch.rand(2 * BATCH, 1, VIEW, VIEW).contiguous(memory_format=torch.channels_last)

    def step() -> None:
        branch.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
            loss = branch(views).float().square().mean()
        loss.backward()

    step()
    began = time.process_time()
    for _ in range(STEPS * EPOCHS):
        step()
    return (time.process_time() - began) / EPOCHS


def streamed(count: int, folder: Path) -> str:
    """A row: one pass of `pretrain` over a folder of `count` different pictures."""
    images = folder / f"{count}-pictures"
    images.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        Image.fromarray(rng.integers(0, 255, (96, 128), np.uint8)).save(images / f"{i:06}.png", compress_level=0)
    command = [
        sys.executable,
        "-m",
        "morphoscope.apps.cli.main",
        "pretrain",
        str(images),
        "--out",
        str(folder / f"{count}-encoder"),
    ]
    command += ["--backbone", "resnet10t", "--epochs", "1", "--set", "side=96", "--set", "views.side=48"]
    began, most = time.perf_counter(), 0
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        memory = process.memory_info()
        most = max(most, memory.rss - memory.shared)
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"pretrain on {count} pictures ended with {process.returncode}")
    return f"| {count:,} | {most / 2**20:.0f} | {(time.perf_counter() - began) / 60:.1f} |"


def main() -> None:
    """Measures in turn, so that a machine that slows down slows both, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", nargs="+", default=["resnet10t", "resnet18", "resnet50"])
    parser.add_argument(
        "--files", nargs="*", type=int, default=[1_000, 100_000], help="pictures a folder whose memory is measured"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    what, _, speed, memory = (part.strip() for part in (__doc__ or "").split("\n\n"))
    lines = ["# Speed of `pretrain`", "", what, "", speed, ""]
    lines += ["| backbone | bare, views/s | `pretrain`, views/s | kept |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for backbone in options.backbones:
            pairs = [(bare_seconds_per_epoch(backbone), seconds_per_epoch(backbone, Path(folder))) for _ in range(ROUNDS)]
            gc.collect()
            bare, whole = np.median(pairs, axis=0)
            views = 2 * BATCH * STEPS
            shares = sorted(one / other for one, other in pairs)
            kept = f"{100 * bare / whole:.0f} % ({100 * shares[0]:.0f}–{100 * shares[-1]:.0f})"
            lines.append(f"| {backbone} | {views / bare:.1f} | {views / whole:.1f} | {kept} |")
            print(lines[-1], flush=True)
        lines += ["", f"Median of {ROUNDS} rounds, and lowest to highest.", "", memory, ""]
        lines += ["| pictures | MiB | minutes for one pass, reading included |", "|---|---|---|"]
        for count in options.files:
            lines.append(streamed(count, Path(folder)))
            print(lines[-1], flush=True)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
