"""Models that the archive has answers and features of: which one, of which tasks, from which version."""

from __future__ import annotations

import json
from dataclasses import dataclass

from morphoscope import __version__
from morphoscope.archive.feature_version import feature_version
from morphoscope.archive.store import Archive, now
from morphoscope.errors import ArchiveError, did_you_mean
from morphoscope.schema import Schema


@dataclass(frozen=True)
class ModelIdentity:
    """What tells one model from another. sha: SHA-256 of its weights; place: its folder, or the name of a shipped encoder.

    A schema without tasks is that of an encoder, which answers nothing.
    """

    sha: str
    name: str
    place: str
    schema: Schema


@dataclass(frozen=True)
class KnownModel(ModelIdentity):
    """A model of the archive. id: its number there; version: of Morphoscope, when it was first used."""

    id: int
    version: str
    used_at: str


def record_model(archive: Archive, model: ModelIdentity) -> int:
    """The number of a model in the archive, where it is now the one used last."""
    with archive.writing() as connection:
        connection.execute(
            "INSERT INTO model (sha, name, place, schema, version, used_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (sha) DO UPDATE SET used_at = excluded.used_at, place = excluded.place, name = excluded.name",
            (model.sha, model.name, model.place, json.dumps(model.schema.to_dict()), __version__, now()),
        )
        (number,) = connection.execute("SELECT id FROM model WHERE sha = ?", (model.sha,)).fetchone()
    return int(number)


def known_models(archive: Archive) -> list[KnownModel]:
    """All of them, the one used last first."""
    rows = archive.connection.execute(
        "SELECT sha, name, place, schema, id, version, used_at FROM model ORDER BY used_at DESC, id DESC"
    ).fetchall()
    return [
        KnownModel(sha, name, place, Schema.from_dict(json.loads(schema)), number, version, used)
        for sha, name, place, schema, number, version, used in rows
    ]


def answering_model(archive: Archive, name: str = "") -> KnownModel | None:
    """The model whose classes a search means: the named one, else the one used last that has tasks; None where there is none.

    name: its name, or the beginning of its SHA-256. Raises ArchiveError for a name that there isn't.
    """
    models = [model for model in known_models(archive) if model.schema.tasks]
    return _named(archive, models, name) if name else next(iter(models), None)


def looking_model(archive: Archive, name: str = "") -> KnownModel | None:
    """The model in whose features pictures are compared: the named one, else that of most pictures, the later of equals."""
    models = known_models(archive)
    if name:
        return _named(archive, models, name)
    seen = [model for model in models if _has_features(archive, model)]
    counts = _counts(archive, seen) if len(seen) > 1 else {}
    return max(seen, key=lambda model: counts.get(model.id, 0), default=None)


def _has_features(archive: Archive, model: KnownModel) -> bool:
    return archive.connection.execute("SELECT 1 FROM embedding WHERE model = ? LIMIT 1", (model.id,)).fetchone() is not None


def _counts(archive: Archive, models: list[KnownModel]) -> dict[int, int]:
    """Pictures with features, by model: counted anew only when features came or went."""
    versions = [feature_version(archive, model.id) for model in models]
    with archive.cache_lock:
        known = archive.caches.get("embeddings counted")
        if not isinstance(known, tuple) or known[0] != versions:
            found = archive.connection.execute("SELECT model, count(*) FROM embedding GROUP BY model").fetchall()
            known = archive.caches["embeddings counted"] = (versions, dict(found))
        counts: dict[int, int] = known[1]
        return counts


def _named(archive: Archive, models: list[KnownModel], name: str) -> KnownModel:
    for model in models:
        if model.name == name or model.place == name or (len(name) >= 6 and model.sha.startswith(name)):
            return model
    names = [model.name for model in models]
    raise ArchiveError(
        f"{archive.path}: it holds nothing of a model '{name}'; expected one of {', '.join(names) or 'none'}."
        f"{did_you_mean(name, names)} Index with --model first."
    )
