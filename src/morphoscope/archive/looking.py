"""Models at work for the archive: loaded by folder or name, and asked what they see in a file that it doesn't have."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from morphoscope.archive.models import KnownModel, ModelIdentity
from morphoscope.archive.search import Look
from morphoscope.errors import ArchiveError, QueryError
from morphoscope.inference.bare_encoder import bare_encoder, weights_sha
from morphoscope.inference.predictor import Predictor
from morphoscope.models.bundle import Bundle, bundle_identity
from morphoscope.models.encoders import DEFAULT, RANDOM


def load_model(model: str) -> tuple[ModelIdentity, Bundle]:
    """A trained model's folder, an encoder's, or `default`, with what tells it from others. Raises MorphoscopeError."""
    folder = Path(model)
    if model not in (DEFAULT, RANDOM) and any((folder / place).is_file() for place in ("bundle.json", "model/bundle.json")):
        place, sha = bundle_identity(folder)
        place = place.resolve()
        name = place.parent.name if place.name == "model" else place.name
        bundle = Bundle.load(place)
        return ModelIdentity(sha, name, str(place), bundle.schema), bundle
    bundle = bare_encoder(model)
    is_shipped = model in (DEFAULT, RANDOM)
    place_text, name = (model, model) if is_shipped else (str(folder.resolve()), folder.resolve().name)
    return ModelIdentity(weights_sha(bundle), name, place_text, bundle.schema), bundle


def looker() -> Look:
    """Reads the features of files with whichever model is asked for; each is loaded once, on first use."""
    loaded: dict[str, Predictor] = {}
    lock = threading.Lock()

    def look(model: KnownModel, path: Path) -> np.ndarray:
        with lock:
            if model.sha not in loaded:
                loaded[model.sha] = Predictor(_same(model))
            (seen,) = loaded[model.sha].predict([path])
        if seen.failed:
            raise QueryError(f"Search 'like:{path}': {seen.failed[path]}")
        return np.asarray(seen.appearance[0])

    return look


def _same(model: KnownModel) -> Bundle:
    """The bundle that the archive's features come from. Raises ArchiveError where it is gone or another lies in its place."""
    if model.place not in (DEFAULT, RANDOM) and not Path(model.place).exists():
        raise ArchiveError(
            f"{model.place}: the model that this archive was indexed with is gone; expected its folder. Put it back, or index the "
            "pictures again with --model."
        )
    identity, bundle = load_model(model.place)
    if identity.sha != model.sha:
        raise ArchiveError(
            f"{model.place}: it holds another model than the one that this archive was indexed with; expected the weights "
            f"{model.sha[:12]}…, found {identity.sha[:12]}…. Index the pictures again with --model {model.place}."
        )
    return bundle
