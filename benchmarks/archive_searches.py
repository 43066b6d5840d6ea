"""Searches of archives of any size, the archive's way and the obvious one, for benchmark archive.py."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from archive_filling import FORMS, MATERIALS, SCHEMA, fill, queries, rendered_features
from archive_timing import Found, asked_each, timed
from sklearn.neighbors import NearestNeighbors

from morphoscope.archive import Archive, embedding_of, facets, nearest_graph, search
from morphoscope.archive.approximate import probably_most_similar
from morphoscope.archive.current_vectors import keep_vectors, vectors
from morphoscope.archive.vectors import StoredRows

ROUNDS, COUNT = 60, 50
MOST_OBVIOUS = 100_000


def left_by_index(path: Path) -> Found:
    """What `index` leaves on disk for the next start is made anew: seconds for columns, and for vectors and graph."""
    for kept in path.parent.glob(f"{path.name}.*"):
        if kept.suffix in (".vectors", ".graph"):
            kept.unlink()
    with Archive.open(path) as archive:
        found = {"columns_s": timed(facets, archive) / 1000}
        processor = time.process_time()
        found["vectors_s"] = timed(vectors, archive, 1) / 1000
        found["vectors_processor_s"] = time.process_time() - processor
        found["graph_s"] = timed(keep_vectors, archive, 1) / 1000
    found["kept_bytes"] = sum(kept.stat().st_size for kept in path.parent.glob(f"{path.name}.*.*") if kept.suffix != ".part")
    return found


def known_graph(archive: Archive) -> bool:
    """Whether similarity in this archive goes by a graph."""
    return vectors(archive, 1).graph is not None


def compared_with_graph(archive: Archive, examples: np.ndarray) -> Found:
    """Both ways to the most similar of all pictures, without their details: how many of the exact fifty the graph finds."""
    known = vectors(archive, 1)
    everything, shares = np.arange(len(known)), []
    features = [embedding_of(archive, int(example), 1) for example in examples]
    for wanted in features:
        exact, probable = known.most_similar(wanted, everything, COUNT), probably_most_similar(known, wanted, everything, COUNT)
        shares.append(len(set(exact.rows) & set(probable.rows)) / COUNT if probable else 0.0)
    return {
        "recall": float(np.mean(shares)),
        "least": min(shares),
        "graph": asked_each(lambda one: probably_most_similar(known, one, everything, COUNT), features),
        "exact": asked_each(lambda one: known.most_similar(one, everything, COUNT), features),
    }


def asked(path: Path, count: int, least_rows: int) -> Found:
    """Every kind of search on an archive of `count` entries. least_rows: from which on similarity goes by a graph."""
    nearest_graph.LEAST_ROWS = least_rows
    random = np.random.default_rng(1)
    found: Found = {"entries": count, "bytes": path.stat().st_size}
    found |= left_by_index(path)
    processor = time.process_time()
    archive = Archive.open(path)
    found["open"] = timed(facets, archive)
    found["open_processor"] = 1000 * (time.process_time() - processor)
    ask = partial(search, archive, limit=COUNT)
    found["first"] = asked_each(ask, ["like:1"])
    filters = queries(random, ROUNDS)
    examples = random.integers(1, count, ROUNDS)
    found["matched"] = statistics.median(facets(archive, query).total for query in filters)
    found["filtered"] = asked_each(ask, [f"like:{e} {q}" for e, q in zip(examples, filters, strict=True)])
    found["unfiltered"] = asked_each(ask, [f"like:{e}" for e in examples])
    found["text"] = asked_each(ask, [f"{random.choice(MATERIALS)} {random.choice(FORMS)[:4]}" for _ in range(ROUNDS)])
    found["facets"] = asked_each(partial(facets, archive), filters)
    found["fields"] = asked_each(ask, filters, sort="-pixel_size_nm")
    if known_graph(archive):
        found["graph"] = compared_with_graph(archive, examples)
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


def queries_of(work: Path, count: int, least_rows: int = nearest_graph.LEAST_ROWS) -> Found:
    """Both ways on an archive of `count` entries, each in a process of its own, so that memory is its own."""
    path = work / f"{count}.archive"
    fill(path, rendered_features(work), count)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found: Found = pool.apply(asked, (path, count, least_rows))
        if count <= MOST_OBVIOUS:
            found["obvious"] = pool.apply(obvious, (path, count))
    return found


def vectors_of(work: Path, count: int) -> Found:
    """Similarity alone over `count` vectors: those of a tenth as many entries ten times, each time turned a little another way."""
    path = work / f"{count // 10}.archive"
    fill(path, rendered_features(work), count // 10)
    with Archive.open(path) as archive:
        known = replace(vectors(archive, 1), graph=None)
    random = np.random.default_rng(2)
    turns = (0.005 * random.standard_normal((10, known.width))).astype(np.float16)
    matrix = np.concatenate([known.kept.matrix + turn for turn in turns])
    leading = np.concatenate([known.standard.led(part) for part in np.array_split(matrix, 100)], 1)
    everything, some = np.arange(len(matrix)), np.flatnonzero(random.random(len(matrix)) < 0.1)
    stored = StoredRows(matrix, leading)
    million = replace(known, ids=everything, places=everything, kept=stored, late=stored.none())
    standard = known.standard
    examples = [
        standard.centre + standard.scale * known.directions(np.array([row]))[0] for row in random.integers(0, len(known), 20)
    ]
    found = {"vectors": len(matrix), "bytes": matrix.nbytes}
    million.most_similar(examples[0], everything, COUNT)  # pages come into memory
    found["unfiltered"] = asked_each(lambda one: million.most_similar(one, everything, COUNT), examples)
    found["filtered"] = asked_each(lambda one: million.most_similar(one, some, COUNT), examples)
    full = [timed(million.similarity, one, everything) for one in examples[:3]]
    return found | {"full_ms": statistics.median(full)}
