"""The gallery of a large archive in a real Chromium: how soon its pictures are seen, and how evenly it scrolls.

    python benchmarks/gallery.py                      # 100,000 entries; writes GALLERY.md
    python benchmarks/gallery.py --entries 10000 --work runs

The entries are rendered: names, scales, classes and features are drawn at random, small pictures are 64 rendered micrographs in turn.
No picture file exists; the gallery needs none. The server is `morphoscope serve` in a process of its own on the same machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from morphoscope import archive as archives
from morphoscope.archive import Archive, Entry, FileState, ModelIdentity
from morphoscope.micrograph import Micrograph, PixelSize
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema, Task
from morphoscope.synthesis import render

PAGE = Path(__file__).parent / "GALLERY.md"
SCHEMA = Schema((Task("Morphology", ("Cube", "Rod", "Sphere", "Plate", "Wire")), Task("Modality", ("SEM", "TEM"))))
FEATURES, BATCH, OPENINGS, SECONDS = 384, 2000, 7, 6
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SEEN = """() => new Promise((done) => {
  const look = () => {
    const drawn = [...document.querySelectorAll('.tile img')].filter((image) => image.complete && image.naturalWidth)
    if (drawn.length >= 12) done(performance.now())
    else requestAnimationFrame(look)
  }
  look()
})"""
SCROLL = """([step, seconds]) => new Promise((done) => {
  const box = document.querySelector('[role=region][aria-label=Pictures]')
  const intervals = []
  let before = 0
  const start = performance.now()
  const frame = (now) => {
    if (before) intervals.push(now - before)
    before = now
    box.scrollTop += step
    if (now - start < seconds * 1000) requestAnimationFrame(frame)
    else done({ intervals, top: box.scrollTop })
  }
  requestAnimationFrame(frame)
})"""


def fill(path: Path, entries: int) -> None:
    """An archive of that many entries."""
    small = [archives.thumbnail(one.pixels) for one in render("tem-particles", 64, size=192, seed=7)]
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, FEATURES))
    pixels = np.broadcast_to(np.zeros((1, 1), np.uint8), (1024, 1280))
    with Archive.open(path) as archive:
        model = archives.record_model(archive, ModelIdentity("0" * 64, "rendered", "rendered", SCHEMA))
        for start in range(0, entries, BATCH):
            numbers = range(start, min(entries, start + BATCH))
            recorded = archives.record_pictures(archive, [_entry(number, pixels, small, rng) for number in numbers])
            kinds = rng.integers(0, 5, len(recorded))
            answers = [_answer(task, rng, kinds) for task in SCHEMA.tasks]
            archives.record_predictions(archive, model, recorded, answers, rng.random(len(recorded)))
            looks = centres[kinds] + rng.normal(size=(len(recorded), FEATURES))
            archives.record_embeddings(archive, model, recorded, looks.astype(np.float32))


def _entry(number: int, pixels: np.ndarray, small: list[bytes], rng: np.random.Generator) -> Entry:
    path = Path(f"/lab/{2015 + number % 12}/sample_{number // 40:05d}/picture_{number:06d}.tif")
    size = float(np.exp(rng.normal(0, 1)))
    micrograph = Micrograph(path=path, pixels=pixels, reader="TIFF (rendered)", pixel_size=PixelSize(size, size, "header"))
    state = FileState(path, f"{number:064x}", 1_310_720, 0, time.time())
    return Entry(state, micrograph, sample=f"S{number // 40}", thumbnail=small[number % len(small)])


def _answer(task: Task, rng: np.random.Generator, kinds: np.ndarray) -> ClassPrediction:
    p = rng.dirichlet(np.full(len(task.classes), 0.5), len(kinds)).astype(np.float32)
    rows = np.arange(len(kinds))
    p[rows, kinds % len(task.classes)] += 1
    p /= p.sum(1, keepdims=True)
    return ClassPrediction(task, p, p > 0.2, p.max(1) > 0.7)


@contextmanager
def served(archive: Path) -> Iterator[tuple[str, float]]:
    """The address of a server, and the seconds until it answered."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "morphoscope.apps.cli.main", "serve", "--archive", str(archive), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            line = next((text for text in process.stdout if "http://" in text), "")
            yield line[line.index("http://") :].split()[0], time.perf_counter() - began
        finally:
            process.terminate()


def openings(browser: Browser, address: str) -> list[float]:
    """Seconds from the address to a screen of pictures, each time in a fresh profile: nothing is in the browser's cache."""
    times = []
    for _ in range(OPENINGS):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(f"{address}/#/gallery", wait_until="commit")
        page.wait_for_selector("nav")
        times.append(page.evaluate(SEEN) / 1000)
        context.close()
    return times


def scrolled(page: Page, step: int) -> tuple[np.ndarray, float]:
    """Frame times in ms while the list moves by `step` px a frame, and how far it came."""
    found = page.evaluate(SCROLL, [step, SECONDS])
    return np.array(found["intervals"]), found["top"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--work", type=Path, help="keeps the archive here, and uses it again")
    parser.add_argument("--out", type=Path, default=PAGE)
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    archive = work / f"gallery-{asked.entries}.archive"
    if not archive.is_file():
        fill(archive, asked.entries)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with served(archive) as (address, started), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        opened = openings(browser, address)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/#/gallery")
        page.evaluate(SEEN)
        page.wait_for_timeout(4000)  # the map has been fetched and drawn
        runs = {name: scrolled(page, step) for name, step in (("wheel", 30), ("fast wheel", 120), ("scroll bar", 6000))}
        version = browser.version
        browser.close()
    text = report(asked.entries, archive, started, opened, runs, version)
    asked.out.write_text(text, encoding="utf-8")
    print(text)


def report(
    entries: int, archive: Path, started: float, opened: list[float], runs: dict[str, tuple[np.ndarray, float]], version: str
) -> str:
    """The page GALLERY.md."""
    rows = []
    for name, (frames, top) in runs.items():
        p50, p95 = np.percentile(frames, (50, 95))
        rows.append(f"| {name} | {len(frames)} | {p50:.1f} | {p95:.1f} | {frames.max():.0f} | {top:,.0f} |")
    size = archive.stat().st_size / 1e6
    load = os.getloadavg()[0]
    return "\n".join(
        [
            "# The gallery of a large archive",
            "",
            f"Written by `benchmarks/gallery.py`: {entries:,} rendered entries ({size:,.0f} MB), Chromium {version} without a GPU and",
            f"the server on the same machine: {platform.machine()}, {psutil.cpu_count()} logical cores, load {load:.1f} at the end.",
            "",
            f"From the address to a screen of pictures, {len(opened)} times with an empty cache, the first on a server just started:",
            f"median {np.median(opened):.2f} s, first {opened[0]:.2f} s, longest {max(opened):.2f} s. `serve` began to answer after",
            f"{started:.1f} s (Python and its libraries start in that time).",
            "",
            f"Frame times over {SECONDS} s of scrolling, in ms; the wheel moves 30 or 120 px a frame, the bar 6,000 (eight screens):",
            "",
            "| scrolling | frames | median | p95 | longest | came to, px |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
