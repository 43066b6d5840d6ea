"""What a person waits for at the page, and what many at once cost; writes WEB.md.

    python benchmarks/web.py --model run          # a run folder; all parts
    python benchmarks/web.py --model run tiles    # some of: drop large crowd tiles

A server of its own runs beside this script. Every picture is drawn anew, so that no cache knows it; the model's own time is that of
`Predictor.predict` on the same file in this process, in turns with the request.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import httpx2
import numpy as np
import psutil
import tifffile
import torch

from morphoscope.inference.predictor import Predictor
from morphoscope.models.bundle import Bundle

PAGE = Path(__file__).parent / "WEB.md"
ROUNDS, CROWD, TILES = 15, 50, 200
START_S = 180.0


@dataclass(frozen=True)
class Bench:
    """A running server, the same model in this process, and a folder for pictures."""

    address: str
    server: psutil.Process
    predictor: Predictor
    folder: Path

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.address, timeout=120)

    def picture(self, side: int, seed: int) -> Path:
        """A 16-bit TIFF of discs with a scale in its header."""
        random = np.random.default_rng(seed)
        grey = random.normal(9000, 300, (side, side)).astype(np.float32)
        rows, columns = np.ogrid[:side, :side]
        for y, x, radius in zip(*random.uniform(0, side, (2, 12)), random.uniform(side / 40, side / 12, 12), strict=True):
            grey += 15_000 * ((rows - y) ** 2 + (columns - x) ** 2 < radius**2)
        path = self.folder / f"{side}_{seed}.tif"
        tifffile.imwrite(path, grey.astype(np.uint16), imagej=True, resolution=(0.5, 0.5), metadata={"unit": "nm"})
        return path

    def memory_mb(self) -> float:
        """Resident memory of the server and its workers."""
        total = 0
        for process in [self.server, *self.server.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total / 2**20


def drop(bench: Bench) -> list[str]:
    """A file of 2 MB."""
    return [_drop(bench, 1024, ROUNDS, "a 2 MB 16-bit TIFF (1024²)", "1.5 × the model's own time + 150 ms")]


def large(bench: Bench) -> list[str]:
    """A file of 32 MB."""
    return [_drop(bench, 4096, 5, "a 32 MB 16-bit TIFF (4096²)", "3 s")]


def _drop(bench: Bench, side: int, rounds: int, what: str, target: str) -> str:
    own, page, within = [], [], []
    with bench.client() as client:
        for seed in range(rounds + 1):
            path = bench.picture(side, seed)
            began = time.perf_counter()
            list(bench.predictor.predict([path]))
            middle = time.perf_counter()
            content = path.read_bytes()
            key = client.post("/api/uploads", files={"files": (path.name, content)}).json()[0]["key"]
            client.get(f"/api/pictures/{key}/prediction", params={"quick": True}).raise_for_status()
            end = time.perf_counter()
            if seed:  # the first one warms up
                own.append(middle - began)
                page.append(end - middle)
                within.append(page[-1] <= 1.5 * own[-1] + 0.15)
            path.unlink()
    found = f"{_ms(statistics.median(page))} (range {_ms(min(page))}–{_ms(max(page))})"
    return (
        f"| {what}: drop → class bars | {found} | model's own time {_ms(statistics.median(own))}; ratio of medians "
        f"{statistics.median(page) / statistics.median(own):.2f}; within 1.5 × + 150 ms in {sum(within)} of {rounds} | {target} |"
    )


def crowd(bench: Bench) -> list[str]:
    """Fifty people at once."""
    path = bench.picture(1024, 999)
    content = path.read_bytes()
    peak, is_over = [bench.memory_mb()], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.1):
            peak.append(bench.memory_mb())

    def ask(number: int) -> httpx2.Response:
        with bench.client() as client:
            return client.post("/api/predict", files={"files": (path.name, content)})

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(CROWD) as pool:
        answers = list(pool.map(ask, range(CROWD)))
    seconds = time.perf_counter() - began
    is_over.set()
    watcher.join()
    done = sum(answer.status_code == 200 for answer in answers)
    told = sum(answer.status_code == 503 and "retry-after" in answer.headers for answer in answers)
    return [
        f"| {CROWD} classify requests at once, 2 MB each | {done} answered, {told} told 503 with Retry-After, "
        f"{CROWD - done - told} otherwise, in {seconds:.1f} s | memory of all processes {peak[0]:.0f} MB before, "
        f"{max(peak):.0f} MB at most | all answered or told |"
    ]


def tiles(bench: Bench) -> list[str]:
    """A picture of 8192² in deep zoom."""
    path = bench.picture(8192, 1)
    random = np.random.default_rng(0)
    with bench.client() as client:
        with path.open("rb") as file:
            key = client.post("/api/uploads", files={"files": (path.name, file)}).json()[0]["key"]
        began = time.perf_counter()
        info = client.get(f"/api/pictures/{key}/tiles").json()
        first = time.perf_counter() - began
        times = []
        for _ in range(TILES):
            level = int(random.integers(info["levels"] - 5, info["levels"]))
            most = max(1, 2 ** (level - 8))
            place = "_".join(str(int(random.integers(0, most))) for _ in range(2))
            window = {"low": float(random.integers(5000, 9000)), "high": 25_000.0}
            began = time.perf_counter()
            client.get(f"/api/pictures/{key}/tiles/{level}/{place}.webp", params=window).raise_for_status()
            times.append(time.perf_counter() - began)
    path.unlink()
    deciles = statistics.quantiles(times, n=20)
    return [
        f"| a tile of an 8192² 16-bit picture, window/level anew each time, {TILES} at random places | p50 "
        f"{_ms(statistics.median(times))}, p95 {_ms(deciles[18])} | the first look at the picture, which makes its tiles, {first:.1f} s | |"
    ]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


@contextmanager
def serving(model: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server on a free port: its address and process."""
    words = [sys.executable, "-m", "morphoscope.apps.cli.main", "serve", "--model", str(model), "--port", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            match = re.search(r"http://\S+", line)
            if match is None:
                raise SystemExit(f"The server did not start: {line}")
            _wait(match[0])
            yield match[0], psutil.Process(process.pid)
        finally:
            process.terminate()


def _wait(address: str) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            httpx2.get(f"{address}/api/health").raise_for_status()
            return
        except httpx2.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


PARTS: dict[str, Callable[[Bench], list[str]]] = {"drop": drop, "large": large, "crowd": crowd, "tiles": tiles}


def head(model: Path, parts: Sequence[str]) -> list[str]:
    backbone = json.loads((model / "model" / "bundle.json").read_text(encoding="utf-8"))["network"]["branches"]
    return [
        "# The web page",
        "",
        f"`python benchmarks/web.py --model RUN {' '.join(parts)}`; {platform.machine()}, {os.cpu_count()} cores, load before "
        f"{psutil.getloadavg()[0]:.1f} (a busy machine slows both sides of a ratio), torch {torch.__version__}, branches "
        f"{', '.join(backbone)}. Rendered discs; server and client on one machine; median.",
        "",
        "| what | found | beside it | target |",
        "|---|---|---|---|",
    ]


def main() -> None:
    """Runs what was asked for; the page is written as results come in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    options = parser.parse_args()
    parts = [name for name in PARTS if name in (options.parts or PARTS)]
    lines = head(options.model, parts)
    with tempfile.TemporaryDirectory() as folder, serving(options.model) as (address, server):
        bench = Bench(address, server, Predictor(Bundle.load(options.model)), Path(folder))
        for name in parts:
            lines += PARTS[name](bench)
            print(lines[-1], flush=True)
            PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
