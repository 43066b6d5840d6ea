"""What is known of the pictures that the page opens: decoded looks, predictions, objects, tiles, each made once and kept a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from morphoscope.apps.web.answers.pictures import Objects, Prediction, Row
from morphoscope.apps.web.classifying import Classifier, Look, task_answers
from morphoscope.apps.web.measured_rows import objects_answer
from morphoscope.apps.web.pyramids import Pyramids
from morphoscope.apps.web.recent import Recent
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.settings import Limits
from morphoscope.apps.web.sources import Source, Sources
from morphoscope.apps.web.workers.pool import WorkerPool
from morphoscope.archive import ScaleWord
from morphoscope.archive.scales import PIXEL_SIZE
from morphoscope.data.record import micrograph_from_record

Reading = Literal["never", "needed", "always"]
"""Whether the pixels are read for a scale bar, which may take a second."""

KEPT_LOOKS, KEPT_PREDICTIONS, KEPT_OBJECTS, KEPT_HEAT, KEPT_WORDS = 96, 4096, 64, 256, 10_000


@dataclass(frozen=True, eq=False)
class Found:
    """A picture's objects as the API tells them, and as the archive keeps them: a row of summary.csv, and (n,) diameters."""

    objects: Objects
    summary: dict[str, str]
    diameters_nm: np.ndarray


class Desk:
    """Every method may be called from any thread; what two ask for at once is made once."""

    def __init__(
        self,
        limits: Limits,
        sources: Sources,
        decoders: WorkerPool,
        analysts: WorkerPool,
        pyramids: Pyramids,
        classifier: Classifier | None,
    ) -> None:
        self.source, self.classifier = sources.source, classifier
        self._limits, self._decoders, self._analysts, self._pyramids = limits, decoders, analysts, pyramids
        self._looks: Recent[Look] = Recent(KEPT_LOOKS)
        self._predictions: Recent[Prediction] = Recent(KEPT_PREDICTIONS)
        self._objects: Recent[Found] = Recent(KEPT_OBJECTS)
        self._heat: Recent[np.ndarray] = Recent(KEPT_HEAT)
        self._words: OrderedDict[str, ScaleWord] = OrderedDict()

    def user_row(self, key: str) -> dict[str, str]:
        """What people said of the picture, to the archive or to this server: a row of a metadata sheet."""
        return self._row(self.source(key))

    def word(self, key: str) -> ScaleWord | None:
        """What a person said of the scale of a picture that the archive doesn't have."""
        return self._words.get(key)

    def tell(self, key: str, word: ScaleWord) -> None:
        """Keeps a person's word on the scale until the server stops; one without a size forgets it."""
        self._words.pop(key, None)
        if word.pixel_size_nm is not None:
            self._words[key] = word
        while len(self._words) > KEPT_WORDS:
            self._words.popitem(last=False)

    def look(self, key: str, *, reading: Reading = "needed", user: dict[str, str] | None = None) -> Look:
        """The decoded picture, as people say it is or as `user` would have it. Raises MorphoscopeError, RefusalError."""
        source = self.source(key)
        row = self._row(source) if user is None else user
        if reading != "always":
            for better in ("needed", "never"):
                known = self._looks.known(self._key(source, better, row))
                if known and (known.is_final or better == reading):
                    return known
        return self._looks.get(self._key(source, reading, row), lambda: self.decoded(source, row, reading))

    def prediction(self, key: str, *, reading: Reading = "needed") -> Prediction:
        """What the model says. Raises RefusalError (404) where no model is loaded."""
        classifier, source = self.needed_classifier(), self.source(key)
        look = self.look(key, reading=reading)
        made = self._key(source, "final" if look.is_final else "hasty")
        return self._predictions.get(made, lambda: predicted(classifier, source, look))

    def known_prediction(self, key: str) -> Prediction | None:
        """The prediction where it was made before, the final one where there is one."""
        source = self.source(key)
        made = (self._predictions.known(self._key(source, kind)) for kind in ("final", "hasty"))
        return next((one for one in made if one), None)

    def objects(self, key: str) -> Found:
        """Outlines and measurements."""
        source = self.source(key)
        return self._objects.get(self._key(source, "objects"), lambda: self._measured(source))

    def known_objects(self, key: str) -> Found | None:
        """The same where they were found before."""
        return self._objects.known(self._key(self.source(key), "objects"))

    def heat(self, key: str, task: str) -> np.ndarray:
        """(y, x) float32 in [0, 1] over the specimen: what speaks for the best guess of a task."""
        classifier, source = self.needed_classifier(), self.source(key)
        look = self.look(key)
        return self._heat.get((*self._key(source, "heat"), task), lambda: classifier.heat(look, task))

    def attention(self, key: str) -> np.ndarray:
        """(y, x) float32 in [0, 1] over the specimen: what the model's features gather. Raises RefusalError (404) without any."""
        classifier, source = self.needed_classifier(), self.source(key)
        if not classifier.has_attention:
            raise RefusalError(
                404, "The model has no attention to show; expected a transformer such as a ViT. Ask for a heat map instead."
            )
        look = self.look(key)
        return self._heat.get(self._key(source, "attention"), lambda: classifier.attention(look))

    def pyramid(self, key: str) -> tuple[str, dict[str, Any]]:
        """The name of the picture's tiles, and what the viewer needs to know of them."""
        source = self.source(key)
        return source.identity, self._pyramids.info(source.identity, self._job(source.path, source.name))

    def needed_classifier(self) -> Classifier:
        """The model. Raises RefusalError (404) where the server has none."""
        if self.classifier is None:
            raise RefusalError(404, "No model is loaded; expected `morphoscope serve --model MODEL`. Start the server with one.")
        return self.classifier

    def decoded(
        self, source: Source, user: dict[str, str], reading: Reading = "needed", classifier: Classifier | None = None
    ) -> Look:
        """A picture decoded by a worker, and kept nowhere. classifier: whose copy of it is made; the server's by default."""
        began = time.perf_counter()
        eye = classifier or self.classifier
        job = self._job(source.path, source.name) | {"verb": "look", "user": user, "reading": reading}
        answer = self._decoders.ask(job | {"preprocessing": eye.preprocessing if eye else None})
        micrograph = micrograph_from_record(answer.document["record"], source.path)
        seconds = time.perf_counter() - began
        arrays, is_final = answer.arrays, answer.document["is_final"]
        return Look(micrograph, arrays.get("working"), arrays["preview"], user, is_final, seconds)

    def _measured(self, source: Source) -> Found:
        job = self._job(source.path, source.name) | {"user": self._row(source), "reading": "needed"}
        answer = self._analysts.ask(job | {"verb": "objects"})
        return Found(objects_answer(answer.document), answer.document["summary"], answer.arrays["diameters_nm"])

    def _job(self, path: Path, name: str) -> dict[str, Any]:
        return {"path": str(path), "name": name, "max_pixels": self._limits.max_pixels}

    def _row(self, source: Source) -> dict[str, str]:
        word = self._words.get(source.key)
        return dict(source.user) if word is None else {PIXEL_SIZE: repr(word.pixel_size_nm)}

    def _key(self, source: Source, what: str, row: Mapping[str, str] | None = None) -> tuple[Hashable, ...]:
        said = self._row(source) if row is None else row
        return source.key, source.version, tuple(sorted(said.items())), what


def predicted(classifier: Classifier, source: Source, look: Look) -> Prediction:
    """What a model says of a decoded picture."""
    began = time.perf_counter()
    found = classifier.predict([look])
    (row,) = classifier.rows(found, [source.shown_path])
    novelty = row["novelty"]
    return Prediction(
        row=row,
        tasks=task_answers(found.predictions, 0),
        novelty=novelty if isinstance(novelty, float) else None,
        is_final=look.is_final,
        seconds=look.seconds + time.perf_counter() - began,
    )


def predicted_rows(classifier: Classifier, names: Sequence[str], looks: Sequence[Look | str]) -> list[Row]:
    """A row of predictions.csv a file, in order; looks: a decoded picture, or the sentence that says why there is none."""
    seen = [look for look in looks if isinstance(look, Look)]
    seen_names = [name for name, look in zip(names, looks, strict=True) if isinstance(look, Look)]
    rows = iter(classifier.rows(classifier.predict(seen), seen_names) if seen else [])
    pairs = zip(names, looks, strict=True)
    return [next(rows) if isinstance(look, Look) else classifier.error_row(name, look) for name, look in pairs]
