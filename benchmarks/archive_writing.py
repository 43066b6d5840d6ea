"""Indexing: its pace beside `predict`, and what survives being killed; for benchmark archive.py."""

from __future__ import annotations

import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from archive_filling import SCHEMA
from archive_timing import Found, count_rows, remove_archive

from morphoscope.apps.verbs.index import index
from morphoscope.apps.verbs.predict import predict
from morphoscope.archive import Archive
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.measure.texture import texture_descriptors
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.synthesis import write_dataset

PICTURES, SIDE = 64, 128
KILLS = 20


def model(work: Path) -> Path:
    """A model of random weights, which do not change its speed: resnet10t + texture, 128 px."""
    torch.manual_seed(0)
    width = len(texture_descriptors(np.zeros((64, 64), np.uint8)))
    network = MultimodalNetwork(NetworkSpec({"image": {"backbone": "resnet10t"}, "texture": {"width": width}}, SCHEMA)).eval()
    with torch.inference_mode():
        looks = network.branches["image"].look(torch.rand(8, 1, SIDE, SIDE))[1].numpy()  # type: ignore[operator]
    confidence = tuple(TaskConfidence(1.0, 0.1, 0.5, 100) for _ in SCHEMA.tasks)
    bundle = Bundle(network, Preprocessing(SIDE, SIDE), MetadataEncoder(), confidence, NoveltyReference.fit(looks, looks))
    bundle.save(work / "model", "# A model of random weights")
    return work / "model"


def pictures(work: Path) -> Path:
    """Rendered micrographs of a usual size."""
    folder = work / "pictures"
    if not folder.exists():
        write_dataset("particles", PICTURES, folder, size=(480, 640), seed=7)
    return folder / "images"


def rate(work: Path) -> Found:
    """Pictures a second and processor seconds a picture of `predict` and `index`, in turns, models loaded each time."""
    images, bundle = pictures(work), model(work)
    times: dict[str, list[tuple[float, float]]] = {"predict": [], "index": []}
    for round_number in range(4):
        for name in times:
            out = work / f"rate.{name}"
            remove_archive(out)
            began, processor = time.perf_counter(), time.process_time()
            if name == "predict":
                predict(bundle, images, out.with_suffix(".csv"), overwrite=True)
            else:
                index(images, out, model=bundle)
            if round_number:  # the first one warms caches
                times[name].append((time.perf_counter() - began, time.process_time() - processor))
    clock = {name: statistics.median(PICTURES / wall for wall, _ in some) for name, some in times.items()}
    busy = {name: statistics.median(cpu / PICTURES for _, cpu in some) for name, some in times.items()}
    began = time.perf_counter()
    index(images, work / "rate.index", model=bundle)
    again = time.perf_counter() - began
    return {"clock": clock, "processor": busy, "pictures": PICTURES, "again_s": again}


def killed(work: Path, kills: int = KILLS) -> Found:
    """An indexing run killed at random moments, then finished: pictures that were safe before a kill and are missing, doubles."""
    images, archive = pictures(work), work / "killed.archive"
    remove_archive(archive)
    random, lost, done, seen = np.random.default_rng(0), 0, 0, set()
    command = [sys.executable, "-c", "import sys; from morphoscope.apps.verbs.index import index; index(*sys.argv[1:])"]
    while done < kills:
        if len(seen) == PICTURES:  # all is there: begin anew
            remove_archive(archive)
            seen = set()
        process = subprocess.Popen([*command, str(images), str(archive)])
        while process.poll() is None and len(safe_pictures(archive)) == len(seen):
            time.sleep(0.005)
        time.sleep(float(random.uniform(0, 0.3)))
        before = safe_pictures(archive)
        process.send_signal(signal.SIGKILL)
        done += process.wait() == -signal.SIGKILL
        seen = safe_pictures(archive)
        lost += len(before - seen)
    index(images, archive)
    with Archive.open(archive) as opened:
        tables = ("picture", "embedding", "thumbnail")
        counts = {name: count_rows(opened, name) for name in tables}
        doubles = counts["picture"] - len(safe_pictures(archive))
        sound = opened.connection.execute("PRAGMA integrity_check").fetchone()[0]
    missing = PICTURES - len(safe_pictures(archive))
    found = {"kills": done, "lost": lost, "doubles": doubles, "missing": missing, "counts": counts}
    return found | {"integrity": sound, "pictures": PICTURES}


def safe_pictures(archive: Path) -> set[str]:
    """Hashes of the pictures that are on disk with features and thumbnail; every picture has its own."""
    sql = "SELECT p.hash FROM picture p JOIN embedding e ON e.picture = p.id JOIN thumbnail t ON t.picture = p.id"
    try:
        with closing(sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=10)) as connection:
            return {row[0] for row in connection.execute(sql)}
    except sqlite3.OperationalError:
        return set()
