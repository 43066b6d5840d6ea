"""Archives of any size for benchmark archive.py: features of rendered micrographs and mixtures of them, and all that a search asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphoscope.archive import Archive, ModelIdentity, record_model
from morphoscope.schema import Schema, Task

RENDERED = {"sem10": 240, "particles": 120, "tem-nanowires": 80}
SCHEMA = Schema(
    (
        Task("Morphology", ("Cube", "Fibre", "Network", "Particle", "Rod", "Sphere")),
        Task("Crystal system", ("Cubic", "Hexagonal", "Tetragonal")),
        Task("Arrangement", ("Aligned", "Random", "Stacked")),
        Task("Quality", ("Good", "Poor")),
    )
)
MATERIALS = ("gold", "silver", "silica", "titania", "carbon", "copper", "zinc oxide", "platinum", "palladium", "iron oxide")
FORMS = ("rods", "cubes", "wires", "spheres", "plates", "films", "powder", "network")
BLOCK = 5000


def rendered_features(work: Path) -> np.ndarray:
    """(N, F) float32 that the shipped encoder sees in rendered micrographs, kept in `work`."""
    kept = work / "features.npy"
    if kept.is_file():
        return np.load(kept)
    from morphoscope.inference.bare_encoder import bare_encoder
    from morphoscope.inference.predictor import Predictor
    from morphoscope.synthesis import write_dataset

    predictor, parts = Predictor(bare_encoder("default"), scale="header"), []
    for seed, (kind, count) in enumerate(RENDERED.items()):
        folder = work / kind
        if not folder.exists():
            write_dataset(kind, count, folder, size=(128, 160), seed=seed)
        parts += [batch.appearance for batch in predictor.predict(sorted((folder / "images").rglob("*.*")))]
    features = np.concatenate(parts)
    np.save(kept, features)
    return features


def mixed(features: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(count, F) float16: each a rendered picture's features, moved by a random part of the difference of two others, and noise."""
    first, second, third = random.integers(0, len(features), (3, count))
    amount = random.normal(0, 0.5, (count, 1)).astype(np.float32)
    noise = random.standard_normal((count, features.shape[1]), dtype=np.float32) * (0.1 * features.std(0))
    return (features[first] + amount * (features[second] - features[third]) + noise).astype(np.float16)


def fill(path: Path, features: np.ndarray, count: int) -> None:
    """Makes an archive of `count` entries, unless it is there. It writes the tables straight, as no picture files lie behind it."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    random = np.random.default_rng(0)
    with Archive.open(part) as archive:
        model = record_model(archive, ModelIdentity("ab" * 32, "benchmark", "/models/benchmark", SCHEMA))
        for start in range(0, count, BLOCK):
            _fill_block(archive, model, start, min(BLOCK, count - start), features, random)
        archive.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    part.rename(path)


def _fill_block(archive: Archive, model: int, start: int, n: int, features: np.ndarray, random: np.random.Generator) -> None:
    sizes, kv = 10 ** random.uniform(-1, 2, n), random.choice([5, 15, 80, 200, 300], n)
    material, form, specimen = (
        random.integers(0, len(MATERIALS), n),
        random.integers(0, len(FORMS), n),
        random.integers(0, 400, n),
    )
    pictures, predictions, measured = [], [], []
    probabilities = np.concatenate([random.dirichlet(np.full(len(t.classes), 0.3), n) for t in SCHEMA.tasks], 1).astype("<f4")
    for i in range(n):
        number = start + i + 1
        name = f"{MATERIALS[material[i]].replace(' ', '_')}_{FORMS[form[i]]}_{number:07}.tif"
        folder = f"/data/project {specimen[i] % 40}/{2015 + specimen[i] % 10}"
        text = (f"{folder}/{name}", name, folder, f"S{specimen[i]}", f"annealed at {100 * (specimen[i] % 9)} C")
        pictures.append((number, *text, str(number), float(sizes[i]), float(kv[i]), ("FEI", "JEOL", "ZEISS")[specimen[i] % 3]))
        predictions.append((number, model, str(number), probabilities[i].tobytes(), b"\1" * 14, b"\1" * 4, float(i % 100) / 100))
        measured.append((number, str(number), int(i % 300), float(sizes[i] * 40)))
    vectors = mixed(features, n, random)
    with archive.writing() as connection:
        connection.executemany(
            "INSERT INTO picture (id, path, name, folder, sample, notes, hash, pixel_size_nm, hv_kv, maker, revision, state, "
            "size_bytes, mtime_ns, checked_at, height, width, dtype, reader, added_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "(SELECT revision FROM archive), 'ok', 4000000, 0, 0, 1024, 1024, 'uint16', 'tiff', '', '')",
            pictures,
        )
        connection.executemany("INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, '', '')", predictions)
        connection.executemany(
            "INSERT INTO measurement VALUES (?, ?, '', 'particles', ?, ?, NULL, NULL, 0.2, '{}', x'', '', '')", measured
        )
        rows = [(start + i + 1, model, vectors[i].tobytes()) for i in range(n)]
        connection.executemany("INSERT INTO embedding (picture, model, vector) VALUES (?, ?, ?)", rows)


def queries(random: np.random.Generator, count: int) -> list[str]:
    """Filters as people write them, from a tenth to some hundredths of an archive."""
    found = []
    for _ in range(count):
        task, low = SCHEMA.tasks[random.integers(0, 2)], round(float(random.uniform(0.1, 20)), 2)
        kinds = (
            f'"{task.name}"={random.choice(task.classes)} confidence>0.7',
            f"pixel_size_nm={low}..{4 * low:.2f} hv_kv={random.choice([80, 200, 300])}",
            f"maker={random.choice(['FEI', 'JEOL'])} diameter_nm>{10 * low:.1f} Quality=Good",
        )
        found.append(str(random.choice(kinds)))
    return found
