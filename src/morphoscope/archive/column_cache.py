"""Columns kept on disk between two starts, so that a large archive opens at once.

Every transaction gives the archive a stamp drawn by lot, and what is kept is found by that stamp alone: nothing older or of another
file is ever taken for current. It is a convenience; without it the columns are read from the tables.
"""

from __future__ import annotations

import hashlib

from morphoscope.archive.columns import NUMBERS, TEXTS, Answered, Coded, Columns
from morphoscope.archive.models import KnownModel
from morphoscope.data.cache import PictureCache, cache_folder

CACHE_BYTES = 2 * 2**30
FEWEST = 10_000
"""Fewer pictures are read from the tables as fast."""


def keep(stamp: str, found: Columns) -> None:
    """Keeps the columns as of a stamp."""
    if len(found) < FEWEST:
        return
    arrays, values = {"ids": found.ids, "novelty": found.novelty}, {}
    arrays |= {f"number {name}": column for name, column in found.numbers.items()}
    for name, coded in found.texts.items():
        arrays[f"text {name}"], values[f"text {name}"] = coded.codes, coded.values
    for name, answered in found.tasks.items():
        arrays[f"best {name}"], values[f"best {name}"] = answered.best.codes, answered.best.values
        arrays[f"confidence {name}"], arrays[f"sure {name}"] = answered.confidence, answered.is_sure
    cache = _cache()
    # Arrays are found by their place: a task's name may hold what a file name must not.
    names = list(arrays)
    cache.put(
        _key(stamp, found.model), {str(i): arrays[name] for i, name in enumerate(names)}, {"names": names, "values": values}
    )
    cache.shrink()


def kept(stamp: str, revision: int, model: KnownModel | None) -> Columns | None:
    """The columns that were kept at this very stamp, if any were."""
    stored = _cache().get(_key(stamp, model))
    if stored is None:
        return None
    arrays = {name: stored[0][str(i)] for i, name in enumerate(stored[1]["names"])}
    values = {name: tuple(texts) for name, texts in stored[1]["values"].items()}

    def named(kind: str) -> list[str]:
        return [name.removeprefix(kind) for name in arrays if name.startswith(kind)]

    texts = {name: Coded(arrays[f"text {name}"], values[f"text {name}"]) for name in named("text ")}
    tasks = {
        name: Answered(
            Coded(arrays[f"best {name}"], values[f"best {name}"]), arrays[f"confidence {name}"], arrays[f"sure {name}"]
        )
        for name in named("best ")
    }
    numbers = {name: arrays[f"number {name}"] for name in named("number ")}
    return Columns(revision, model, arrays["ids"], numbers, texts, arrays["novelty"], tasks)


def _cache() -> PictureCache:
    return PictureCache(cache_folder() / "archives", CACHE_BYTES)


def _key(stamp: str, model: KnownModel | None) -> str:
    """With the names of what is kept, so that another version of Morphoscope keeps its own."""
    layout = f"{NUMBERS} {TEXTS}"
    return hashlib.sha256(f"{stamp} {model.sha if model else ''} {layout}".encode()).hexdigest()
