"""Features of pictures as the archive's model sees them, so that an upload can be compared with the archive."""

from __future__ import annotations

import threading

import numpy as np

from morphoscope.apps.web.classifying import Classifier
from morphoscope.apps.web.desk import Desk
from morphoscope.archive import Archive, embedding_of, looking_model
from morphoscope.archive.models import KnownModel
from morphoscope.errors import ArchiveError, QueryError


class Eyes:
    """The model of the server where it is the archive's too, else the archive's, loaded when it is first needed."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._lock = desk, threading.Lock()
        self._loaded: dict[str, Classifier] = {}

    def features(self, archive: Archive, key: str) -> np.ndarray:
        """(F,) features of a picture. Raises QueryError where the archive has none to compare with."""
        model = looking_model(archive)
        if model is None:
            raise QueryError("The archive has no features of any picture; expected some. Index pictures first.")
        source = self._desk.source(key)
        stored = embedding_of(archive, source.stored.id, model.id) if source.stored else None
        if stored is not None:
            return stored
        eye = self._eye(model)
        own = eye is self._desk.classifier
        look = self._desk.look(key) if own else self._desk.decoded(source, self._desk.user_row(key), "needed", eye)
        return np.asarray(eye.predict([look]).appearance[0], np.float32)

    def _eye(self, model: KnownModel) -> Classifier:
        own = self._desk.classifier
        if own is not None and own.sha == model.sha:
            return own
        with self._lock:
            if model.sha not in self._loaded:
                from morphoscope.archive.looking import load_model

                identity, bundle = load_model(model.place)
                if identity.sha != model.sha:
                    raise ArchiveError(
                        f"{model.place}: it holds another model than the one that the archive was indexed with; expected the weights "
                        f"{model.sha[:12]}…. Index the pictures again with it."
                    )
                self._loaded[model.sha] = Classifier(model.name, model.sha, bundle)
            return self._loaded[model.sha]
