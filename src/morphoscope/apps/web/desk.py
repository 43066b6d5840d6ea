"""The pictures that the page can open, by key: where they lie, what they show, and what the model says of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphoscope.apps.web.answers.pictures import Prediction
from morphoscope.apps.web.classifying import Classifier, Look, task_answers
from morphoscope.apps.web.recent import Recent
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.settings import Limits
from morphoscope.apps.web.uploads import UploadStore
from morphoscope.apps.web.workers.pool import WorkerPool
from morphoscope.data.record import micrograph_from_record

KEPT_LOOKS = 128
"""Each holds two copies of at most 512 px."""
KEPT_PREDICTIONS = 4096


@dataclass(frozen=True)
class Source:
    """A picture's file. name, shown_path: what people know it by. version: changes with the file's content."""

    key: str
    path: Path
    name: str
    shown_path: str
    version: str = ""


class Desk:
    """Looks are decoded by workers and kept for a while; so are predictions. Every method may be called from any thread."""

    def __init__(self, limits: Limits, decoders: WorkerPool, uploads: UploadStore, classifier: Classifier | None) -> None:
        self.limits, self.decoders, self.uploads, self.classifier = limits, decoders, uploads, classifier
        self._looks: Recent[Look] = Recent(KEPT_LOOKS)
        self._predictions: Recent[Prediction] = Recent(KEPT_PREDICTIONS)
        self._users: dict[str, dict[str, str]] = {}

    def source(self, key: str) -> Source:
        """Where a picture lies. Raises RefusalError (404)."""
        upload = self.uploads.get(key) if key.startswith("u") else None
        if upload is None:
            raise RefusalError(
                404, f"There is no picture '{key[:40]}'; expected a key of an upload or of the archive. Send it again."
            )
        return Source(key, upload.path, upload.name, upload.name)

    def user_row(self, key: str) -> dict[str, str]:
        """What a person said of the picture: a row of a metadata sheet."""
        return self._users.get(key, {})

    def tell(self, key: str, row: dict[str, str]) -> None:
        """Keeps a person's word on a picture; an empty row forgets it."""
        if row:
            self._users[key] = row
        else:
            self._users.pop(key, None)

    def look(self, key: str, *, quick: bool = False) -> Look:
        """The decoded picture. quick: without reading its pixels for a scale bar. Raises MorphoscopeError, RefusalError."""
        source = self.source(key)
        finished = self._looks.known(self._key(source, quick=False))
        if finished:
            return finished
        if not quick:
            hasty = self._looks.known(self._key(source, quick=True))
            if hasty and hasty.is_final:
                return hasty
        return self._looks.get(self._key(source, quick=quick), lambda: self._looked(source, quick))

    def prediction(self, key: str, *, quick: bool = False) -> Prediction:
        """What the model says. Raises RefusalError (404) where no model is loaded."""
        classifier = self.needed_classifier()
        source = self.source(key)
        look = self.look(key, quick=quick)
        return self._predictions.get((*self._key(source, quick), look.is_final), lambda: _predicted(classifier, source, look))

    def known_prediction(self, key: str) -> Prediction | None:
        """The prediction where it was made before."""
        source = self.source(key)
        for quick in (False, True):
            for is_final in (True, False):
                if found := self._predictions.known((*self._key(source, quick), is_final)):
                    return found
        return None

    def needed_classifier(self) -> Classifier:
        """The model. Raises RefusalError (404) where the server has none."""
        if self.classifier is None:
            raise RefusalError(404, "No model is loaded; expected `morphoscope serve --model MODEL`. Start the server with one.")
        return self.classifier

    def decoded(self, path: Path, name: str, *, quick: bool = False, user: dict[str, str] | None = None) -> Look:
        """A file that has no key, decoded by a worker."""
        return self._decoded(path, name, quick, user or {})

    def _looked(self, source: Source, quick: bool) -> Look:
        return self._decoded(source.path, source.name, quick, self.user_row(source.key))

    def _decoded(self, path: Path, name: str, quick: bool, user: dict[str, str]) -> Look:
        began = time.perf_counter()
        answer = self.decoders.ask(
            {
                "verb": "look",
                "path": str(path),
                "name": name,
                "user": user,
                "scale": "header" if quick else "auto",
                "max_pixels": self.limits.max_pixels,
                "preprocessing": self.classifier.preprocessing if self.classifier else None,
            }
        )
        micrograph = micrograph_from_record(answer.document["record"], path)
        seconds = time.perf_counter() - began
        arrays = answer.arrays
        return Look(micrograph, arrays.get("working"), arrays["preview"], user, answer.document["is_final"], seconds)

    def _key(self, source: Source, quick: bool) -> tuple[Any, ...]:
        return source.key, source.version, tuple(sorted(self.user_row(source.key).items())), quick


def _predicted(classifier: Classifier, source: Source, look: Look) -> Prediction:
    began = time.perf_counter()
    predicted = classifier.predict([look])
    (row,) = classifier.rows(predicted, [source.shown_path])
    novelty = row["novelty"]
    return Prediction(
        row=row,
        tasks=task_answers(predicted.predictions, 0),
        novelty=novelty if isinstance(novelty, float) else None,
        is_final=look.is_final,
        seconds=look.seconds + time.perf_counter() - began,
    )


def predicted_rows(classifier: Classifier, names: Sequence[str], looks: Sequence[Look | str]) -> list[dict[str, Any]]:
    """A row of predictions.csv a file, in order; looks: a decoded picture, or the sentence that says why there is none."""
    seen = [look for look in looks if isinstance(look, Look)]
    seen_names = [name for name, look in zip(names, looks, strict=True) if isinstance(look, Look)]
    rows = iter(classifier.rows(classifier.predict(seen), seen_names) if seen else [])
    pairs = zip(names, looks, strict=True)
    return [next(rows) if isinstance(look, Look) else classifier.error_row(name, look) for name, look in pairs]
