"""How fast the archive answers and fills, what survives being killed, and what the obvious way would take in the same run.

    python benchmarks/archive.py --work runs                    # all but the million; writes ARCHIVE.md
    python benchmarks/archive.py --work runs queries million    # some of: queries million vectors rate killed crowd

The obvious way: a pandas table, scikit-learn's NearestNeighbors (brute force, cosine) over the filtered rows, `str.contains`.
Results are kept in `--work` and the page is written from them, so that parts can be run one by one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
import psutil
import torch
from archive_filling import FORMS, MATERIALS, SCHEMA, fill, queries, rendered_features
from archive_page import page
from sklearn.neighbors import NearestNeighbors

from morphoscope.apps.verbs.index import index
from morphoscope.apps.verbs.predict import predict
from morphoscope.archive import Archive, add_task, count_pictures, facets, give_answer, search
from morphoscope.archive.current_vectors import vectors
from morphoscope.archive.vectors import StoredRows
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.measure.texture import texture_descriptors
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.synthesis import write_dataset

PAGE = Path(__file__).parent / "ARCHIVE.md"
ROUNDS, PICTURES, SIDE = 60, 64, 128
COUNT = 50

Found = dict[str, Any]


def timed(work: Callable[..., object], *arguments: Any, **options: Any) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    work(*arguments, **options)
    return 1000 * (time.perf_counter() - began)


def percentiles(times: list[float], processor_ms: float | None = None) -> Found:
    """Median and 95th percentile in ms, and the mean of processor time where it was taken."""
    return {"p50": float(np.median(times)), "p95": float(np.percentile(times, 95)), "n": len(times), "processor": processor_ms}


def asked_each(work: Callable[..., object], arguments: list[Any], **options: Any) -> Found:
    """A call for each argument."""
    processor = time.process_time()
    times = [timed(work, one, **options) for one in arguments]
    return percentiles(times, 1000 * (time.process_time() - processor) / len(times))


def asked(path: Path, count: int) -> Found:
    """Every kind of search on an archive of `count` entries."""
    random = np.random.default_rng(1)
    found: Found = {"entries": count, "bytes": path.stat().st_size, "load": psutil.getloadavg()[0]}
    with Archive.open(path) as archive:  # so that its columns are kept, as `index` leaves them
        facets(archive)
    processor = time.process_time()
    archive = Archive.open(path)
    found["open"] = timed(facets, archive)
    found["open_processor"] = 1000 * (time.process_time() - processor)
    ask = partial(search, archive, limit=COUNT)
    found["first_similarity"] = timed(ask, "like:1")
    filters = queries(random, ROUNDS)
    examples = random.integers(1, count, ROUNDS)
    found["matched"] = statistics.median(facets(archive, query).total for query in filters)
    found["filtered"] = asked_each(ask, [f"like:{e} {q}" for e, q in zip(examples, filters, strict=True)])
    found["unfiltered"] = asked_each(ask, [f"like:{e}" for e in examples])
    found["text"] = asked_each(ask, [f"{random.choice(MATERIALS)} {random.choice(FORMS)[:4]}" for _ in range(ROUNDS)])
    found["facets"] = asked_each(partial(facets, archive), filters)
    found["fields"] = asked_each(ask, filters, sort="-pixel_size_nm")
    found["resident_mb"] = psutil.Process().memory_info().rss / 2**20
    archive.close()
    return found


def obvious(path: Path, count: int) -> Found:
    """The same by pandas and scikit-learn, everything in memory as float32; the rows are the archive's own."""
    archive = Archive.open(path)
    began = time.perf_counter()
    sql = (
        "SELECT id, name, folder, sample, notes, pixel_size_nm, hv_kv, maker, m.diameter_nm FROM picture "
        "JOIN measurement m ON m.picture = id ORDER BY id"
    )
    table = pd.read_sql(sql, archive.connection)
    blobs = archive.connection.execute("SELECT vector FROM embedding ORDER BY picture").fetchall()
    vectors = np.frombuffer(b"".join(row[0] for row in blobs), np.float16).reshape(count, -1).astype(np.float32)
    vectors = (vectors - vectors[:5000].mean(0)) / (vectors[:5000].std(0) + 1e-6)
    answers = archive.connection.execute("SELECT probabilities FROM prediction ORDER BY picture").fetchall()
    probabilities = np.frombuffer(b"".join(row[0] for row in answers), np.float32).reshape(count, -1)
    start = 0
    for task in SCHEMA.tasks:
        some = probabilities[:, start : start + len(task.classes)]
        table[task.name] = pd.Categorical.from_codes(some.argmax(1), list(task.classes))
        start += len(task.classes)
    found: Found = {"open": 1000 * (time.perf_counter() - began)}
    random = np.random.default_rng(1)

    def rows() -> np.ndarray:
        low = float(random.uniform(0.1, 20))
        kept = table["pixel_size_nm"].between(low, 4 * low) & (table["hv_kv"] == random.choice([80, 200, 300]))
        return np.flatnonzero(kept.to_numpy())

    def nearest(some: np.ndarray | None) -> object:
        data = vectors if some is None else vectors[some]
        neighbours = NearestNeighbors(n_neighbors=min(COUNT, len(data)), algorithm="brute", metric="cosine").fit(data)
        return neighbours.kneighbors(vectors[random.integers(0, count)][None])

    def contains() -> object:
        text = table["name"] + " " + table["folder"] + " " + table["sample"] + " " + table["notes"]
        return table[text.str.contains(str(random.choice(MATERIALS)), regex=False) & text.str.contains(str(random.choice(FORMS)))]

    def counted(_: int) -> object:
        some = table.iloc[rows()]
        return [some[task.name].value_counts() for task in SCHEMA.tasks]

    found["filtered"] = asked_each(lambda _: nearest(rows()), list(range(ROUNDS // 4)))
    found["unfiltered"] = asked_each(lambda _: nearest(None), list(range(5)))
    found["text"] = asked_each(lambda _: contains(), list(range(5)))
    found["facets"] = asked_each(counted, list(range(ROUNDS // 4)))
    archive.close()
    return found


def queries_of(work: Path, count: int) -> Found:
    """Both ways on an archive of `count` entries, each in a process of its own, so that memory is its own."""
    path = work / f"{count}.archive"
    fill(path, rendered_features(work), count)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found: Found = pool.apply(asked, (path, count))
        if count <= 100_000:
            found["obvious"] = pool.apply(obvious, (path, count))
    return found


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
            for path in work.glob(f"{out.name}*"):
                path.unlink()
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


def killed(work: Path) -> Found:
    """An indexing run killed twenty times at random moments, then finished: rows written before a kill that are missing, doubles."""
    images, archive = pictures(work), work / "killed.archive"
    for path in work.glob("killed.archive*"):
        path.unlink()
    random, lost, kills = np.random.default_rng(0), 0, 0
    command = [sys.executable, "-c", "import sys; from morphoscope.apps.verbs.index import index; index(*sys.argv[1:])"]
    seen = 0
    while kills < 20:
        process = subprocess.Popen([*command, str(images), str(archive)])
        if seen == PICTURES:  # all is there: begin anew
            process.kill()
            process.wait()
            for path in work.glob("killed.archive*"):
                path.unlink()
            seen = 0
            continue
        while process.poll() is None and rows(archive) == seen:
            time.sleep(0.005)
        time.sleep(float(random.uniform(0, 0.3)))
        before = rows(archive)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen = rows(archive)
        lost += max(0, before - seen)
        kills += 1
    done = index(images, archive)
    with Archive.open(archive) as opened:
        tables = ("picture", "embedding", "thumbnail")
        counts = {name: _count(opened, name) for name in tables}
        sound = opened.connection.execute("PRAGMA integrity_check").fetchone()[0]
    return {
        "kills": kills,
        "lost": lost,
        "doubles": done.total - PICTURES,
        "counts": counts,
        "integrity": sound,
        "pictures": PICTURES,
    }


def _count(archive: Archive, table: str) -> int:
    (count,) = archive.connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(count)


def rows(archive: Path) -> int:
    """Pictures that are safe on disk."""
    try:
        with sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=10) as connection:
            return int(connection.execute("SELECT count(*) FROM picture").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def annotate(path: Path, name: str, count: int) -> list[float]:
    """One annotator's answers, fifty a second, so that they last as long as the readers do; ms each."""
    times, classes = [], ("Cube", "Rod")
    with Archive.open(path) as archive:
        for i in range(count):
            times.append(timed(give_answer, archive, 1 + i % 5000, "Morphology", classes[i % 2], name))
            time.sleep(0.02)
    return times


def look(path: Path, count: int) -> list[float]:
    """One reader's searches; ms each."""
    with Archive.open(path) as archive:
        return [timed(search, archive, f"like:{1 + i % 100} Morphology=Rod gold", limit=20) for i in range(count)]


def crowd(work: Path) -> Found:
    """Four processes that answer while four search the same archive of 10,000 entries."""
    path = work / "crowd.archive"
    for old in work.glob("crowd.archive*"):
        old.unlink()
    fill(path, rendered_features(work), 10_000)
    with Archive.open(path) as archive:
        add_task(archive, "Morphology", ["Cube", "Rod"], "benchmark")
    each = 100
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        writers = [pool.apply_async(annotate, (path, f"person {i}", each)) for i in range(4)]
        readers = [pool.apply_async(look, (path, each)) for _ in range(4)]
        written = [time_ for one in writers for time_ in one.get()]
        read = [time_ for one in readers for time_ in one.get()]
    with Archive.open(path) as archive:
        (kept,) = archive.connection.execute("SELECT count(*) FROM answer").fetchone()
        assert count_pictures(archive) == 10_000
    return {"given": 4 * each, "kept": kept, "write": percentiles(written), "read": percentiles(read)}


def vectors_of_a_million(work: Path) -> Found:
    """Similarity alone over a million vectors: those of the 100,000 entries ten times, each time turned a little another way."""
    fill(work / "100000.archive", rendered_features(work), 100_000)
    with Archive.open(work / "100000.archive") as archive:
        known = vectors(archive, 1)
    random = np.random.default_rng(2)
    turns = (0.005 * random.standard_normal((10, known.width))).astype(np.float16)
    matrix = np.concatenate([known.kept.matrix + turn for turn in turns])
    leading = np.concatenate([known.standard.led(part) for part in np.array_split(matrix, 100)], 1)
    everything, some = np.arange(len(matrix)), np.flatnonzero(random.random(len(matrix)) < 0.1)
    stored = StoredRows(matrix, leading)
    million = replace(known, ids=everything, places=everything, kept=stored, late=stored.none())
    standard = known.standard
    examples = [
        standard.centre + standard.scale * known.directions(np.array([row]))[0] for row in random.integers(0, 100_000, 20)
    ]
    found = {"load": psutil.getloadavg()[0], "bytes": matrix.nbytes}
    found["unfiltered"] = asked_each(lambda one: million.most_similar(one, everything, COUNT), examples)
    found["filtered"] = asked_each(lambda one: million.most_similar(one, some, COUNT), examples)
    full = [timed(million.similarity, one, everything) for one in examples[:3]]
    return found | {"full_ms": statistics.median(full)}


PARTS: dict[str, Callable[[Path], Found]] = {
    "queries": lambda work: queries_of(work, 100_000),
    "million": lambda work: queries_of(work, 1_000_000),
    "vectors": vectors_of_a_million,
    "rate": rate,
    "killed": killed,
    "crowd": crowd,
}


def main() -> None:
    """Runs what was asked for and writes the page from all that was ever measured in `--work`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    record = options.work / "measured.json"
    measured: Found = {}
    for name in options.parts or [part for part in PARTS if part != "million"]:
        load = psutil.getloadavg()[0]
        found = PARTS[name](options.work) | {"load": load, "cores": os.cpu_count(), "machine": platform.machine()}
        measured = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
        measured[name] = found
        record.write_text(json.dumps(measured, indent=1), encoding="utf-8")
        print(name, json.dumps(found), flush=True)
    PAGE.write_text(page(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
