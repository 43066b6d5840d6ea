"""How fast it is, beside what a user would write, in the same run, as ratios.

    python benchmarks/speed.py --data ../shared/data                 # all; writes SPEED.md
    python benchmarks/speed.py --data ../shared/data small deep      # some of: small deep training memory start

Every pair is timed in turns, twice after a warm-up; ratios are of medians, with the range of the single rounds.
Beside the clock's ratio stands that of processor seconds, which other programs on the machine hardly change.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import psutil
import tifffile
import torch
from PIL import Image

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.inference.predictor import Predictor
from morphoscope.measure.texture import texture_descriptors
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema, Task
from morphoscope.training.fit import FitTask, fit
from morphoscope.training.module import MultitaskModule
from morphoscope.training.objectives import MultitaskLoss, log_priors
from morphoscope.training.recipe import load_recipe
from morphoscope.training.samples import Samples

PAGE = Path(__file__).parent / "SPEED.md"
ROUNDS, SIDE = 2, 128
SCHEMA = Schema((Task("Shape", ("Rod", "Sphere", "Cube")), Task("Size", ("Small", "Large"))))


def bundle(backbone: str, branches: tuple[str, ...]) -> Bundle:
    """A model of random weights: they do not change its speed."""
    torch.manual_seed(0)
    width = len(texture_descriptors(np.zeros((64, 64), np.uint8)))
    arguments = {"image": {"backbone": backbone}, "texture": {"width": width}}
    network = MultimodalNetwork(NetworkSpec({name: arguments[name] for name in branches}, SCHEMA)).eval()
    with torch.inference_mode():
        looks = network.branches["image"].look(torch.rand(8, 1, SIDE, SIDE))[1].numpy()  # type: ignore[operator]
    confidence = tuple(TaskConfidence(1.0, 0.1, 0.5, 100) for _ in SCHEMA.tasks)
    return Bundle(network, Preprocessing(SIDE, SIDE), MetadataEncoder(), confidence, NoveltyReference.fit(looks, looks))


def obvious_loop(model: Bundle, files: list[Path]) -> list[np.ndarray]:
    """What a user would write: Pillow, resize, forward, one picture at a time."""
    network = model.network.branches["image"]
    found = []
    with torch.inference_mode():
        for file in files:
            picture = Image.open(file)
            if picture.mode.startswith("I"):  # Pillow's own way to 8 bits clips
                values = np.asarray(picture).astype(np.float32)
                picture = Image.fromarray(((values - values.min()) / np.ptp(values) * 255).astype(np.uint8))
            values = np.asarray(picture.convert("L").resize((SIDE, SIDE)), np.float32) / 255
            found.append(network(torch.from_numpy(values)[None, None]).numpy())  # type: ignore[operator]
    return found


def product(predictor: Predictor, files: list[Path]) -> int:
    """Every picture with scale, calibrated answers, sets and novelty."""
    return sum(len(batch.seen) for batch in predictor.predict(files))


def ratio(name: str, ours: Callable[[], object], theirs: Callable[[], object], count: int) -> str:
    """A row of the page: images/s of both, the median ratio with its range, and the ratio of processor time."""
    clock: dict[str, list[float]] = {"ours": [], "theirs": []}
    work: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(ROUNDS + 1):
        for key, run in (("theirs", theirs), ("ours", ours)):
            began, worked = time.perf_counter(), time.process_time()
            run()
            if turn:
                clock[key].append(time.perf_counter() - began)
                work[key].append(time.process_time() - worked)
    ratios = [b / a for a, b in zip(clock["ours"], clock["theirs"], strict=True)]
    rates = [count / statistics.median(clock[key]) for key in ("ours", "theirs")]
    middle, less_work = (statistics.median(times["theirs"]) / statistics.median(times["ours"]) for times in (clock, work))
    return (
        f"| {name} | {rates[0]:.1f} | {rates[1]:.1f} | **{middle:.2f}** | {min(ratios):.2f}–{max(ratios):.2f} | {less_work:.2f} |"
    )


def agreement(model: Bundle, predictor: Predictor, files: list[Path]) -> str:
    """The largest difference between probabilities of the fast network and of PyTorch's."""
    plain = Predictor(model)
    plain._network = model.network
    found = [
        np.concatenate([np.concatenate([p.probabilities for p in batch.predictions], 1) for batch in one.predict(files)])
        for one in (predictor, plain)
    ]
    return f"{np.abs(found[0] - found[1]).max():.0e}"


def small(data: Path) -> list[str]:
    """300 real pictures of about 512 px."""
    files = sorted((data / "emps" / "images").glob("*.png"))[:300]
    rows = []
    for backbone, branches in (("resnet18", ("image",)), ("resnet10t", ("image", "texture"))):
        model = bundle(backbone, branches)
        predictor = Predictor(model)
        what = f"{backbone}{' + texture' if 'texture' in branches else ''}"
        name = f"predict, {len(files)} EMPS pictures, {what} (probabilities within {agreement(model, predictor, files[:40])})"
        rows.append(ratio(name, lambda m=predictor: product(m, files), lambda m=model: obvious_loop(m, files), len(files)))
    return rows


def large_files(folder: Path, count: int = 20) -> list[Path]:
    """16-bit TIFFs of 4096², as a camera writes them."""
    rng = np.random.default_rng(0)
    base = rng.normal(8000, 600, (4096, 4096)).clip(0, 65535).astype(np.uint16)
    for i in range(count):
        tifffile.imwrite(folder / f"{i:02}.tif", np.roll(base, 100 * i, axis=1))
    return sorted(folder.glob("*.tif"))


def deep(data: Path) -> list[str]:
    """20 pictures of 4096² in 16 bits."""
    with tempfile.TemporaryDirectory() as folder:
        files = large_files(Path(folder))
        model = bundle("resnet10t", ("image", "texture"))
        predictor = Predictor(model)
        name = "predict, 20 TIFFs of 4096² in 16 bits, resnet10t + texture"
        return [ratio(name, lambda: product(predictor, files), lambda: obvious_loop(model, files), len(files))]


def training(data: Path) -> list[str]:
    """One epoch of `fit` against a bare loop with the same network, views, loss and precision."""
    rng = np.random.default_rng(0)
    count = 320
    truths = [np.eye(len(task.classes), dtype=bool)[rng.integers(0, len(task.classes), count)] for task in SCHEMA.tasks]
    samples = Samples(rng.integers(0, 255, (count, SIDE, SIDE), np.uint8), {}, truths)
    settings = ["fit.epochs=2", "fit.batch_size=32", "encoder=random", "fit.branch_loss=0.0"]
    recipe = load_recipe("default", settings)
    spec = NetworkSpec({"image": {"backbone": "resnet10t"}}, SCHEMA)
    rows, nothing = np.arange(count), np.array([], int)

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fit(FitTask(spec, MetadataEncoder(), samples, rows, nothing, recipe, Path(folder)))

    def bare() -> None:
        network = MultimodalNetwork(spec).to(memory_format=torch.channels_last)
        tensors = [torch.from_numpy(truth) for truth in truths]
        loss = MultitaskLoss(SCHEMA, log_priors(SCHEMA, tensors), 0.0, recipe.fit.label_smoothing)
        module = MultitaskModule(network, MetadataEncoder(), recipe, samples, rows, nothing, loss)
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        for step, batch in enumerate(itertools.chain(*[np.split(rng.permutation(rows), count // 32) for _ in range(2)])):
            chosen = samples.rows(batch)
            views = module._augmented(chosen, torch.Generator().manual_seed(step))
            with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
                value = loss(network(views), chosen.truths)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    return [ratio("train, 2 epochs of 320 pictures at 128 px, resnet10t; beside a bare loop", ours, bare, 2 * count)]


def memory(data: Path) -> list[str]:
    """1,000 links to 20 TIFFs of 4096² in 16 bits: the largest resident memory of `predict`."""
    with tempfile.TemporaryDirectory() as folder:
        files, links = large_files(Path(folder)), Path(folder) / "links"
        links.mkdir()
        for i in range(1000):
            (links / f"{i:04}.tif").symlink_to(files[i % 20])
        bundle("resnet10t", ("image", "texture")).save(Path(folder) / "model", "")
        command = [sys.executable, "-m", "morphoscope.apps.cli.main", "predict", f"{folder}/model", str(links), "--out"]
        began = time.perf_counter()
        process = psutil.Popen([*command, f"{folder}/predictions.csv"], stderr=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        rows = len((Path(folder) / "predictions.csv").read_text(encoding="utf-8").splitlines()) - 1
    return [
        f"\n1,000 links to 20 TIFFs of 4096² in 16 bits: {rows} rows, {peak / 2**30:.2f} GB resident at most, {seconds:.0f} s."
    ]


def _resident(process: psutil.Popen) -> int:
    """Bytes of a process and all that it started."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it ended between two looks
            total += one.memory_info().rss
    return total


def start(data: Path) -> list[str]:
    """Time to the first word."""
    lines = []
    for what, command in (
        ("`morphoscope --help`", ["-m", "morphoscope.apps.cli.main", "--help"]),
        ("`import morphoscope`", ["-c", "import morphoscope"]),
    ):
        times = []
        for _ in range(ROUNDS + 1):
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        lines.append(f"\n{what}: {statistics.median(times[1:]):.2f} s.")
    return lines


BENCHMARKS = {"small": small, "deep": deep, "training": training, "memory": memory, "start": start}


def main() -> None:
    """Runs what was asked for; the page is written as results come in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help=", ".join(BENCHMARKS))
    options = parser.parse_args()
    lines = [
        "# Speed",
        "",
        f"`python benchmarks/speed.py`; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} "
        f"threads, torch {torch.__version__}, load before {psutil.getloadavg()[0]:.1f}. Pairs in turns, {ROUNDS} rounds; median, range.",
        "",
        "| what | images/s | the obvious way | ratio | range | ratio of processor time |",
        "|---|---|---|---|---|---|",
    ]
    for name in (each for each in BENCHMARKS if each in (options.names or BENCHMARKS)):  # the table's rows before the sentences
        lines += BENCHMARKS[name](options.data)
        print(lines[-1], flush=True)
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
