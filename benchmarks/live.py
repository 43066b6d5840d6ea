"""Watching, measured: frames a second, latency, dropped frames, how soon a file of a folder is answered, and one rod among spheres.

    python benchmarks/live.py                                # speed; writes LIVE.md
    python benchmarks/live.py --rods-and-spheres run         # and the search, by a model that was trained for it

The model of the speed part has random weights, which do not change its speed: ResNet10-t at 128 px with texture and measured shape,
what `morphoscope train` makes. For the search: `morphoscope render tem-particles --count 1500 --size 160 --seed 77 --difficulty 0.3
--bar 0`, then `train` on its bright-field pictures of rods and spheres, `--group Sample --time-budget 4`.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from threading import Thread

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import psutil
import tifffile
import torch
from needle import haystack

from morphoscope.apps.watching.folder import FolderSettings, FolderSource
from morphoscope.apps.watching.video import VideoSettings, VideoSource
from morphoscope.apps.watching.watcher import Watcher
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.data.tiles import tiles_of
from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.inference.tiling import map_of
from morphoscope.measure.shape_statistics import STATISTIC_NAMES
from morphoscope.measure.texture import texture_descriptors
from morphoscope.micrograph import Micrograph
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema, Task
from morphoscope.synthesis import render

PAGE = Path(__file__).parent / "LIVE.md"
SIDE, FRAME, FRAMES, FEW, FPS = 128, 512, 100, 12, 25
FILES, PICTURES = 8, 5
SCHEMA = Schema((Task("Morphology", ("Rod", "Sphere", "Cube")), Task("Size", ("Small", "Large"))))


def bundle() -> Bundle:
    """A model of random weights."""
    torch.manual_seed(0)
    width = len(texture_descriptors(np.zeros((64, 64), np.uint8)))
    branches = {"image": {"backbone": "resnet10t"}, "texture": {"width": width}, "shape": {"width": len(STATISTIC_NAMES)}}
    network = MultimodalNetwork(NetworkSpec(branches, SCHEMA)).eval()
    with torch.inference_mode():
        looks = network.branches["image"].look(torch.rand(8, 1, SIDE, SIDE))[1].numpy()  # type: ignore[operator]
    confidence = tuple(TaskConfidence(1.0, 0.1, 0.5, 100) for _ in SCHEMA.tasks)
    novelty = NoveltyReference.fit(looks, looks)
    return Bundle(network, Preprocessing(SIDE, SIDE), MetadataEncoder(), confidence, novelty, quick_confidence=confidence)


def video(folder: Path, take: int) -> Path:
    """A stage that moves over a rendered specimen: frames of 512 px. Every take has noise of its own, so that nothing that was
    read or measured of an earlier one is known from the cache."""
    (specimen,) = render("tem-particles", 1, size=(FRAME, 2 * FRAME), seed=5, bar=0.0)
    path = folder / f"take {take}.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (FRAME, FRAME), False)
    rng = np.random.default_rng(take)
    for number in range(FRAMES):
        left = number * FRAME // FRAMES
        shown = specimen.pixels[:, left : left + FRAME] + rng.normal(0, 4, (FRAME, FRAME))
        writer.write(shown.clip(0, 255).astype(np.uint8))
    writer.release()
    return path


def obvious_loop(predictor: Predictor, path: Path, folder: Path, count: int) -> list[float]:
    """What a user would write: read a frame, save it as PNG, predict that file. Milliseconds a frame."""
    capture, place, taken = cv2.VideoCapture(str(path)), folder / "frame.png", []
    for _ in range(count):
        began = time.perf_counter()
        _, frame = capture.read()
        cv2.imwrite(str(place), frame)
        list(predictor.predict([place]))
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def line(what: str, frames: int, seconds: float, worked: float, latencies: Sequence[float], dropped: int) -> str:
    """A row of the page."""
    p50, p95 = np.percentile(latencies, [50, 95])
    return f"| {what} | {frames / seconds:.1f} | {1000 * worked / frames:.0f} | {p50:.0f} | {p95:.0f} | {dropped} of {frames + dropped} |"


def watched_line(what: str, watcher: Watcher, most: int = FRAMES) -> str:
    """One watch, at most so many frames of it."""
    began, worked = time.perf_counter(), time.process_time()
    latencies: list[float] = []
    for one in watcher:
        latencies.append(one.latency_ms)
        if len(latencies) == most:
            break
    watcher.stop()
    return line(what, len(latencies), time.perf_counter() - began, time.process_time() - worked, latencies, watcher.dropped)


def frames_part(model: Bundle, folder: Path) -> Iterator[str]:
    """The table of frames. Each row has a video of its own."""
    videos = (video(folder, take) for take in count())
    quick, whole, hasty = Predictor(model, quick=True), Predictor(model), Predictor(model, scale="header", quick=True)
    for predictor in (quick, whole):  # whatever happens once is not timed
        next(iter(Watcher(VideoSource(next(videos), VideoSettings()), predictor)))
    yield "| frames of 512 px | frames/s | processor ms a frame | latency ms, median | 95 % | dropped |"
    yield "|---|---|---|---|---|---|"
    yield watched_line("every frame of a video, quick", Watcher(VideoSource(next(videos), VideoSettings()), quick))
    yield watched_line("every frame of a video, all inputs", Watcher(VideoSource(next(videos), VideoSettings()), whole), FEW)
    for name, predictor in (("quick", quick), ("quick, no look for a scale bar", hasty)):
        began, worked = time.perf_counter(), time.process_time()
        taken = obvious_loop(predictor, next(videos), folder, FEW)
        spent = time.perf_counter() - began, time.process_time() - worked
        yield line(f"the obvious loop over PNG files, {name}", FEW, *spent, taken, 0)
    live = VideoSettings(at_its_pace=True)
    for name, predictor in (("quick", quick), ("all inputs", whole)):
        yield watched_line(f"as a camera of {FPS} frames/s, {name}", Watcher(VideoSource(next(videos), live), predictor))


def folder_part(model: Bundle, folder: Path) -> Iterator[str]:
    """How soon a file is answered after its last byte."""
    predictor = Predictor(model, quick=True)
    pixels = np.random.default_rng(0).integers(0, 60000, (1024, 1024), np.uint16)
    yield ""
    yield "| files of 2 MB, 16 bits, written in four steps | delay s, median | longest | of it waiting |"
    yield "|---|---|---|---|"
    for poll_s, settle in ((0.5, 2), (0.1, 2)):
        place = folder / f"session {poll_s}"
        place.mkdir()
        written: dict[str, float] = {}
        source = FolderSource(place, FolderSettings(poll_s=poll_s, settle=settle, idle_s=4.0, scale="header"))
        writer = Thread(target=write_slowly, args=(place, pixels, written))
        writer.start()
        delays = [time.monotonic() - written[one.arrival.path.name] for one in Watcher(source, predictor)]
        writer.join()
        waiting = f"{settle * poll_s:.1f} to {(settle + 1) * poll_s:.1f}"
        yield f"| `--poll {poll_s} --settle {settle}` | {np.median(delays):.2f} | {max(delays):.2f} | {waiting} |"


def write_slowly(folder: Path, pixels: np.ndarray, written: dict[str, float]) -> None:
    """A file every half second; notes when its last byte was written."""
    for number in range(FILES):
        path = folder / f"{number:02}.tif"
        tifffile.imwrite(folder / "whole", pixels + np.uint16(number))
        content = (folder / "whole").read_bytes()
        with path.open("wb") as file:
            for start in range(0, len(content), -(-len(content) // 4)):
                file.write(content[start : start + -(-len(content) // 4)])
                file.flush()
                time.sleep(0.03)
        written[path.name] = time.monotonic()
        time.sleep(0.5)


def tiles_part(model: Bundle) -> Iterator[str]:
    """A large picture in tiles."""
    predictor, target = Predictor(model, quick=True), Target.parse("Rod", SCHEMA)
    pixels = np.random.default_rng(0).integers(0, 60000, (4096, 4096), np.uint16)
    picture = Micrograph(Path("large.tif"), pixels, "benchmark")
    for side in (512,):
        n_tiles = int(np.prod(tiles_of(picture, side).grid))
        began, worked = time.perf_counter(), time.process_time()
        map_of(predictor, picture, target, side)
        spent = time.perf_counter() - began, time.process_time() - worked
        yield f"\n4096² of 16 bits in {n_tiles} tiles of {side} px, half overlapping: {spent[0]:.1f} s, {spent[1]:.1f} s of one processor."


def search_part(run: Path) -> Iterator[str]:
    """One rod in each of a few large pictures of spheres."""
    model = Bundle.load(run)
    predictor, target = Predictor(model, quick=bool(model.quick_confidence)), Target.parse("Rod", model.schema)
    ranks, alarms, hits, counts, seconds = [], [], [], [], []
    for seed in range(PICTURES):
        pixels, rod = haystack(seed)
        began = time.process_time()
        found = map_of(predictor, Micrograph(Path("haystack.tif"), pixels, "benchmark"), target)
        seconds.append(time.process_time() - began)
        tops, lefts = (np.array(starts) + found.places.height / 2 for starts in (found.places.tops, found.places.lefts))
        is_near = np.hypot(*np.meshgrid(tops - rod[0], lefts - rod[1], indexing="ij")) < found.places.height / 2
        ranks.append(1 + int((found.p[~is_near] > found.p[is_near].max()).sum()))
        alarms.append(int((found.is_found & ~is_near).sum()))
        hits.append(bool((found.is_found & is_near).any()))
        counts.append(found.p.size)
    yield ""
    yield f"| one rod among about 200 spheres, {PICTURES} rendered pictures of 2048 px | |"
    yield "|---|---|"
    yield f"| places a picture | {counts[0]} |"
    yield f"| pictures in which the rod was found, so that an alert is raised at it | {sum(hits)} of {len(hits)} |"
    yield f"| pictures whose most probable place shows the rod | {sum(rank == 1 for rank in ranks)} of {len(ranks)} |"
    yield f"| places to look at before the rod: median, worst | {np.median(ranks) - 1:.0f}, {max(ranks) - 1} |"
    yield f"| by chance | about {counts[0] / 8:.0f} |"
    yield f"| false alarms a picture: median, worst | {np.median(alarms):.0f}, {max(alarms)} |"
    yield f"| seconds of one processor a picture | {np.median(seconds):.1f} |"


def main() -> None:
    """Runs all; the page is written as results come in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rods-and-spheres", type=Path)
    options = parser.parse_args()
    lines = [
        "# Live",
        "",
        f"`python benchmarks/live.py`; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} "
        f"threads, torch {torch.__version__}, load before {psutil.getloadavg()[0]:.1f}. Processor time is what a busy machine "
        "hardly changes.",
        "Quick: all inputs but measured shape. Target: 20 frames/s with a small model on two cores.",
        "",
    ]
    model = bundle()
    with tempfile.TemporaryDirectory() as folder:
        parts = [frames_part(model, Path(folder)), folder_part(model, Path(folder)), tiles_part(model)]
        parts += [search_part(options.rods_and_spheres)] if options.rods_and_spheres else []
        for part in parts:
            for one in part:
                lines.append(one)
                print(one, flush=True)
                PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
