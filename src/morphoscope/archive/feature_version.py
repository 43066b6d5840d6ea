"""Which state a model's features are in: the last transaction that changed any of them."""

from __future__ import annotations

from dataclasses import dataclass

from morphoscope.archive.store import Archive


@dataclass(frozen=True)
class FeatureVersion:
    """revision: of the archive in that transaction; stamp: drawn by lot in it, so that a copy of the file which went its own
    way since has another at the same revision."""

    revision: int
    stamp: str


def feature_version(archive: Archive, model: int) -> FeatureVersion | None:
    """The present state; None where the archive never had features of that model."""
    sql = "SELECT revision, stamp FROM feature_change WHERE model = ? ORDER BY revision DESC LIMIT 1"
    row = archive.connection.execute(sql, (model,)).fetchone()
    return FeatureVersion(*row) if row else None


def has_been(archive: Archive, model: int, version: FeatureVersion) -> bool:
    """Whether the features were once in that state, so that what changed since leads from it to the present one."""
    sql = "SELECT 1 FROM feature_change WHERE model = ? AND revision = ? AND stamp = ?"
    return archive.connection.execute(sql, (model, version.revision, version.stamp)).fetchone() is not None
